// Owns the index as a database: its settings, its lock, its reads and its write queue. It knows no table.
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { JobpassError } from '../../../base/core/errors.ts';
import { unavailable } from './file-operations.ts';
import { APPLICATION_ID, STEPS } from './schema.ts';

/** A store that is just being left by its last process; waiting blocks, but only at the start. */
const LOCK_TIMEOUT_MS = 2000;
/** Primary result codes of SQLite (https://sqlite.org/rescode.html). */
const BUSY = 5;
const CONSTRAINT = 19;

/** Flushed at every commit; `fullfsync` because macOS does not flush on a plain fsync. */
const SETTINGS = `
  PRAGMA synchronous = FULL;
  PRAGMA fullfsync = ON;
  PRAGMA checkpoint_fullfsync = ON;
  PRAGMA foreign_keys = ON;
  PRAGMA trusted_schema = OFF;
  PRAGMA cell_size_check = ON;
  PRAGMA temp_store = MEMORY;
  PRAGMA cache_size = -8192;
`;

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

interface PendingWrite {
  readonly run: () => () => void;
  readonly reject: (error: JobpassError) => void;
}

/** The open index. One process has it at a time, and keeps it until `close`. */
export class IndexFile {
  readonly #db: DatabaseSync;
  readonly #onCommit: () => void;
  #pending: PendingWrite[] = [];
  #isClosed = false;

  /** Precondition: `db` comes from `openIndex`. `onCommit` is called after every commit, before its writers hear of it. */
  constructor(db: DatabaseSync, onCommit: () => void) {
    this.#db = db;
    this.#onCommit = onCommit;
  }

  prepare(sql: string): StatementSync {
    return this.#db.prepare(sql);
  }

  /** Runs `query` on what is committed. Throws ERR_STORE_UNAVAILABLE. */
  read<T>(query: () => T): T {
    try {
      return query();
    } catch (cause) {
      throw cause instanceof JobpassError ? cause : unavailable('the index of the object store cannot be read', cause);
    }
  }

  /**
   * Runs `apply` in a transaction, which all writes of one turn of the event loop share, and resolves with what it returned
   * once that is durable. `apply` is synchronous, changes nothing but the index, and may run again after a rollback: a refusal
   * is a returned value and must come before its first change. Rejects with ERR_STORE_UNAVAILABLE: it was rolled back.
   */
  write<T>(apply: () => T): Promise<T> {
    if (this.#isClosed) return Promise.reject(unavailable('the object store is closed'));
    return new Promise<T>((resolve, reject) => {
      if (this.#pending.length === 0) setImmediate(() => this.#flush());
      const run = () => {
        const value = apply();
        return () => resolve(value);
      };
      this.#pending.push({ run, reject });
    });
  }

  /** Commits what waits, and lets the next process in. */
  close(): void {
    this.#isClosed = true;
    this.#flush();
    if (this.#db.isOpen) this.#db.close();
  }

  #flush(): void {
    const batch = this.#pending;
    this.#pending = [];
    if (batch.length > 0) this.#commit(batch);
  }

  #commit(batch: readonly PendingWrite[]): void {
    const settle: (() => void)[] = [];
    try {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      this.#db.exec('BEGIN IMMEDIATE');
      for (const write of batch) settle.push(write.run());
      this.#db.exec('COMMIT');
    } catch (cause) {
      this.#rollback();
      this.#fail(batch, cause);
      return;
    }
    this.#onCommit();
    for (const done of settle) done();
  }

  #rollback(): void {
    try {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
    } catch {
      // Nothing was committed either way; the next batch starts by ending this transaction, or fails.
    }
  }

  /** A fault of one write must not cost the others: each is tried again alone. Anything else fails all of them. */
  #fail(batch: readonly PendingWrite[], cause: unknown): void {
    const code = resultCode(cause);
    if (batch.length > 1 && (code === undefined || code === CONSTRAINT)) {
      for (const write of batch) this.#commit([write]);
      return;
    }
    const error = cause instanceof JobpassError ? cause : unavailable('the index of the object store refused', cause);
    for (const write of batch) write.reject(error);
  }
}

function pragma(db: DatabaseSync, name: 'application_id' | 'user_version'): unknown {
  return db.prepare(`PRAGMA ${name}`).get()?.[name];
}

const schemaError = (message: string, hint: string) => new JobpassError('ERR_STORE_SCHEMA', message, { hint });

function migrate(db: DatabaseSync): void {
  const version = Number(pragma(db, 'user_version'));
  if (version > STEPS.length) {
    throw schemaError(
      `the index has schema ${version}, this version of Jobpass knows up to ${STEPS.length}`,
      'start the newer version that wrote it; schemas never go back',
    );
  }
  db.exec('BEGIN IMMEDIATE');
  for (const step of STEPS.slice(version)) db.exec(step);
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${STEPS.length}; COMMIT`);
}

function setUp(db: DatabaseSync): void {
  // The lock of the whole folder: taken with the first write and kept until close or until the process dies.
  db.exec('PRAGMA locking_mode = EXCLUSIVE');
  const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (!isEmpty && pragma(db, 'application_id') !== APPLICATION_ID) {
    throw schemaError('the index is not one of an object store', 'give the store a folder of its own');
  }
  if (db.prepare('PRAGMA journal_mode = wal').get()?.journal_mode !== 'wal') {
    throw unavailable('the index cannot use a write-ahead log here: put the store on a local disk');
  }
  db.exec(SETTINGS);
  migrate(db);
}

/**
 * Opens, locks and migrates the index. Throws ERR_STORE_LOCKED when another process has the store, ERR_STORE_SCHEMA when it is
 * another program's or a newer version's, ERR_STORE_UNAVAILABLE otherwise.
 */
export function openIndex(path: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: LOCK_TIMEOUT_MS, enableDoubleQuotedStringLiterals: false });
    setUp(db);
    return db;
  } catch (cause) {
    if (db?.isOpen === true) db.close();
    if (cause instanceof JobpassError) throw cause;
    if (resultCode(cause) !== BUSY) throw unavailable(`the index ${path} cannot be opened`, cause);
    throw new JobpassError('ERR_STORE_LOCKED', `another process has the object store of ${path} open`, {
      cause,
      hint: 'one gateway at a time serves a folder: end the other one, or give each its own',
    });
  }
}
