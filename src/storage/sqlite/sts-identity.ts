// Which store this is, and how far its time has come.
import type { StoreIdentity, StsStore } from '../../sts/store.ts';
import { integer, text } from '../rows/row.ts';
import type { SqliteDatabase } from './database.ts';

type IdentityMethods = Pick<StsStore, 'identity' | 'renewIdentity' | 'highWaterMark'>;

/** The one-row tables of the STS's database. */
export function stsIdentity(database: SqliteDatabase): IdentityMethods {
  const find = database.prepare('SELECT id, born_at FROM store_identity WHERE only_row = 1');
  const renew = identityRenewer(database);
  const mark = database.prepare('SELECT at FROM high_water WHERE only_row = 1');
  return {
    identity: () =>
      database.read(() => {
        const row = find.get() ?? {};
        return { id: text(row, 'id'), bornAt: integer(row, 'born_at') };
      }),
    renewIdentity: (identity) => database.write(() => renew(identity)),
    highWaterMark: () => database.read(() => integer(mark.get() ?? {}, 'at')),
  };
}

/** Gives the store another identity, inside an open transaction. */
export function identityRenewer(database: SqliteDatabase): (identity: StoreIdentity) => void {
  const renew = database.prepare('UPDATE store_identity SET id = $id, born_at = $bornAt WHERE only_row = 1');
  return ({ bornAt, id }) => {
    renew.run({ id, bornAt });
  };
}
