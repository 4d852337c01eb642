// Owns the order of writes: which of those that wait may share the next transaction. It talks to no database.
import type { JobpassError } from '../../base/core/errors.ts';
import { LockSet } from './locks.ts';
import type { Write } from './transaction.ts';

/** So that a transaction's locks, a few for each write, never fill the server's table of them. */
const MAX_BATCH = 64;

/** A write that waits, and whoever waits for it. */
export interface PendingWrite {
  readonly write: Write<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: JobpassError) => void;
  /** Whoever asked has been told that it failed. */
  isGivenUp: boolean;
}

/** Writes in the order they were asked for. */
export class WriteQueue {
  #waiting: PendingWrite[] = [];
  readonly #open = new Set<LockSet>();

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(pending: PendingWrite): void {
    this.#waiting.push(pending);
  }

  /** Forgets all that waits, and gives it back. */
  drop(): readonly PendingWrite[] {
    return this.#waiting.splice(0);
  }

  /**
   * The next batch, or nothing when all that waits would wait for an open one: in the database it would block a connection.
   * What has to wait goes before everything behind it that it excludes, so that nothing waits for ever. `done` ends the batch.
   */
  take(): { readonly batch: readonly PendingWrite[]; readonly done: () => void } | undefined {
    const locks = new LockSet();
    const passed = new LockSet();
    const batch: PendingWrite[] = [];
    const left: PendingWrite[] = [];
    for (const [place, pending] of this.#waiting.entries()) {
      if (batch.length === MAX_BATCH) {
        left.push(...this.#waiting.slice(place));
        break;
      }
      if (pending.isGivenUp) continue;
      const wanted = pending.write.locks;
      const isFree = [passed, ...this.#open].every((other) => other.isApartFrom(wanted));
      if (isFree && locks.admits(wanted)) {
        locks.add(wanted);
        batch.push(pending);
      } else {
        passed.add(wanted);
        left.push(pending);
      }
    }
    this.#waiting = left;
    if (batch.length === 0) return undefined;
    this.#open.add(locks);
    return { batch, done: () => this.#open.delete(locks) };
  }
}
