// Owns the write path: writes of one turn of the event loop share one transaction. It knows no table.
import type { DatabaseSync } from 'node:sqlite';
import { JobpassError } from '../../base/core/errors.ts';
import { isOneWritesFault, unavailable } from './errors.ts';

/** Runs a write inside the open transaction; what it returns settles the caller once the commit is durable. */
interface PendingWrite {
  readonly run: () => () => void;
  readonly reject: (error: JobpassError) => void;
}

/** What takes part in every transaction besides its writes. `begin` and `finish` run inside it, and again after a rollback. */
export interface TransactionPart {
  /** Before the first write. */
  begin(): void;
  /** After the last write. */
  finish(): void;
  /** After the commit, or after anything went wrong: then it is not known what was kept. */
  ended(isCommitted: boolean): void;
}

/**
 * Group commit. A disk flush costs far more than a row, so all writes that arrive in one turn are made durable by one
 * BEGIN IMMEDIATE … COMMIT, and every promise resolves only after it.
 */
export class GroupCommit {
  readonly #db: DatabaseSync;
  readonly #parts: TransactionPart[] = [];
  readonly #lost: () => JobpassError | undefined;
  #pending: PendingWrite[] = [];
  #closed = false;

  /** `lost` is asked before and after every transaction; its error refuses the batch: what was written could not be read again. */
  constructor(db: DatabaseSync, lost: () => JobpassError | undefined = () => undefined) {
    this.#db = db;
    this.#lost = lost;
  }

  /**
   * Queues `apply` and resolves with what it returned after the commit. A refusal is a returned value and does not touch
   * its batch mates. `apply` is synchronous, changes nothing but the database, and may be run again after a rollback.
   * Rejects with ERR_STORE_UNAVAILABLE, and keeps nothing of it, on any failure.
   */
  write<T>(apply: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(new JobpassError('ERR_STORE_UNAVAILABLE', 'the store is closed'));
    return new Promise<T>((resolve, reject) => {
      if (this.#pending.length === 0) setImmediate(() => this.flush());
      const run = () => {
        const value = apply();
        return () => resolve(value);
      };
      this.#pending.push({ run, reject });
    });
  }

  /** From now on `part` takes part in every transaction. */
  join(part: TransactionPart): void {
    this.#parts.push(part);
  }

  /** Commits what waits, now. */
  flush(): void {
    const batch = this.#pending;
    this.#pending = [];
    if (batch.length === 0) return;
    const lost = this.#lost();
    if (lost === undefined) this.#commit(batch);
    else reject(batch, lost);
  }

  /** Commits what waits and takes nothing more. */
  close(): void {
    this.#closed = true;
    this.flush();
  }

  #commit(batch: readonly PendingWrite[]): void {
    const settle: (() => void)[] = [];
    try {
      // A rollback that itself failed leaves its transaction open: end it before anything new is decided in it.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      this.#db.exec('BEGIN IMMEDIATE');
      for (const part of this.#parts) part.begin();
      for (const write of batch) settle.push(write.run());
      for (const part of this.#parts) part.finish();
      this.#db.exec('COMMIT');
    } catch (cause) {
      this.#rollback();
      for (const part of this.#parts) part.ended(false);
      this.#fail(batch, cause);
      return;
    }
    for (const part of this.#parts) part.ended(true);
    const lost = this.#lost();
    if (lost === undefined) for (const done of settle) done();
    else reject(batch, lost);
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
    if (batch.length > 1 && isOneWritesFault(cause)) {
      for (const write of batch) this.#commit([write]);
      return;
    }
    reject(batch, unavailable(cause));
  }
}

function reject(batch: readonly PendingWrite[], error: JobpassError): void {
  for (const write of batch) write.reject(error);
}
