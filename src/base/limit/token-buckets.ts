// Token buckets, one for each name, in bounded memory. It knows no clock and refuses nothing: it says who must wait.
import type { MonotonicMs } from '../core/time.ts';

/** `perSecond` for ever, and as much as `burst` at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Some hundred bytes each, so a few megabytes when somebody fills them. */
const MAX_BUCKETS = 16_384;

interface Bucket {
  tokens: number;
  at: MonotonicMs;
}

/**
 * The buckets of one kind. A bucket is forgotten only once it is full again, when it is the same as none; so forgetting never
 * gives anybody more than the rate. While there is no room, all names without a bucket share one: whoever fills the table from
 * many addresses holds up newcomers, and lifts no limit.
 */
export class TokenBuckets {
  readonly #rate: Rate;
  readonly #maxBuckets: number;
  /** The least recently asked for first. */
  readonly #buckets = new Map<string, Bucket>();
  readonly #shared: Bucket;
  /** Last in the order already: one caller who asks again and again must not have the table built anew. */
  #newest: string | undefined;

  constructor(rate: Rate, maxBuckets: number = MAX_BUCKETS) {
    this.#rate = rate;
    this.#maxBuckets = maxBuckets;
    this.#shared = { tokens: rate.burst, at: 0 };
  }

  /** Takes one token of `name` if there is one. True: the bucket is empty, and nothing was taken. */
  isExhausted(name: string, now: MonotonicMs): boolean {
    const bucket = this.#bucketOf(name, now);
    bucket.tokens = this.#level(bucket, now);
    bucket.at = Math.max(bucket.at, now);
    if (bucket.tokens < 1) return true;
    bucket.tokens -= 1;
    return false;
  }

  /** How many names have a bucket of their own, for measuring. */
  get size(): number {
    return this.#buckets.size;
  }

  #bucketOf(name: string, now: MonotonicMs): Bucket {
    const known = this.#buckets.get(name);
    if (known !== undefined && name === this.#newest) return known;
    if (known === undefined && !this.#hasRoom(now)) return this.#shared;
    // No fuller than the shared one: a name that has just drawn on that must not begin anew.
    const bucket = known ?? { tokens: this.#level(this.#shared, now), at: now };
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    this.#newest = name;
    return bucket;
  }

  #hasRoom(now: MonotonicMs): boolean {
    if (this.#buckets.size < this.#maxBuckets) return true;
    for (const [name, bucket] of this.#buckets) {
      // Whoever was asked for least recently is full first, or at most `burst / perSecond` later.
      if (this.#level(bucket, now) < this.#rate.burst) return false;
      this.#buckets.delete(name);
      return true;
    }
    return false;
  }

  #level({ at, tokens }: Bucket, now: MonotonicMs): number {
    return Math.min(this.#rate.burst, tokens + (Math.max(0, now - at) / 1000) * this.#rate.perSecond);
  }
}
