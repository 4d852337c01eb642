// Puts a backup in place of a server's database, or says of a database that an older copy was put there by other means.
import { rmSync } from 'node:fs';
import { JobpassError } from '../../base/core/errors.ts';
import type { Random } from '../../base/ports/random.ts';
import { markSqliteRestored, replaceSqlite } from '../../storage/sqlite/restore.ts';
import type { BackupKind, BackupLock } from '../backup/format.ts';
import type { DatabasePlan } from '../config/plan.ts';
import { besidePath, type Progress, unpackBackup } from './backup-file.ts';
import { isAnswered } from './listen.ts';
import { openIssuerStorage, openStsStorage } from './storage.ts';

/** What is put back, and in place of what. */
export interface RestoreOptions {
  readonly kind: BackupKind;
  /** The backup. */
  readonly from: string;
  /** The database that it takes the place of. */
  readonly to: string;
  /** Of the server whose database it is. */
  readonly adminSocket: string;
  readonly lock: BackupLock;
  readonly random: Random;
  readonly onProgress: Progress;
}

/**
 * The backup is read whole, made ready beside the database, and only then put in its place, marked so that the next start begins anew.
 * Where the old database is kept. Throws ERR_STORE_IN_USE while the server runs, and what reading a backup throws; nothing is changed then.
 */
export async function restoreBackup(options: RestoreOptions): Promise<string> {
  const { adminSocket, from, kind, lock, onProgress, random, to } = options;
  if (await isAnswered(adminSocket)) throw inUse(to);
  const ready = besidePath(to, 'restoring', random);
  const aside = besidePath(to, 'before-restore', random);
  try {
    await unpackBackup(from, ready, { lock, onProgress });
    await markSqliteRestored(kind, ready);
    replaceSqlite({ path: to, by: ready, aside });
    return aside;
  } finally {
    for (const path of [ready, `${ready}-wal`, `${ready}-shm`]) rmSync(path, { force: true });
  }
}

/** Notes in a database that it is an older copy. A running server begins anew within a second, any other when it starts. */
export async function markRestored(kind: BackupKind, database: DatabasePlan): Promise<void> {
  const store = await (kind === 'issuer' ? openIssuerStorage(database) : openStsStorage(database));
  await store.markRestored().finally(() => store.close());
}

const inUse = (path: string): JobpassError =>
  new JobpassError('ERR_STORE_IN_USE', `${path} is in use`, { hint: 'stop the server whose database it is' });
