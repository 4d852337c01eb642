// A consistent copy of a database file, for backups. With restore.ts the second door to this folder: here nobody serves.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { JobpassError } from '../../base/core/errors.ts';
import { corrupt } from '../rows/corrupt.ts';
import { isCorruption, unavailable } from './errors.ts';
import { prepareFile } from './file.ts';
import { checkSchema, type Schema } from './migrate.ts';
import { ISSUER_SCHEMA } from './migrations/issuer.ts';
import { STS_SCHEMA } from './migrations/sts.ts';

/** Whose databases are backed up. */
export const SCHEMAS: Readonly<Record<'issuer' | 'sts', Schema>> = { issuer: ISSUER_SCHEMA, sts: STS_SCHEMA };
/** All pages in one step: between two, a writer would make the copy begin again, and a busy server never end it. */
const ALL_PAGES = 2 ** 31 - 1;

/**
 * Copies a database as it is at one moment, whether or not a server is writing to it; it is not held up. `to` must not exist; it is made
 * 0600. Rejects with ERR_STORE_SCHEMA, ERR_STORE_CORRUPT or ERR_STORE_UNAVAILABLE.
 */
export async function copySqlite(kind: 'issuer' | 'sts', from: string, to: string): Promise<void> {
  if (!existsSync(from))
    throw new JobpassError('ERR_STORE_UNAVAILABLE', `there is no database ${from} to back up`, {
      hint: 'a server makes its database when it starts for the first time; `storage` names another file',
    });
  let source: DatabaseSync | undefined;
  try {
    source = new DatabaseSync(resolve(from), { readOnly: true });
    checkSchema(source, SCHEMAS[kind]);
    await backup(source, prepareFile(to), { rate: ALL_PAGES });
  } catch (cause) {
    if (cause instanceof JobpassError) throw cause;
    throw isCorruption(cause) ? corrupt(`${from} is damaged or is no database`, cause) : unavailable(cause);
  } finally {
    if (source?.isOpen === true) source.close();
  }
}
