// How often a store began anew, and whether it has to. The databases of issuer and STS have the table.
import type { Beginning, BeginningStore } from '../../sts/store.ts';
import { decodeBeginning } from '../rows/beginning.ts';
import type { SqliteDatabase } from './database.ts';

/** The ports' part about beginnings. */
export function storeBeginning(database: SqliteDatabase): BeginningStore {
  const find = database.prepare('SELECT generation, at, is_restored FROM beginning WHERE only_row = 1');
  const mark = database.prepare('UPDATE beginning SET is_restored = 1 WHERE only_row = 1');
  return {
    beginning: () => database.read((): Beginning => decodeBeginning(find.get() ?? {})),
    markRestored: () =>
      database.write(() => {
        mark.run();
      }),
  };
}

/** Counts one beginning, inside an open transaction. */
export function beginningCounter(database: SqliteDatabase): (at: number) => void {
  const count = database.prepare(
    'UPDATE beginning SET generation = generation + 1, at = ?, is_restored = 0 WHERE only_row = 1',
  );
  return (at) => {
    count.run(at);
  };
}
