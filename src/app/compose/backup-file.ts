// Backup files on disk: a database goes into one sealed, and comes out of one only whole. What is in between is in files of their owner.
import { createReadStream } from 'node:fs';
import { link, open, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { JobpassError } from '../../base/core/errors.ts';
import type { Clock } from '../../base/ports/clock.ts';
import type { Random } from '../../base/ports/random.ts';
import { copySqlite } from '../../storage/sqlite/backup.ts';
import {
  type BackupHeader,
  type BackupKind,
  type BackupLock,
  encodeSalt,
  openBackup,
  readBackupHeader,
  SALT_BYTES,
  sealBackup,
} from '../backup/format.ts';

const OWNER_ONLY = 0o600;
/** Read at once. */
const READ_BYTES = 1024 * 1024;

/** Told while bytes go by. */
export type Progress = (doneBytes: number, ofBytes: number) => void;

/** What is backed up, and where to. */
export interface BackupOptions {
  readonly kind: BackupKind;
  /** The database. */
  readonly from: string;
  /** The new file. */
  readonly to: string;
  readonly lock: BackupLock;
  readonly clock: Clock;
  readonly random: Random;
  readonly onProgress: Progress;
}

/**
 * Backs a database up, whether or not its server runs, and reads the result back once. The file is there whole and durable, or not at
 * all. Throws ERR_FILE_EXISTS, and what `copySqlite` throws.
 */
export async function writeBackup(options: BackupOptions): Promise<BackupHeader> {
  const { kind, lock, onProgress } = options;
  const to = resolve(options.to);
  if (await isThere(to)) throw taken(to);
  const copy = besidePath(resolve(options.from), 'copy', options.random);
  const unfinished = besidePath(to, 'unfinished', options.random);
  try {
    await copySqlite(kind, options.from, copy);
    const { size: bytes } = await stat(copy);
    const salt = encodeSalt(options.random.bytes(SALT_BYTES));
    const header = { kind, createdAt: options.clock.nowSeconds(), bytes, lockedBy: lock.lockedBy, salt };
    const plain = counted(createReadStream(copy, { highWaterMark: READ_BYTES }), bytes, onProgress);
    await writeDurably(unfinished, sealBackup(plain, header, lock));
    await checkBackup(unfinished, lock);
    // Not `rename`, which would replace what was put there meanwhile.
    await link(unfinished, to).catch((cause: unknown) => {
      throw taken(to, cause);
    });
    await syncFolder(dirname(to));
    return header;
  } finally {
    for (const path of [copy, `${copy}-wal`, `${copy}-shm`, unfinished]) await rm(path, { force: true });
  }
}

/** Reads a whole backup and makes nothing of it. Throws ERR_BACKUP_UNREADABLE or ERR_BACKUP_KEY. */
export async function checkBackup(path: string, lock: BackupLock): Promise<BackupHeader> {
  const sealed = await readBackupHeader(readFrom(path));
  for await (const _ of openBackup(sealed, lock));
  return sealed.header;
}

/** What the backup says of itself; nothing of it is proved. Throws ERR_BACKUP_UNREADABLE. */
export async function backupHeader(path: string): Promise<BackupHeader> {
  const file = readFrom(path);
  const { header } = await readBackupHeader(file);
  file.destroy();
  return header;
}

/** Writes the database of a backup to a new file. Nothing is left when it throws. */
export async function unpackBackup(
  path: string,
  to: string,
  options: Pick<BackupOptions, 'lock' | 'onProgress'>,
): Promise<void> {
  const sealed = await readBackupHeader(readFrom(path));
  await writeDurably(to, counted(openBackup(sealed, options.lock), sealed.header.bytes, options.onProgress));
}

function readFrom(path: string): ReturnType<typeof createReadStream> {
  return createReadStream(resolve(path), { highWaterMark: READ_BYTES });
}

/** Makes a new file, whole and durable; when it throws there is none, and a file of that name that was there before is untouched. */
async function writeDurably(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  // `wx` and the mode together: nobody else could have made it, or reads it from the first byte on.
  const file = await open(path, 'wx', OWNER_ONLY);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } catch (cause) {
    await rm(path, { force: true });
    throw cause;
  } finally {
    await file.close();
  }
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  ofBytes: number,
  onProgress: Progress,
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const piece of source) {
    yield piece;
    done += piece.length;
    onProgress(done, ofBytes);
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

/** A name in the same folder that nobody else uses: two at once must not share a file. */
export const besidePath = (path: string, word: string, random: Random): string =>
  `${path}.${word}-${Buffer.from(random.bytes(4)).toString('hex')}`;

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const taken = (path: string, cause?: unknown): JobpassError =>
  new JobpassError('ERR_FILE_EXISTS', `${path} is there already and is not overwritten`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'move it away, or choose another name',
  });
