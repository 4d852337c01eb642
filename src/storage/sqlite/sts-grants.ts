// The STS's grants and the ends of jobs: the transactions that decide whether a session may live.
import { decisionEntry, encodeRecord } from '../../base/audit/record.ts';
import type { EndedSession, GrantOutcome, StsStore } from '../../sts/store.ts';
import { inForce, scopesOf } from '../rows/in-force.ts';
import { integer } from '../rows/row.ts';
import {
  checkGrant,
  decodeEnd,
  encodeSession,
  type Grant,
  SESSION_COLUMNS,
  SLACK_SECONDS,
  sessionValues,
} from '../rows/sessions.ts';
import type { AuditChain } from './audit-chain.ts';
import type { SqliteDatabase } from './database.ts';
import { markRaiser } from './mark.ts';
import { epochPruner } from './sts-epochs.ts';

/** On rows of `epoch` and `freeze`: the scopes that the asked session is of. */
const ofAskedScope = scopesOf({ issuer: '?1', tenant: '?2', role: '?3' });

/** The reasons against a grant, each a look-up that changes nothing; undefined when none stands. */
function grantChecks(database: SqliteDatabase) {
  const tombstone = database.prepare('SELECT 1 FROM tombstone WHERE issuer = ? AND job_id = ?');
  const alive = database.prepare(`SELECT 1 FROM session WHERE id = ? AND ${inForce()}`);
  const epoch = database.prepare(`SELECT 1 FROM epoch WHERE at >= ?4 AND ${ofAskedScope}`);
  const freeze = database.prepare(`SELECT 1 FROM freeze WHERE ${ofAskedScope}`);
  const use = database.prepare('SELECT 1 FROM token_use WHERE exp = ? AND iss = ? AND jti = ?');
  const mark = database.prepare('SELECT at FROM high_water WHERE only_row = 1');
  return (grant: Grant): Exclude<GrantOutcome, 'granted'> | undefined => {
    const { session } = grant;
    if (session.jobId !== null && tombstone.get(session.issuer, session.jobId) !== undefined) return 'job_ended';
    const parentId = session.role === null ? null : session.parentId;
    if (parentId !== null && alive.get(parentId) === undefined) return 'session_ended';
    const asked = [session.issuer, session.role?.tenant ?? '', session.role?.name ?? ''] as const;
    const issuedFrom = Math.min(grant.issuedFrom, session.issuedAt);
    if (epoch.get(...asked, issuedFrom) !== undefined) return 'epoch_raised';
    if (freeze.get(...asked) !== undefined) return 'frozen';
    if (grant.uses.some(({ exp, iss, jti }) => use.get(exp, iss, jti) !== undefined)) return 'token_replayed';
    const highWater = integer(mark.get() ?? {}, 'at');
    // Written so that a `now` that is no number refuses.
    return grant.now >= highWater - grant.skewSeconds ? undefined : 'clock_behind';
  };
}

/** Grants: checks, session, record, single use and mark in one transaction. */
export function stsGrants(database: SqliteDatabase, chain: AuditChain): Pick<StsStore, 'grant'> {
  const refusal = grantChecks(database);
  const raiseMark = markRaiser(database);
  const insertUse = database.prepare(`
    INSERT INTO token_use (exp, iss, jti, session_id, client, used_at)
    VALUES ($exp, $iss, $jti, $sessionId, $client, $now)`);
  const insertSession = database.prepare(`
    INSERT INTO session (${SESSION_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  return {
    grant: async (grant) => {
      checkGrant(grant);
      const { client, now } = grant;
      const session = sessionValues(encodeSession(grant.session));
      const record = decisionEntry(grant.record);
      return database.write(() => {
        const refused = refusal(grant);
        if (refused !== undefined) return refused;
        for (const { exp, iss, jti } of grant.uses)
          insertUse.run({ exp, iss, jti, sessionId: grant.session.id, client, now });
        chain.append(record);
        insertSession.run(...session);
        raiseMark(now);
        return 'granted';
      });
    },
  };
}

type BurialMethods = Pick<StsStore, 'buryJobs' | 'isBuried' | 'listEndedSessions'>;

/** Ends: a tombstone that later grants meet, and the end of the sessions that earlier grants made. */
export function stsBurials(database: SqliteDatabase, chain: AuditChain): BurialMethods {
  // The first end stands; a longer keeping wins, because forgetting early would let the job come back to life.
  const bury = database.prepare(`
    INSERT INTO tombstone (issuer, job_id, ended_at, expires_at) VALUES ($issuer, $jobId, $endedAt, $expiresAt)
    ON CONFLICT DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)`);
  const end = database.prepare(`
    INSERT INTO ended_session (session_id, expires_at, gateway_group)
    SELECT id, expires_at, gateway_group FROM session
    WHERE issuer = ? AND job_id = ? AND ${inForce()}
    ORDER BY issued_at, id
    RETURNING sequence, session_id, expires_at`);
  const isBuried = database.prepare('SELECT 1 FROM tombstone WHERE issuer = ? AND job_id = ?');
  const list = database.prepare(`
    SELECT sequence, session_id, expires_at FROM ended_session
    WHERE gateway_group = ? AND sequence > ? AND expires_at > ? ORDER BY sequence LIMIT ?`);
  return {
    buryJobs: async (tombstones, record) => {
      const rows = tombstones.map((tombstone) => ({ ...tombstone }));
      const entry = record === undefined ? undefined : encodeRecord(record);
      return database.write(() => {
        const ended: EndedSession[] = [];
        for (const row of rows) {
          bury.run(row);
          ended.push(...end.all(row.issuer, row.jobId).map(decodeEnd));
        }
        if (entry !== undefined) chain.append(entry);
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
  const pruneEpochs = epochPruner(database);
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
        pruneEpochs(now);
      }),
  };
}
