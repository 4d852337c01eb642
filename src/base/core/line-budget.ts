// How many lines of the log anybody at all may cause. It writes nothing itself.
import type { MonotonicMs } from './time.ts';

/** More of these lines in a minute are counted, not written: anyone can cause them. */
const MAX_LINES_A_MINUTE = 20;
const MINUTE_MS = 60_000;

/** Bounds the lines about callers whom nobody has verified, so that a stranger cannot fill the log. */
export class LineBudget {
  #minuteStartedAt = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #unwritten = 0;

  /**
   * Undefined: the line is counted and must not be written. Else the fields to write with it, which say how many were
   * left out since the last one.
   */
  take(now: MonotonicMs): { readonly unwritten_before?: number } | undefined {
    if (now - this.#minuteStartedAt >= MINUTE_MS) {
      this.#minuteStartedAt = now;
      this.#lines = 0;
    }
    this.#lines += 1;
    if (this.#lines > MAX_LINES_A_MINUTE) {
      this.#unwritten += 1;
      return undefined;
    }
    const count = this.#unwritten;
    this.#unwritten = 0;
    return count === 0 ? {} : { unwritten_before: count };
  }
}
