// How fresh the STS's knowledge of each issuer's job ends is. Pollers report; the verifier and the gateway feed read.
import { MAX_STALENESS_MS } from '../../base/core/limits.ts';
import { type Clock, elapsedMs, type Moment } from '../../base/ports/clock.ts';

/**
 * Ages by issuer. An age counts from when the answered poll was sent: the answer says nothing about what happened after
 * the issuer read its events, and that may have been as early as the moment the poll left.
 */
export class FeedAges {
  readonly #sentAt = new Map<string, Moment | null>();
  readonly #covered = new Map<string, readonly string[]>();
  readonly #reliedOn = new Map<string, Set<string>>();
  readonly #clock: Clock;
  /** What was asked by then counts no more. */
  #forgottenAt = Number.NEGATIVE_INFINITY;

  constructor(issuersWithFeed: readonly string[], clock: Clock) {
    for (const issuer of issuersWithFeed) this.#sentAt.set(issuer, null);
    this.#clock = clock;
  }

  /**
   * A poll sent at `sentAt` was answered with a verified nonce, and every end in it is durable. `audiences` are those under
   * which the issuer tells of jobs.
   */
  heard(issuer: string, sentAt: Moment, audiences: readonly string[] = []): void {
    const known = this.#sentAt.get(issuer);
    if (known === undefined || !(sentAt.monotonicMs > this.#forgottenAt)) return;
    this.#covered.set(issuer, audiences);
    if (known === null || sentAt.monotonicMs >= known.monotonicMs) this.#sentAt.set(issuer, sentAt);
  }

  /**
   * Forgets what was heard of every issuer, and ignores answers to polls that are under way: they were asked for another store,
   * which may have known more.
   */
  forget(): void {
    this.#forgottenAt = this.#clock.monotonicMs();
    for (const issuer of this.#sentAt.keys()) this.#sentAt.set(issuer, null);
    this.#covered.clear();
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

  /**
   * Whether the issuer, when it was last heard, told of jobs under this audience, which is none of its registration's. If so,
   * sessions count on it from now on, and `reliedOn` lists it.
   */
  relyOn(issuer: string, audience: string): boolean {
    if (this.#covered.get(issuer)?.includes(audience) !== true) return false;
    this.#reliedOn.set(issuer, (this.#reliedOn.get(issuer) ?? new Set()).add(audience));
    return true;
  }

  /** The audiences besides the registration's without which the issuer's silence would prove nothing any more. */
  reliedOn(issuer: string): Iterable<string> {
    return this.#reliedOn.get(issuer) ?? [];
  }

  /** Whether silence of this issuer's feed may be taken for "the job still runs". */
  isFresh(issuer: string): boolean {
    const at = this.#sentAt.get(issuer);
    return at !== undefined && at !== null && elapsedMs(this.#clock, at) <= MAX_STALENESS_MS;
  }
}
