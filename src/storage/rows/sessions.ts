// What a row of the STS's tables means, whatever the engine.
import { JobpassError } from '../../base/core/errors.ts';
import { MAX_CLOCK_SKEW_SECONDS } from '../../base/core/limits.ts';
import type { EndedSession, FederatedSession, Session, SessionFilter, StsStore } from '../../sts/store.ts';
import { flag, integer, json, nullableJson, nullableText, type Row, text } from './row.ts';
import { federation, statementList, textMap } from './shapes.ts';

/**
 * How long something is kept past its expiry. A grant is accepted down to one skew below the high-water mark, and a
 * token up to one skew past its `exp`: what was forgotten at the mark must be dead at both.
 */
export const SLACK_SECONDS = 2 * MAX_CLOCK_SKEW_SECONDS;

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

/** The columns of a session. */
export const SESSION_COLUMNS = `id, decision_id, role_tenant, role_name, gateway_group, issuer, subject, job_id, job_bound,
  issued_at, expires_at, claims, tags, source_identity, name, policy, federation, parent_id`;

/** A session, of a role or not. */
export function decodeSession(row: Row): Session | FederatedSession {
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

/** A session’s column values. */
export const encodeSession = (session: Session | FederatedSession) => ({
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

/** The same in the order of SESSION_COLUMNS: drivers look for names for longer than it takes to insert a row. */
export const sessionValues = (row: ReturnType<typeof encodeSession>): readonly (string | number | null)[] => [
  row.id,
  row.decisionId,
  row.tenant,
  row.roleName,
  row.group,
  row.issuer,
  row.subject,
  row.jobId,
  row.jobBound,
  row.issuedAt,
  row.expiresAt,
  row.claims,
  row.tags,
  row.sourceIdentity,
  row.name,
  row.policy,
  row.federation,
  row.parentId,
];

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

/** The columns that a filter names a value for. Conditions on them stand only where they are asked: what may be NULL serves no index. */
export const askedColumns = ({ issuer, jobId, role }: SessionFilter): Readonly<Record<string, string>> => ({
  ...(role === undefined ? {} : { role_tenant: role.tenant, role_name: role.name }),
  ...(issuer === undefined ? {} : { issuer }),
  ...(jobId === undefined ? {} : { job_id: jobId }),
});

/**
 * On a row of `session`, of which only the job is asked: its issuer is one that jobs are known of. They are few, and each is found by one
 * look at the index over issuers and their jobs, which then serves the job.
 */
export const OF_KNOWN_ISSUER = `issuer IN (
  WITH RECURSIVE known (of_issuer) AS (
    SELECT min(issuer) FROM session WHERE job_id IS NOT NULL
    UNION ALL
    SELECT (SELECT min(issuer) FROM session WHERE job_id IS NOT NULL AND issuer > of_issuer)
    FROM known WHERE of_issuer IS NOT NULL
  ) SELECT of_issuer FROM known WHERE of_issuer IS NOT NULL)`;

/** A row of `ended_session`. */
export const decodeEnd = (row: Row): EndedSession => ({
  sequence: integer(row, 'sequence'),
  sessionId: text(row, 'session_id'),
  expiresAt: integer(row, 'expires_at'),
});

/** What `grant` is given. */
export type Grant = Parameters<StsStore['grant']>[0];

/** A session without its own audit record must never come to be. */
export function checkGrant({ issuedFrom, record, session }: Grant): void {
  const belongTogether = record.sessionId === session.id && session.decisionId === record.id;
  if (record.outcome !== 'granted' || !belongTogether) {
    throw new JobpassError('ERR_STORE_MISUSE', 'a session was to be stored without its own decision record');
  }
  // No epoch is at or after what is no number.
  if (Number.isSafeInteger(issuedFrom)) return;
  throw new JobpassError('ERR_STORE_MISUSE', 'a session was to be stored of which nobody knows since when it could be');
}
