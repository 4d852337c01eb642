// How fresh the STS's knowledge of each issuer's job ends is. Pollers report; the verifier and the gateway feed read.
import { MAX_STALENESS_MS } from '../../base/core/limits.ts';
import type { MonotonicMs } from '../../base/core/time.ts';
import type { Clock } from '../../base/ports/clock.ts';

/**
 * Ages by issuer. An age counts from when the answered poll was sent: the answer says nothing about what happened after
 * the issuer read its events, and that may have been as early as the moment the poll left.
 */
export class FeedAges {
  readonly #sentAt = new Map<string, MonotonicMs | null>();
  readonly #clock: Clock;

  constructor(issuersWithFeed: readonly string[], clock: Clock) {
    for (const issuer of issuersWithFeed) this.#sentAt.set(issuer, null);
    this.#clock = clock;
  }

  /** A poll sent at `sentAt` was answered with a verified nonce, and every end in it is durable. */
  heard(issuer: string, sentAt: MonotonicMs): void {
    const known = this.#sentAt.get(issuer);
    if (known === undefined) return;
    this.#sentAt.set(issuer, known === null ? sentAt : Math.max(known, sentAt));
  }

  /** When the newest answered poll of each issuer was sent, to be aged later by `agesFrom`. */
  snapshot(): ReadonlyMap<string, MonotonicMs | null> {
    return new Map(this.#sentAt);
  }

  /** The ages now of what `snapshot` saw, in whole milliseconds rounded up. Null: never heard from. */
  agesFrom(snapshot: ReadonlyMap<string, MonotonicMs | null>): Readonly<Record<string, number | null>> {
    const now = this.#clock.monotonicMs();
    return Object.fromEntries([...snapshot].map(([issuer, at]) => [issuer, at === null ? null : Math.ceil(now - at)]));
  }

  /** Whether silence of this issuer's feed may be taken for "the job still runs". */
  isFresh(issuer: string): boolean {
    const at = this.#sentAt.get(issuer);
    return at !== undefined && at !== null && this.#clock.monotonicMs() - at <= MAX_STALENESS_MS;
  }
}
