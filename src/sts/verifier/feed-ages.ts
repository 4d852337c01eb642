// How fresh the STS's knowledge of each issuer's job ends is. Pollers report; the verifier and the gateway feed read.
import { MAX_STALENESS_MS } from '../../base/core/limits.ts';
import { type Clock, elapsedMs, type Moment } from '../../base/ports/clock.ts';

/**
 * Ages by issuer. An age counts from when the answered poll was sent: the answer says nothing about what happened after
 * the issuer read its events, and that may have been as early as the moment the poll left.
 */
export class FeedAges {
  readonly #sentAt = new Map<string, Moment | null>();
  readonly #clock: Clock;

  constructor(issuersWithFeed: readonly string[], clock: Clock) {
    for (const issuer of issuersWithFeed) this.#sentAt.set(issuer, null);
    this.#clock = clock;
  }

  /** A poll sent at `sentAt` was answered with a verified nonce, and every end in it is durable. */
  heard(issuer: string, sentAt: Moment): void {
    const known = this.#sentAt.get(issuer);
    if (known === undefined) return;
    if (known === null || sentAt.monotonicMs >= known.monotonicMs) this.#sentAt.set(issuer, sentAt);
  }

  /** When the newest answered poll of each issuer was sent, to be aged later by `agesFrom`. */
  snapshot(): ReadonlyMap<string, Moment | null> {
    return new Map(this.#sentAt);
  }

  /** The ages now of what `snapshot` saw, in whole milliseconds rounded up. Null: never heard from. */
  agesFrom(snapshot: ReadonlyMap<string, Moment | null>): Readonly<Record<string, number | null>> {
    const age = (at: Moment | null): number | null => (at === null ? null : Math.ceil(elapsedMs(this.#clock, at)));
    return Object.fromEntries([...snapshot].map(([issuer, at]) => [issuer, age(at)]));
  }

  /** Whether silence of this issuer's feed may be taken for "the job still runs". */
  isFresh(issuer: string): boolean {
    const at = this.#sentAt.get(issuer);
    return at !== undefined && at !== null && elapsedMs(this.#clock, at) <= MAX_STALENESS_MS;
  }
}
