// The STS's grants and the ends of jobs: the transactions that decide whether a session may live.
import { decisionEntry } from '../../base/audit/record.ts';
import { JobpassError } from '../../base/core/errors.ts';
import { MAX_CLOCK_SKEW_SECONDS } from '../../base/core/limits.ts';
import type { EndedSession, FederatedSession, GrantOutcome, Session, StsStore } from '../../sts/store.ts';
import type { AuditChain } from './audit-chain.ts';
import type { SqliteDatabase } from './database.ts';
import { flag, integer, json, nullableJson, nullableText, type Row, text } from './row.ts';
import { federation, statementList, textMap } from './shapes.ts';

/**
 * How long something is kept past its expiry. A grant is accepted down to one skew below the high-water mark, and a
 * token up to one skew past its `exp`: what was forgotten at the mark must be dead at both.
 */
const SLACK_SECONDS = 2 * MAX_CLOCK_SKEW_SECONDS;

/** Of a session without a role, the columns of one are empty: a group of that name, and so its gateways, cannot be. */
const NO_ROLE = {
  tenant: '',
  roleName: '',
  group: '',
  claims: '{}',
  tags: '{}',
  sourceIdentity: null,
  name: null,
  parentId: null,
};

function decodeSession(row: Row): Session | FederatedSession {
  const facts = {
    id: text(row, 'id'),
    decisionId: text(row, 'decision_id'),
    issuer: text(row, 'issuer'),
    subject: text(row, 'subject'),
    jobId: nullableText(row, 'job_id'),
    jobBound: flag(row, 'job_bound'),
    issuedAt: integer(row, 'issued_at'),
    expiresAt: integer(row, 'expires_at'),
  };
  const name = text(row, 'role_name');
  if (name === '') return { ...facts, role: null, federation: json(row, 'federation', federation) };
  return {
    ...facts,
    role: { tenant: text(row, 'role_tenant'), name },
    group: text(row, 'gateway_group'),
    claims: json(row, 'claims', textMap),
    tags: json(row, 'tags', textMap),
    sourceIdentity: nullableText(row, 'source_identity'),
    name: nullableText(row, 'name'),
    policy: nullableJson(row, 'policy', statementList),
    federation: nullableJson(row, 'federation', federation),
    parentId: nullableText(row, 'parent_id'),
  };
}

const encodeSession = (session: Session | FederatedSession) => ({
  id: session.id,
  decisionId: session.decisionId,
  issuer: session.issuer,
  subject: session.subject,
  jobId: session.jobId,
  jobBound: session.jobBound ? 1 : 0,
  issuedAt: session.issuedAt,
  expiresAt: session.expiresAt,
  federation: session.federation === null ? null : JSON.stringify(session.federation),
  ...(session.role === null ? { ...NO_ROLE, policy: null } : encodeRole(session)),
});

const encodeRole = ({ claims, group, name, parentId, policy, role, sourceIdentity, tags }: Session) => ({
  tenant: role.tenant,
  roleName: role.name,
  group,
  claims: JSON.stringify(claims),
  tags: JSON.stringify(tags),
  sourceIdentity,
  name,
  policy: policy === null ? null : JSON.stringify(policy),
  parentId,
});

/** A row of `ended_session`. */
export const decodeEnd = (row: Row): EndedSession => ({
  sequence: integer(row, 'sequence'),
  sessionId: text(row, 'session_id'),
  expiresAt: integer(row, 'expires_at'),
});

type Grant = Parameters<StsStore['grant']>[0];

/** A session without its own audit record must never come to be. */
function checkGrant({ session, record }: Grant): void {
  const belongTogether = record.sessionId === session.id && session.decisionId === record.id;
  if (record.outcome === 'granted' && belongTogether) return;
  throw new JobpassError('ERR_STORE_MISUSE', 'a session was to be stored without its own decision record');
}

/** The reasons against a grant, each a look-up that changes nothing; undefined when none stands. */
function grantChecks(database: SqliteDatabase) {
  const tombstone = database.prepare('SELECT 1 FROM tombstone WHERE issuer = ? AND job_id = ?');
  const inForce = database.prepare(
    'SELECT 1 FROM session WHERE id = ? AND NOT EXISTS (SELECT 1 FROM ended_session WHERE session_id = session.id)',
  );
  const use = database.prepare('SELECT 1 FROM token_use WHERE exp = ? AND iss = ? AND jti = ?');
  const mark = database.prepare('SELECT at FROM high_water WHERE only_row = 1');
  return (grant: Grant): Exclude<GrantOutcome, 'granted'> | undefined => {
    const { session } = grant;
    if (session.jobId !== null && tombstone.get(session.issuer, session.jobId) !== undefined) return 'job_ended';
    const parentId = session.role === null ? null : session.parentId;
    if (parentId !== null && inForce.get(parentId) === undefined) return 'session_ended';
    if (grant.uses.some(({ exp, iss, jti }) => use.get(exp, iss, jti) !== undefined)) return 'token_replayed';
    const highWater = integer(mark.get() ?? {}, 'at');
    // Written so that a `now` that is no number refuses.
    return grant.now >= highWater - grant.skewSeconds ? undefined : 'clock_behind';
  };
}

