// Owns what writes wait for each other on: advisory locks of PostgreSQL, held until the commit, and the same rules within
// this process, so that no lane sits waiting for another lane.
import { hash } from 'node:crypto';

/**
 * `shared` goes with `shared`. `exclusive` goes with nothing. `ordered` keeps other transactions out and lets writes of one
 * transaction follow each other.
 */
type Mode = 'shared' | 'exclusive' | 'ordered';

/** One thing that a write must have before its first statement. */
export interface Lock {
  /** What the lock is on, as text that nothing else has. */
  readonly on: string;
  readonly mode: Mode;
}

const lock = (mode: Mode, kind: string, parts: readonly (string | number)[]): Lock => ({
  on: JSON.stringify([kind, ...parts]),
  mode,
});

/** Keeps out whoever takes it exclusively. */
export const shared = (kind: string, ...parts: readonly (string | number)[]): Lock => lock('shared', kind, parts);

/** Keeps everybody else out. */
export const exclusive = (kind: string, ...parts: readonly (string | number)[]): Lock => lock('exclusive', kind, parts);

/** Keeps other transactions out: for numbers that must become visible in their order. */
export const ordered = (kind: string): Lock => lock('ordered', kind, []);

const goTogether = (one: Mode, other: Mode): boolean => one === 'shared' && other === 'shared';

/** The locks of one transaction, each thing once, in its strongest mode. */
export class LockSet {
  readonly #modes = new Map<string, Mode>();

  get modes(): ReadonlyMap<string, Mode> {
    return this.#modes;
  }

  /** Whether a write with these locks may share the transaction. */
  admits(locks: readonly Lock[]): boolean {
    return locks.every(({ mode, on }) => {
      const held = this.#modes.get(on);
      return held === undefined || goTogether(held, mode) || (held === 'ordered' && mode === 'ordered');
    });
  }

  add(locks: readonly Lock[]): void {
    for (const { mode, on } of locks) if (this.#modes.get(on) !== 'exclusive') this.#modes.set(on, mode);
  }

  /** Whether a transaction with these locks could be open at the same time. */
  isApartFrom(locks: readonly Lock[]): boolean {
    return locks.every(({ mode, on }) => {
      const held = this.#modes.get(on);
      return held === undefined || goTogether(held, mode);
    });
  }

  /**
   * Keys for pg_advisory_xact_lock and whether each is exclusive. Sorted: transactions that take their locks in one order never
   * wait for each other in a circle. Two things with one key only wait more than they need to. `scope` parts servers that share a database.
   */
  keys(scope: string): { readonly keys: readonly string[]; readonly areExclusive: readonly boolean[] } {
    const isExclusive = new Map<bigint, boolean>();
    for (const [on, mode] of this.#modes) {
      const key = hash('sha256', `${scope}\n${on}`, 'buffer').readBigInt64BE(0);
      isExclusive.set(key, isExclusive.get(key) === true || mode !== 'shared');
    }
    const sorted = [...isExclusive].sort(([a], [b]) => (a < b ? -1 : 1));
    return { keys: sorted.map(([key]) => `${key}`), areExclusive: sorted.map(([, mode]) => mode) };
  }
}
