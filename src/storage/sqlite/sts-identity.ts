// Which store this is, and how far its time has come.
import type { StsStore } from '../../sts/store.ts';
import { integer, text } from '../rows/row.ts';
import type { SqliteDatabase } from './database.ts';

type IdentityMethods = Pick<StsStore, 'identity' | 'renewIdentity' | 'highWaterMark'>;

/** The one-row tables of the STS's database. */
export function stsIdentity(database: SqliteDatabase): IdentityMethods {
  const find = database.prepare('SELECT id, born_at FROM store_identity WHERE only_row = 1');
  const renew = database.prepare('UPDATE store_identity SET id = $id, born_at = $bornAt WHERE only_row = 1');
  const mark = database.prepare('SELECT at FROM high_water WHERE only_row = 1');
  return {
    identity: () =>
      database.read(() => {
        const row = find.get() ?? {};
        return { id: text(row, 'id'), bornAt: integer(row, 'born_at') };
      }),
    renewIdentity: ({ id, bornAt }) =>
      database.write(() => {
        renew.run({ id, bornAt });
      }),
    highWaterMark: () => database.read(() => integer(mark.get() ?? {}, 'at')),
  };
}
