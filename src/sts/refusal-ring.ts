// Refusals that anyone can cause at will (before a signature was verified, of tokens for others or for other times, of the
// same token over and over): an id, a counter, and a place in a bounded ring. None of them reaches the store.

import type { Wire } from '../base/audit/record.ts';
import type { CheckTrace, RoleRef } from '../base/core/decision.ts';
import type { Reason } from '../base/core/reasons.ts';
import type { EpochMs } from '../base/core/time.ts';

/** Enough to look up what just happened; 256 entries of bounded size are well under a megabyte. */
export const RING_SIZE = 256;

/** A refusal in memory. Nothing that its request says is taken for true. */
export interface UnverifiedRefusal {
  readonly id: string;
  readonly at: EpochMs;
  readonly wire: Wire;
  /** The asked role as the request spelt it; null when it named none that could be read. */
  readonly role: RoleRef | null;
  readonly reason: Reason;
  readonly detail: string;
  readonly remoteAddress: string;
  readonly checks: readonly CheckTrace[];
}

/** The newest RING_SIZE refusals, and how often each reason was given since the start. */
export class RefusalRing {
  readonly #entries: UnverifiedRefusal[] = [];
  readonly #counts = new Map<Reason, number>();
  #next = 0;

  add(refusal: UnverifiedRefusal): void {
    this.#entries[this.#next] = refusal;
    this.#next = (this.#next + 1) % RING_SIZE;
    this.#counts.set(refusal.reason, (this.#counts.get(refusal.reason) ?? 0) + 1);
  }

  /** Entries whose id begins with `prefix`, newest first. */
  find(prefix: string): readonly UnverifiedRefusal[] {
    return this.list().filter((entry) => entry.id.startsWith(prefix));
  }

  /** Newest first. */
  list(): readonly UnverifiedRefusal[] {
    return [...this.#entries.slice(this.#next), ...this.#entries.slice(0, this.#next)].reverse();
  }

  counts(): ReadonlyMap<Reason, number> {
    return this.#counts;
  }
}
