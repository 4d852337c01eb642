// Notices when somebody sets the wall clock. It corrects nothing: the store's high-water mark refuses what a clock set back would grant.
import { type Clock, type Moment, momentOf } from '../../base/ports/clock.ts';

/** Below this it is drift and scheduling. */
const STEP_MS = 1000;

/** Compares the wall clock with the monotonic one between two looks. */
export class ClockWatch {
  readonly #clock: Clock;
  #last: Moment;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#last = momentOf(clock);
  }

  /** By how much the wall clock was set since the last look, in milliseconds; 0: it was not. */
  look(): number {
    const now = momentOf(this.#clock);
    const step = now.wallMs - this.#last.wallMs - (now.monotonicMs - this.#last.monotonicMs);
    this.#last = now;
    return Math.abs(step) > STEP_MS ? step : 0;
  }
}
