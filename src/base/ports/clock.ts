// The clocks, as a port. The adapter lives in app/.
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
