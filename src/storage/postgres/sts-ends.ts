// The ends of sessions: with their job, one by one, or by an epoch. All ends are rows of one table, in one order.
import { encodeRecord } from '../../base/audit/record.ts';
import { changeOf, type FreezeWish } from '../../base/core/freeze.ts';
import type { Epoch, EpochScope, FreezeChange, StsStore, Tombstone } from '../../sts/store.ts';
import { decodeEpoch, decodeFreeze, encodeScope } from '../rows/epochs.ts';
import { partsFamilies } from '../rows/in-force.ts';
import { integer } from '../rows/row.ts';
import { decodeEnd } from '../rows/sessions.ts';
import { statement } from './connection.ts';
import type { PostgresDatabase } from './database.ts';
import { endOffspringOf, inForce } from './in-force.ts';
import { exclusive, type Lock, ordered } from './locks.ts';
import type { Transaction } from './transaction.ts';

/** The first end stands; a longer keeping wins, because forgetting early would let the job come back to life. */
const BURY = statement(`
  INSERT INTO tombstone (issuer, job_id, ended_at, expires_at)
  SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
  ON CONFLICT (issuer, job_id) DO UPDATE SET expires_at = greatest(tombstone.expires_at, excluded.expires_at)`);
const END_JOBS = statement(`
  WITH ended AS (
    INSERT INTO ended_session (session_id, expires_at, gateway_group)
    SELECT id, expires_at, gateway_group FROM session
    JOIN unnest($1::text[], $2::text[]) WITH ORDINALITY AS buried (of_issuer, of_job, place)
      ON issuer = of_issuer COLLATE "C" AND job_id = of_job COLLATE "C"
    WHERE ${inForce()}
    ORDER BY place, issued_at, id
    RETURNING sequence, session_id, expires_at
  ) SELECT * FROM ended ORDER BY sequence`);
const IS_BURIED = statement('SELECT 1 FROM tombstone WHERE issuer = $1 AND job_id = $2');
const LIST = statement(`
  SELECT sequence, session_id, expires_at FROM ended_session
  WHERE gateway_group = $1 AND sequence > $2 AND expires_at > $3 ORDER BY sequence LIMIT $4`);

/** Each job once: its first end, its longest keeping. */
function jobsOf(tombstones: readonly Tombstone[]): readonly Tombstone[] {
  const jobs = new Map<string, Tombstone>();
  for (const tombstone of tombstones) {
    const key = JSON.stringify([tombstone.issuer, tombstone.jobId]);
    const first = jobs.get(key) ?? tombstone;
    jobs.set(key, { ...first, expiresAt: Math.max(first.expiresAt, tombstone.expiresAt) });
  }
  return [...jobs.values()];
}

type BurialMethods = Pick<StsStore, 'buryJobs' | 'isBuried' | 'listEndedSessions'>;

/** Ends: a tombstone that later grants meet, and the end of the sessions that earlier grants made. */
export const stsBurials = (database: PostgresDatabase): BurialMethods => ({
  buryJobs: async (tombstones, record) => {
    const jobs = jobsOf(tombstones);
    const issuers = jobs.map(({ issuer }) => issuer);
    const ids = jobs.map(({ jobId }) => jobId);
    const entry = record === undefined ? undefined : encodeRecord(record);
    return database.write({
      locks: [...jobs.map(({ issuer, jobId }) => exclusive('job', issuer, jobId)), ordered('ends')],
      run: async (transaction) => {
        const [{ rows }] = await Promise.all([
          transaction.query(END_JOBS, [issuers, ids]),
          transaction.query(BURY, [
            issuers,
            ids,
            jobs.map(({ endedAt }) => endedAt),
            jobs.map(({ expiresAt }) => expiresAt),
          ]),
        ]);
        if (entry !== undefined) transaction.append(entry);
        transaction.announce();
        return rows.map(decodeEnd);
      },
    });
  },
  isBuried: async (issuer, jobId) => (await database.read(IS_BURIED, [issuer, jobId])).length > 0,
  listEndedSessions: async (group, afterSequence, now, limit) =>
    (await database.read(LIST, [group, afterSequence, now, limit])).map(decodeEnd),
});

const END_ONE = statement(`
  WITH own AS (
    INSERT INTO ended_session (session_id, expires_at, gateway_group)
    SELECT id, expires_at, gateway_group FROM session WHERE id = $1 AND ${inForce()}
    RETURNING sequence, session_id, expires_at
  ), offspring AS (
    INSERT INTO ended_session (session_id, expires_at, gateway_group)
    SELECT id, expires_at, gateway_group FROM session
    WHERE parent_id = $1 AND ${inForce()} AND EXISTS (SELECT 1 FROM own)
  ) SELECT * FROM own`);

