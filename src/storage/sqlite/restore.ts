// What restoring needs of a database file: a copy made ready, and one put in place of another. With backup.ts the second door to this
// folder: here nobody serves.
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { JobpassError } from '../../base/core/errors.ts';
import { SCHEMAS } from './backup.ts';
import { storeBeginning } from './beginning.ts';
import { openDatabase } from './database.ts';
import { isBusy, isCorruption, unavailable } from './errors.ts';

/** Notes in a database that it is an older copy, so that the next start begins anew. Rejects as opening it does. */
export async function markSqliteRestored(kind: 'issuer' | 'sts', path: string): Promise<void> {
  const database = openDatabase({ path }, SCHEMAS[kind]);
  try {
    await storeBeginning(database).markRestored();
  } finally {
    await database.close();
  }
}

/**
 * Puts the database `by` in place of `path` in one step and keeps the old one as `aside`. Precondition: all three are in one folder, and
 * nobody has `by` open. Throws ERR_STORE_IN_USE, and changes nothing, while a server has the old one open.
 */
export function replaceSqlite({ aside, by, path }: Readonly<Record<'path' | 'by' | 'aside', string>>): void {
  if (!existsSync(path)) {
    renameSync(by, path);
    syncFolder(dirname(path));
    return;
  }
  const held = holdAlone(path);
  try {
    linkSync(path, aside);
    // Only a database that could not be opened still has them. Beside the new one, its log would be taken for the new one's.
    for (const companion of ['-wal', '-journal'])
      if (existsSync(path + companion)) renameSync(path + companion, aside + companion);
    rmSync(`${path}-shm`, { force: true });
    renameSync(by, path);
    syncFolder(dirname(path));
  } finally {
    held?.close();
  }
}

/** Leaves WAL mode, which only a connection that is alone can, and keeps everyone else out. Undefined: it is no sound database. */
function holdAlone(path: string): DatabaseSync | undefined {
  const db = new DatabaseSync(resolve(path), { timeout: 0 });
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    db.prepare('PRAGMA journal_mode = DELETE').get();
    db.exec('BEGIN EXCLUSIVE');
    return db;
  } catch (cause) {
    db.close();
    if (isBusy(cause)) {
      const hint = 'stop the server whose database it is';
      throw new JobpassError('ERR_STORE_IN_USE', `${path} is in use`, { cause, hint });
    }
    if (isCorruption(cause)) return undefined;
    throw unavailable(cause);
  }
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
