// The STS's grants: the transaction that decides whether a session may live.
import { decisionEntry } from '../../base/audit/record.ts';
import type { GrantOutcome, StsStore } from '../../sts/store.ts';
import { scopesOf } from '../rows/in-force.ts';
import { oneOf } from '../rows/row.ts';
import { checkGrant, encodeSession, type Grant, SESSION_COLUMNS, sessionValues } from '../rows/sessions.ts';
import { statement, type Value } from './connection.ts';
import type { PostgresDatabase } from './database.ts';
import { inForce } from './in-force.ts';
import { exclusive, type Lock, shared } from './locks.ts';

const OUTCOMES: readonly GrantOutcome[] = [
  'granted',
  'job_ended',
  'session_ended',
  'epoch_raised',
  'frozen',
  'token_replayed',
  'clock_behind',
];

/** On rows of `epoch` and `frozen`: the scopes that the asked session is of. */
const ofAskedScope = scopesOf({ issuer: '$6::text', tenant: '$3::text', role: '$4::text' });

/**
 * Checks and changes in one statement, so that all of them see one moment, which lies after the locks. $1 to $18 are the session's columns,
 * $19 the earliest moment that an epoch may not be at or after, $20 now, $21 the skew, $22 the client, $23 to $25 the uses.
 */
const GRANT = statement(`
  WITH verdict AS (
    SELECT CASE
      WHEN EXISTS (SELECT 1 FROM tombstone WHERE issuer = $6::text AND job_id = $8::text) THEN 'job_ended'
      WHEN $18::text IS NOT NULL AND NOT EXISTS (SELECT 1 FROM session WHERE id = $18::text AND ${inForce()})
        THEN 'session_ended'
      WHEN EXISTS (SELECT 1 FROM epoch WHERE at >= $19::bigint AND ${ofAskedScope}) THEN 'epoch_raised'
      WHEN EXISTS (SELECT 1 FROM frozen WHERE ${ofAskedScope}) THEN 'frozen'
      WHEN EXISTS (SELECT 1 FROM token_use JOIN unnest($23::bigint[], $24::text[], $25::text[]) AS asked (e, i, j)
        ON exp = e AND iss = i COLLATE "C" AND jti = j COLLATE "C") THEN 'token_replayed'
      WHEN $20::bigint >= (SELECT at FROM high_water WHERE only_row = 1) - $21::bigint THEN 'granted'
      ELSE 'clock_behind' END AS outcome
  ), used AS (
    INSERT INTO token_use (exp, iss, jti, session_id, client, used_at)
    SELECT e, i, j, $1::text, $22::text, $20::bigint
    FROM verdict CROSS JOIN unnest($23::bigint[], $24::text[], $25::text[]) AS asked (e, i, j) WHERE outcome = 'granted'
  ), made AS (
    INSERT INTO session (${SESSION_COLUMNS})
    SELECT $1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::smallint, $10::bigint,
      $11::bigint, $12::text, $13::text, $14::text, $15::text, $16::text, $17::text, $18::text
    FROM verdict WHERE outcome = 'granted'
  ), raised AS (
    UPDATE high_water SET at = $20::bigint FROM verdict WHERE only_row = 1 AND at < $20::bigint AND outcome = 'granted'
  ) SELECT outcome FROM verdict`);

/** Whatever could make the answer another one is kept from changing until the commit. */
const locksOf = ({ session, uses }: Grant): readonly Lock[] => [
  shared('epochs'),
  ...(session.jobId === null ? [] : [shared('job', session.issuer, session.jobId)]),
  ...(session.role === null || session.parentId === null ? [] : [shared('session', session.parentId)]),
  ...uses.map(({ exp, iss, jti }) => exclusive('use', exp, iss, jti)),
];

function valuesOf(grant: Grant): readonly Value[] {
  const { client, issuedFrom, now, session, skewSeconds, uses } = grant;
  return [
    ...sessionValues(encodeSession(session)),
    ...[Math.min(issuedFrom, session.issuedAt), now, skewSeconds, client],
    ...[uses.map(({ exp }) => exp), uses.map(({ iss }) => iss), uses.map(({ jti }) => jti)],
  ];
}

/** Grants: checks, session, record, single use and mark in one transaction. */
export const stsGrants = (database: PostgresDatabase): Pick<StsStore, 'grant'> => ({
  grant: async (grant) => {
    checkGrant(grant);
    // A time that is no number lies nowhere above the mark.
    if (!Number.isSafeInteger(grant.now)) return 'clock_behind';
    const record = decisionEntry(grant.record);
    const values = valuesOf(grant);
    return database.write({
      locks: locksOf(grant),
      run: async (transaction) => {
        const { rows } = await transaction.query(GRANT, values);
        const outcome = oneOf(rows[0] ?? {}, 'outcome', OUTCOMES);
        if (outcome === 'granted') transaction.append(record);
        return outcome;
      },
    });
  },
});
