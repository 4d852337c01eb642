// How often a store began anew, and whether it has to. The databases of issuer and STS have the table.
import type { Beginning, BeginningStore, EpochSeconds, WatchableStore } from '../../sts/store.ts';
import { decodeBeginning } from '../rows/beginning.ts';
import type { SqliteDatabase } from './database.ts';

/** A file has no name for its history: an older copy of it looks like itself. */
const HISTORY = 'sqlite';

/** The ports' part about beginnings. */
export function storeBeginning(database: SqliteDatabase): BeginningStore & WatchableStore {
  const find = beginningFinder(database);
  const mark = database.prepare('UPDATE beginning SET is_restored = 1 WHERE only_row = 1');
  const vouch = database.prepare(
    'UPDATE beginning SET vouched_at = $at WHERE only_row = 1 AND (vouched_at IS NULL OR vouched_at < $at)',
  );
  return {
    history: async () => HISTORY,
    acceptHistory: () => undefined,
    // Whoever else opened the file is not told apart from a copy of it: one process has it.
    watch: () => () => undefined,
    beginning: () => database.read(find),
    markRestored: () =>
      database.write(() => {
        mark.run();
      }),
    vouch: (at) =>
      database.write(() => {
        vouch.run({ at });
      }),
  };
}

function beginningFinder(database: SqliteDatabase): () => Beginning {
  const find = database.prepare(
    'SELECT generation, at, history, is_restored, vouched_at FROM beginning WHERE only_row = 1',
  );
  return () => decodeBeginning(find.get() ?? {});
}

/** Counts one beginning, inside an open transaction; false when the generation is another than expected. */
export function beginningCounter(
  database: SqliteDatabase,
): (o: { readonly expectedGeneration: number; readonly at: EpochSeconds; readonly history: string }) => boolean {
  const count = database.prepare(`
    UPDATE beginning SET generation = generation + 1, at = $at, history = $history, is_restored = 0
    WHERE only_row = 1 AND generation = $expectedGeneration`);
  return ({ at, expectedGeneration, history }) => count.run({ at, expectedGeneration, history }).changes === 1;
}
