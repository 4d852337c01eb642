// Owns the database file as a file: who may read it, that a new one is born private, and that it is still there. It opens no database.
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { JobpassError } from '../../base/core/errors.ts';

const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_FOLDER = 0o700;
const GROUP_AND_OTHERS = 0o077;
/** SQLite's companions of a database in WAL mode hold the same rows. */
const COMPANIONS = ['', '-wal', '-shm'];

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function refuseIfReadableByOthers(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isFile()) {
    throw new JobpassError('ERR_STORE_UNAVAILABLE', `${path} is not a file`, { hint: 'name a file, not a folder' });
  }
  if ((found.mode & GROUP_AND_OTHERS) === 0) return;
  const mode = (found.mode & 0o777).toString(8);
  throw new JobpassError('ERR_STORE_PERMISSIONS', `${path} is open to other users (mode ${mode})`, {
    hint: `chmod 600 ${path}`,
  });
}

function create(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: OWNER_ONLY_FOLDER });
  try {
    // `wx`: an existing file is never truncated. SQLite gives -wal and -shm the mode of this file.
    closeSync(openSync(path, 'wx', OWNER_ONLY_FILE));
    chmodSync(path, OWNER_ONLY_FILE);
  } catch (cause) {
    if (!isErrno(cause, 'EEXIST')) throw cause;
  }
}

/**
 * Makes the file (0600) and its folder (0700) when they are missing and gives back the absolute path. Throws
 * ERR_STORE_PERMISSIONS when group or others may touch it, ERR_STORE_UNAVAILABLE when it cannot be made.
 * The absolute path matters: SQLite would read a name that begins with `file:` as a URI with options.
 */
export function prepareFile(path: string): string {
  const absolute = resolve(path);
  try {
    create(absolute);
    for (const suffix of COMPANIONS) refuseIfReadableByOthers(`${absolute}${suffix}`);
  } catch (cause) {
    if (cause instanceof JobpassError) throw cause;
    throw new JobpassError('ERR_STORE_UNAVAILABLE', `the database ${absolute} cannot be made`, {
      cause,
      hint: 'check that its folder is yours and the disk is not full',
    });
  }
  return absolute;
}

/** Size in bytes; 0 when missing. */
export function fileBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** What holds rows: the third companion can be made again from these. */
const HOLDING_ROWS = ['', '-wal'];

/** A file as it was seen last. */
interface Sight {
  readonly device: number;
  readonly inode: number;
  readonly bytes: number;
}

/**
 * Whether an open database and its log still stand at their path. An open file that was deleted or replaced goes on taking writes
 * which nobody can read afterwards, and one that was cut short takes them behind a hole. Neither file ever shrinks while it is open.
 */
export class StandingFiles {
  readonly #path: string;
  readonly #seen = new Map<string, Sight>();
  #wasCut: JobpassError | undefined;

  /** Precondition: the database at this absolute path was just opened, and written to. */
  constructor(path: string) {
    this.#path = path;
    this.lost();
  }

  /** ERR_STORE_UNAVAILABLE while one of them is not the one that was opened, and for good once one was cut short. */
  lost(): JobpassError | undefined {
    for (const suffix of HOLDING_ROWS) {
      const file = `${this.#path}${suffix}`;
      const found = statSync(file, { throwIfNoEntry: false });
      const before = this.#seen.get(suffix);
      if (before !== undefined && (found?.ino !== before.inode || found.dev !== before.device)) {
        return lostFile(`${file} was deleted or replaced while it was open`);
      }
      if (before !== undefined && (found?.size ?? 0) < before.bytes) {
        this.#wasCut ??= lostFile(`${file} was cut short while it was open`);
      }
      if (found !== undefined) this.#seen.set(suffix, { device: found.dev, inode: found.ino, bytes: found.size });
    }
    return this.#wasCut;
  }
}

const lostFile = (what: string): JobpassError =>
  new JobpassError('ERR_STORE_UNAVAILABLE', what, {
    hint: 'put it back, or stop the server: jobpass restore FILE puts a backup in its place',
  });
