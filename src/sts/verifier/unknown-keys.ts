// How often an issuer is asked for its keys because a token names one that is not among them: at once for keys that are new, bounded for
// invented ones.
import type { MonotonicMs } from '../../base/core/time.ts';
import { TokenBuckets } from '../../base/limit/token-buckets.ts';

/** An emergency revoke may follow a rotation, and a second one that: three at once. A flood of invented ids costs an issuer three a minute. */
export const UNKNOWN_KEY_FETCHES = { burst: 3, perSecond: 1 / 20 } as const;
/** The answer may come from a replica of the issuer that is behind: the same id is looked for again this much later. */
export const SAME_KEY_AGAIN_MS = 2000;
/** After that no oftener than this: tokens of a key that was revoked must not use up what a new key needs. */
export const SAME_KEY_MS = 60_000;
/** Until then a search is remembered; the next one for that key is its second still. */
const REMEMBERED_MS = 2 * SAME_KEY_MS;

interface Search {
  readonly at: MonotonicMs;
  waitMs: number;
}

const keyOf = (issuer: string, kid: string | undefined): string => JSON.stringify([issuer, kid ?? null]);

/** What was looked for lately, in memory that the number of fetches bounds. */
export class UnknownKeys {
  readonly #buckets = new TokenBuckets(UNKNOWN_KEY_FETCHES);
  /** By issuer and key id, the oldest first. */
  readonly #searches = new Map<string, Search>();

  /** Whether the issuer may be asked for the key now; if so, the asking is counted. `kid`: undefined where the token names none. */
  mayAsk(issuer: string, kid: string | undefined, now: MonotonicMs): boolean {
    const key = keyOf(issuer, kid);
    const last = this.#searches.get(key);
    if (last !== undefined && now - last.at < last.waitMs) return false;
    if (this.#buckets.isExhausted(issuer, now)) return false;
    this.#forget(now);
    const isFirst = !this.#searches.delete(key);
    this.#searches.set(key, { at: now, waitMs: isFirst ? SAME_KEY_AGAIN_MS : SAME_KEY_MS });
    return true;
  }

  /** The issuer did not answer, so nothing is known of the key: it may be looked for again soon. What the asking cost stays counted. */
  unanswered(issuer: string, kid: string | undefined): void {
    const search = this.#searches.get(keyOf(issuer, kid));
    if (search !== undefined) search.waitMs = SAME_KEY_AGAIN_MS;
  }

  #forget(now: MonotonicMs): void {
    for (const [key, { at }] of this.#searches) {
      if (now - at < REMEMBERED_MS) return;
      this.#searches.delete(key);
    }
  }
}