function markRaiser(database: SqliteDatabase): (now: number) => void {
  const raise = database.prepare('UPDATE high_water SET at = $now WHERE only_row = 1 AND at < $now');
  return (now) => {
    raise.run({ now });
  };
}

/** Grants: checks, session, record, single use and mark in one transaction. */
export function stsGrants(database: SqliteDatabase, chain: AuditChain): Pick<StsStore, 'grant' | 'findSession'> {
  const refusal = grantChecks(database);
  const raiseMark = markRaiser(database);
  const insertUse = database.prepare('INSERT INTO token_use (exp, iss, jti) VALUES (?, ?, ?)');
  const insertSession = database.prepare(`
    INSERT INTO session (id, decision_id, role_tenant, role_name, gateway_group, issuer, subject, job_id, job_bound,
      issued_at, expires_at, claims, tags, source_identity, name, policy, federation, parent_id)
    VALUES ($id, $decisionId, $tenant, $roleName, $group, $issuer, $subject, $jobId, $jobBound, $issuedAt, $expiresAt,
      $claims, $tags, $sourceIdentity, $name, $policy, $federation, $parentId)`);
  const find = database.prepare(`
    SELECT id, decision_id, role_tenant, role_name, gateway_group, issuer, subject, job_id, job_bound, issued_at,
      expires_at, claims, tags, source_identity, name, policy, federation, parent_id
    FROM session WHERE id = ? AND NOT EXISTS (SELECT 1 FROM ended_session WHERE session_id = session.id)`);
  return {
    grant: async (grant) => {
      checkGrant(grant);
      const session = encodeSession(grant.session);
      const record = decisionEntry(grant.record);
      return database.write(() => {
        const refused = refusal(grant);
        if (refused !== undefined) return refused;
        for (const { exp, iss, jti } of grant.uses) insertUse.run(exp, iss, jti);
        chain.append(record);
        insertSession.run(session);
        raiseMark(grant.now);
        return 'granted';
      });
    },
    findSession: (id) =>
      database.read(() => {
        const row = find.get(id);
        return row === undefined ? undefined : decodeSession(row);
      }),
  };
}

type BurialMethods = Pick<StsStore, 'buryJobs' | 'isBuried' | 'listEndedSessions'>;

/** Ends: a tombstone that later grants meet, and the end of the sessions that earlier grants made. */
export function stsBurials(database: SqliteDatabase): BurialMethods {
  // The first end stands; a longer keeping wins, because forgetting early would let the job come back to life.
  const bury = database.prepare(`
    INSERT INTO tombstone (issuer, job_id, ended_at, expires_at) VALUES ($issuer, $jobId, $endedAt, $expiresAt)
    ON CONFLICT DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)`);
  const end = database.prepare(`
    INSERT INTO ended_session (session_id, expires_at, gateway_group)
    SELECT id, expires_at, gateway_group FROM session
    WHERE issuer = ? AND job_id = ? AND NOT EXISTS (SELECT 1 FROM ended_session WHERE session_id = session.id)
    ORDER BY issued_at, id
    RETURNING sequence, session_id, expires_at`);
  const isBuried = database.prepare('SELECT 1 FROM tombstone WHERE issuer = ? AND job_id = ?');
  const list = database.prepare(`
    SELECT sequence, session_id, expires_at FROM ended_session
    WHERE gateway_group = ? AND sequence > ? AND expires_at > ? ORDER BY sequence LIMIT ?`);
  return {
    buryJobs: (tombstones) => {
      const rows = tombstones.map((tombstone) => ({ ...tombstone }));
      return database.write(() => {
        const ended: EndedSession[] = [];
        for (const row of rows) {
          bury.run(row);
          ended.push(...end.all(row.issuer, row.jobId).map(decodeEnd));
        }
        return ended.sort((a, b) => a.sequence - b.sequence);
      });
    },
    isBuried: (issuer, jobId) => database.read(() => isBuried.get(issuer, jobId) !== undefined),
    listEndedSessions: (group, afterSequence, now, limit) =>
      database.read(() => list.all(group, afterSequence, now, limit).map(decodeEnd)),
  };
}

/** Forgetting. It raises the mark: what was forgotten at `now` must not be decided on at an earlier time. */
export function stsPruning(database: SqliteDatabase): Pick<StsStore, 'prune'> {
  const raiseMark = markRaiser(database);
  const statements = [
    database.prepare('DELETE FROM token_use WHERE exp < ?'),
    database.prepare('DELETE FROM tombstone WHERE expires_at < ?'),
    database.prepare('DELETE FROM ended_session WHERE expires_at < ?'),
    database.prepare('DELETE FROM session WHERE expires_at < ?'),
  ];
  return {
    prune: (now) =>
      database.write(() => {
        raiseMark(now);
        for (const statement of statements) statement.run(now - SLACK_SECONDS);
      }),
  };
}
