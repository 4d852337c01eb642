// The clocks, as a port, and ages by them. The adapter lives in app/.
import type { EpochMs, EpochSeconds, MonotonicMs } from '../core/time.ts';

/** Wall clock and monotonic clock. */
export interface Clock {
  /** Wall clock in whole seconds, rounded down. */
  nowSeconds(): EpochSeconds;
  /** Wall clock in milliseconds. */
  nowMs(): EpochMs;
  /** Never goes back; for ages and deadlines inside one process. */
  monotonicMs(): MonotonicMs;
}

/** One moment on both clocks, for ages that must not come out too young. */
export interface Moment {
  readonly monotonicMs: MonotonicMs;
  readonly wallMs: EpochMs;
}

export const momentOf = (clock: Clock): Moment => ({ monotonicMs: clock.monotonicMs(), wallMs: clock.nowMs() });

/**
 * Milliseconds since `moment` by the clock that counted more of them, never negative: a monotonic clock may stand still while
 * the machine sleeps (CLOCK_MONOTONIC), and a wall clock may be set back.
 */
export const elapsedMs = (clock: Clock, moment: Moment): number =>
  Math.max(0, clock.monotonicMs() - moment.monotonicMs, clock.nowMs() - moment.wallMs);