/** Ending one session, once, with those that came of it and the record of who ended it. */
export const stsRevocations = (database: PostgresDatabase): Pick<StsStore, 'endSession'> => ({
  endSession: async (id, record) => {
    const entry = record === undefined ? undefined : encodeRecord(record);
    return database.write({
      locks: [exclusive('session', id), ordered('ends')],
      run: async (transaction) => {
        const [row] = (await transaction.query(END_ONE, [id])).rows;
        if (row === undefined) return undefined;
        if (entry !== undefined) transaction.append(entry);
        transaction.announce();
        return decodeEnd(row);
      },
    });
  },
});

/** Never back: what an earlier epoch ended stays ended, and what was granted by the mark's clock is of before, too. */
const RAISE = statement(`
  INSERT INTO epoch (scope, name, at)
  VALUES ($1, $2, greatest($3::bigint, (SELECT at FROM high_water WHERE only_row = 1)))
  ON CONFLICT (scope, name) DO UPDATE SET at = greatest(epoch.at, excluded.at)
  RETURNING at`);
const OFFSPRING = { tenant: statement(endOffspringOf('tenant')), role: statement(endOffspringOf('role')) };
const EPOCHS = statement('SELECT scope, name, at FROM epoch ORDER BY scope, name');
const FIND_FREEZE = statement('SELECT scope, name, since, reach FROM frozen WHERE scope = $1 AND name = $2');
const FREEZE = statement(`
  INSERT INTO frozen (scope, name, since, reach) VALUES ($1, $2, $3, $4)
  ON CONFLICT (scope, name) DO UPDATE SET reach = excluded.reach`);
const THAW = statement('DELETE FROM frozen WHERE scope = $1 AND name = $2');
const FREEZES = statement('SELECT scope, name, since, reach FROM frozen ORDER BY scope, name');

/** What raising an epoch must have: no grant is under way, and ends come in their order. */
export const EPOCH_LOCKS: readonly Lock[] = [exclusive('epochs'), ordered('ends')];

/** Raises an epoch and tells of it. Precondition: EPOCH_LOCKS. */
export async function raiseEpoch(transaction: Transaction, scope: EpochScope, now: number): Promise<Epoch> {
  const { name, scope: kind } = encodeScope(scope);
  const raising = transaction.query(RAISE, [kind, name, now]);
  const offspring = partsFamilies(scope) ? [transaction.query(OFFSPRING[scope.scope], [name])] : [];
  const [raised] = await Promise.all([raising, ...offspring]);
  transaction.announce();
  return { ...scope, at: integer(raised.rows[0] ?? {}, 'at') };
}

/** Precondition: the transaction keeps other changes of freezes out. */
async function changeFreeze(transaction: Transaction, wish: FreezeWish): Promise<FreezeChange> {
  const { name, scope: kind } = encodeScope(wish.scope);
  const [row] = (await transaction.query(FIND_FREEZE, [kind, name])).rows;
  const change = changeOf(row === undefined ? undefined : decodeFreeze(row), wish);
  const { after } = change;
  if (after === undefined) await transaction.query(THAW, [kind, name]);
  else await transaction.query(FREEZE, [kind, name, after.since, after.reach]);
  return change;
}

type EpochMethods = Pick<StsStore, 'raiseEpoch' | 'listEpochs' | 'setFreeze' | 'listFreezes'>;

/** Raising and freezing, each in a transaction that no grant can share. */
export const stsEpochs = (database: PostgresDatabase): EpochMethods => ({
  raiseEpoch: async ({ now, record, scope }) => {
    const entry = encodeRecord(record);
    return database.write({
      locks: EPOCH_LOCKS,
      run: async (transaction) => {
        const epoch = await raiseEpoch(transaction, scope, now);
        transaction.append(entry);
        return epoch;
      },
    });
  },
  listEpochs: async () => (await database.read(EPOCHS)).map(decodeEpoch),
  setFreeze: async ({ record, ...asked }) => {
    const entry = encodeRecord(record);
    return database.write({
      locks: [exclusive('epochs')],
      run: async (transaction) => {
        const change = await changeFreeze(transaction, { ...asked, at: Math.floor(record.at / 1000) });
        if (asked.frozen || change.after === undefined) transaction.append(entry);
        transaction.announce();
        return change;
      },
    });
  },
  listFreezes: async () => (await database.read(FREEZES)).map(decodeFreeze),
});
