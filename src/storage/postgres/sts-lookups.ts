// Looking sessions, uses and decisions up, the records of refusals, and which store this is.
import { decisionEntry } from '../../base/audit/record.ts';
import { JobpassError } from '../../base/core/errors.ts';
import type { StoreIdentity, StsStore } from '../../sts/store.ts';
import { decodeDecision } from '../rows/audit.ts';
import { decodeUse } from '../rows/epochs.ts';
import { integer, text } from '../rows/row.ts';
import { askedColumns, decodeSession, OF_KNOWN_ISSUER, SESSION_COLUMNS } from '../rows/sessions.ts';
import { newestOf } from './audit.ts';
import { type Statement, statement } from './connection.ts';
import type { PostgresDatabase } from './database.ts';
import { inForce } from './in-force.ts';
import { exclusive } from './locks.ts';
import type { Transaction } from './transaction.ts';

const FIND = statement(`SELECT ${SESSION_COLUMNS} FROM session WHERE id = $1 AND ${inForce()}`);
/** After $4, the values of these columns. */
function listOf(columns: readonly string[]): Statement {
  const asked = columns.map((column, place) => ` AND ${column} = $${5 + place}`);
  const known = columns.includes('job_id') && !columns.includes('issuer') ? ` AND ${OF_KNOWN_ISSUER}` : '';
  return statement(`
  SELECT ${SESSION_COLUMNS} FROM session
  WHERE id > $1 AND expires_at > $2 AND role_tenant = ANY ($3::text[])${asked.join('')}${known} AND ${inForce()}
  ORDER BY id LIMIT $4`);
}
const USE = statement(`
  SELECT session_id, client, used_at, session.decision_id FROM token_use LEFT JOIN session ON session.id = session_id
  WHERE exp = $1 AND iss = $2 AND jti = $3`);

type SessionMethods = Pick<StsStore, 'findSession' | 'listSessions' | 'findUse'>;

/** One session, many of them, and the session of a used token. */
export const stsSessions = (database: PostgresDatabase): SessionMethods => ({
  findSession: async (id) => (await database.read(FIND, [id])).map(decodeSession)[0],
  listSessions: async (filter, after, limit) => {
    const asked = askedColumns(filter);
    const values = [after ?? '', filter.now, filter.tenants, limit, ...Object.values(asked)];
    return (await database.read(listOf(Object.keys(asked)), values)).map(decodeSession);
  },
  findUse: async ({ exp, iss, jti }) => (await database.read(USE, [exp, iss, jti])).map(decodeUse)[0],
});

/** The last code point sorts after every text that goes on from the prefix; no pattern, so nothing to escape. */
const FIND_DECISIONS = statement(`
  SELECT body FROM audit_entry WHERE id >= $1 AND id < $1 || chr(1114111) AND kind = 'decision'
    AND ($2::text[] IS NULL OR tenant = ANY ($2::text[]))
  ORDER BY id LIMIT 2`);
const DECISIONS = statement("SELECT body FROM audit_entry WHERE kind = 'decision' ORDER BY position DESC LIMIT $1");
const DECISIONS_OF = statement(newestOf('body', "kind = 'decision'"));

type DecisionMethods = Pick<StsStore, 'recordRefusal' | 'findDecisions' | 'listDecisions'>;

/** Refusals, and looking decisions up. */
export const stsDecisions = (database: PostgresDatabase): DecisionMethods => ({
  recordRefusal: async (record) => {
    if (record.outcome !== 'refused') {
      throw new JobpassError('ERR_STORE_MISUSE', 'a grant was to be recorded as a refusal');
    }
    const entry = decisionEntry(record);
    return database.write({ locks: [], run: async (transaction) => transaction.append(entry) });
  },
  findDecisions: async (prefix, only) =>
    (await database.read(FIND_DECISIONS, [prefix, only?.tenants ?? null])).map(decodeDecision),
  listDecisions: async (limit, only) => {
    const rows =
      only === undefined
        ? await database.read(DECISIONS, [limit])
        : await database.read(DECISIONS_OF, [[...new Set(only.tenants)], limit]);
    return rows.map(decodeDecision);
  },
});

const IDENTITY = statement('SELECT id, born_at FROM store_identity WHERE only_row = 1');
const RENEW = statement('UPDATE store_identity SET id = $1, born_at = $2 WHERE only_row = 1');

type IdentityMethods = Pick<StsStore, 'identity' | 'renewIdentity'>;

/** Which store this is. */
export const stsIdentity = (database: PostgresDatabase): IdentityMethods => ({
  identity: async () => {
    const row = (await database.read(IDENTITY))[0] ?? {};
    return { id: text(row, 'id'), bornAt: integer(row, 'born_at') };
  },
  renewIdentity: (identity) =>
    database.write({
      locks: [exclusive('identity')],
      run: (transaction) => renewIdentity(transaction, identity),
    }),
});

/** Gives the store another identity. Precondition: the lock `identity`, exclusively. */
export async function renewIdentity(transaction: Transaction, { bornAt, id }: StoreIdentity): Promise<void> {
  await transaction.query(RENEW, [id, bornAt]);
}
