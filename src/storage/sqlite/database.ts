// Owns one open database: its safety settings, its reads and its write queue. It knows no table.
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { JobpassError } from '../../base/core/errors.ts';
import { corrupt } from '../rows/corrupt.ts';
import { isCorruption, readFailure, unavailable } from './errors.ts';
import { fileBytes, prepareFile, StandingFiles } from './file.ts';
import { GroupCommit, type TransactionPart } from './group-commit.ts';
import { checkSchema, migrate, type Schema } from './migrate.ts';

/** Where the database lives. In memory nothing is durable: for tests and measurements only. */
export type SqliteLocation = { readonly path: string } | { readonly memory: true };

/** Waiting blocks the event loop, so a lock held longer than this is reported instead. */
const BUSY_TIMEOUT_MS = 2000;
/** `quick_check` reads the whole file (about 1 GB/s when cached): bigger files would delay the start. */
const MAX_CHECKED_BYTES = 64 * 1024 * 1024;

/**
 * WAL with a disk flush at every commit; `fullfsync` because macOS does not flush on a plain fsync. 16 MB of pages are kept, so that
 * the inner ones of a big table's indexes are among them, and as many wait in the log, where most are written more than once.
 */
const SETTINGS = `
  PRAGMA synchronous = FULL;
  PRAGMA fullfsync = ON;
  PRAGMA checkpoint_fullfsync = ON;
  PRAGMA foreign_keys = ON;
  PRAGMA trusted_schema = OFF;
  PRAGMA cell_size_check = ON;
  PRAGMA temp_store = MEMORY;
  PRAGMA cache_size = -16384;
  PRAGMA wal_autocheckpoint = 4096;
`;

/** An open database. Made by `openDatabase`, ended by `close`. */
export class SqliteDatabase {
  readonly #db: DatabaseSync;
  readonly #writes: GroupCommit;

  /** Precondition: `db` has its settings and its newest schema. `files` are its own; absent in memory. */
  constructor(db: DatabaseSync, files?: StandingFiles) {
    this.#db = db;
    this.#writes = new GroupCommit(db, () => files?.lost());
  }

  /** A statement to keep and reuse. Throws when the SQL does not fit the schema. */
  prepare(sql: string): StatementSync {
    return this.#db.prepare(sql);
  }

  /** Runs `query` on what is committed. Rejects with ERR_STORE_CORRUPT or ERR_STORE_UNAVAILABLE. */
  async read<T>(query: () => T): Promise<T> {
    try {
      return query();
    } catch (cause) {
      throw readFailure(cause);
    }
  }

  /** See GroupCommit.write. */
  write<T>(apply: () => T): Promise<T> {
    return this.#writes.write(apply);
  }

  /** See GroupCommit.join. */
  join(part: TransactionPart): void {
    this.#writes.join(part);
  }

  /** Commits what waits, then closes; later calls reject. Closing twice is allowed. */
  async close(): Promise<void> {
    this.#writes.close();
    if (this.#db.isOpen) this.#db.close();
  }
}

function check(db: DatabaseSync, bytes: number): void {
  if (bytes > MAX_CHECKED_BYTES) return;
  const result = db.prepare('PRAGMA quick_check(1)').get()?.quick_check;
  if (result !== 'ok') throw corrupt('the database is damaged');
}

function setUp(db: DatabaseSync, schema: Schema, journalMode: 'wal' | 'memory'): void {
  // Foreign and newer databases are refused before anything in the file changes.
  checkSchema(db, schema);
  const mode = db.prepare(`PRAGMA journal_mode = ${journalMode}`).get()?.journal_mode;
  if (mode !== journalMode) {
    throw new JobpassError('ERR_STORE_UNAVAILABLE', 'the database cannot use a write-ahead log here', {
      hint: 'put it on a local disk: network file systems lack the locks it needs',
    });
  }
  db.exec(SETTINGS);
  migrate(db, schema);
}

/**
 * Opens, checks and migrates a database. Throws ERR_STORE_PERMISSIONS, ERR_STORE_CORRUPT, ERR_STORE_SCHEMA or
 * ERR_STORE_UNAVAILABLE, each with a hint; a refused file is left as it was.
 */
export function openDatabase(location: SqliteLocation, schema: Schema): SqliteDatabase {
  const path = 'memory' in location ? ':memory:' : prepareFile(location.path);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, {
      timeout: BUSY_TIMEOUT_MS,
      enableDoubleQuotedStringLiterals: false,
      allowUnknownNamedParameters: true,
    });
    check(db, 'memory' in location ? 0 : fileBytes(path));
    setUp(db, schema, 'memory' in location ? 'memory' : 'wal');
    return new SqliteDatabase(db, 'memory' in location ? undefined : new StandingFiles(path));
  } catch (cause) {
    if (db?.isOpen === true) db.close();
    if (cause instanceof JobpassError) throw cause;
    throw isCorruption(cause) ? corrupt(`${path} is damaged or is no database`, cause) : unavailable(cause);
  }
}
