// How far a store's time has come: an older copy of its database is known by it.
import type { SqliteDatabase } from './database.ts';

/** Raises the mark, inside an open transaction; it never goes back. */
export function markRaiser(database: SqliteDatabase): (now: number) => void {
  const raise = database.prepare('UPDATE high_water SET at = $now WHERE only_row = 1 AND at < $now');
  return (now) => {
    raise.run({ now });
  };
}
