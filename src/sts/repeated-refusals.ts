// How often the same token was refused for the same reason of late, so that one authentic token cannot fill the audit store.
// It stores no refusal and decides on none.
import type { MonotonicMs } from '../base/core/time.ts';
import type { Clock } from '../base/ports/clock.ts';

/** A person who tries again, and a job's retries, stay below this; their refusals are all durable. */
export const MAX_DURABLE_REPEATS = 20;
/** The count begins again this long after the first refusal that it counted. */
export const REPEAT_WINDOW_MS = 10 * 60_000;
/** Tokens and reasons remembered at once: under a megabyte. The one that was refused longest ago is forgotten first. */
const MAX_REMEMBERED = 4096;

interface Count {
  readonly since: MonotonicMs;
  refusals: number;
}

/** Counts refusals by what they are of. */
export class RepeatedRefusals {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #maxRemembered: number;
  /** The least recently counted first. */
  readonly #counts = new Map<string, Count>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, maxRemembered: number = MAX_REMEMBERED) {
    this.#clock = clock;
    this.#maxRemembered = maxRemembered;
  }

  /** Counts one more refusal under `key` and says how many there were within the window, this one included. */
  count(key: string): number {
    const now = this.#clock.monotonicMs();
    const known = this.#counts.get(key);
    const isCurrent = known !== undefined && now - known.since < REPEAT_WINDOW_MS;
    const count = isCurrent ? known : { since: now, refusals: 0 };
    count.refusals += 1;
    this.#counts.delete(key);
    this.#counts.set(key, count);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > this.#maxRemembered && oldest !== undefined) this.#counts.delete(oldest);
    return count.refusals;
  }
}
