// How far a store's time has come, how often it began anew, and whether it has to: the tables that issuer and STS both have.
import type { Beginning, BeginningStore, EpochSeconds, WatchableStore } from '../../sts/store.ts';
import { decodeBeginning } from '../rows/beginning.ts';
import { integer } from '../rows/row.ts';
import { statement } from './connection.ts';
import type { PostgresDatabase } from './database.ts';
import { exclusive } from './locks.ts';
import type { Transaction } from './transaction.ts';

const FIND = statement('SELECT generation, at, history, is_restored, vouched_at FROM beginning WHERE only_row = 1');
const MARK_RESTORED = statement('UPDATE beginning SET is_restored = 1 WHERE only_row = 1');
const VOUCH = statement(
  'UPDATE beginning SET vouched_at = $1 WHERE only_row = 1 AND (vouched_at IS NULL OR vouched_at < $1)',
);
const COUNT = statement(`
  UPDATE beginning SET generation = generation + 1, at = $2, history = $3, is_restored = 0
  WHERE only_row = 1 AND generation = $1`);
const MARK = statement('SELECT at FROM high_water WHERE only_row = 1');

/** Up to the latest time; it never goes back, and is not written again within one second. */
export const RAISE_MARK = statement('UPDATE high_water SET at = $1 WHERE only_row = 1 AND at < $1');

/** The ports' part about beginnings. */
export const storeBeginning = (
  database: PostgresDatabase,
): BeginningStore & WatchableStore & { highWaterMark(): Promise<EpochSeconds> } => ({
  history: () => database.history(),
  acceptHistory: (history) => database.acceptHistory(history),
  watch: (onChange) => database.watch(onChange),
  beginning: async (): Promise<Beginning> => decodeBeginning((await database.read(FIND))[0] ?? {}),
  markRestored: () =>
    database.write({
      locks: [exclusive('beginning')],
      run: async (transaction) => {
        await transaction.query(MARK_RESTORED);
      },
    }),
  vouch: (at) =>
    database.write({
      // Rows are waited for after locks: two transactions that want this row and the mark's, in whichever order, must not meet.
      locks: [exclusive('vouch')],
      run: async (transaction) => {
        await transaction.query(VOUCH, [at]);
      },
    }),
  highWaterMark: async () => integer((await database.read(MARK))[0] ?? {}, 'at'),
});

/** Counts one beginning; false when the generation is another than expected. Precondition: the lock `beginning`, exclusively. */
export async function countBeginning(
  transaction: Transaction,
  o: { readonly expectedGeneration: number; readonly history: string; readonly now: EpochSeconds },
): Promise<boolean> {
  return (await transaction.query(COUNT, [o.expectedGeneration, o.now, o.history])).count === 1;
}
