// A clock that stands still until a test moves it.
import type { Clock } from '../../src/base/ports/clock.ts';

/** Both clocks move together, by whole seconds, only when told to. */
export class FrozenClock implements Clock {
  #seconds: number;

  constructor(seconds = 1_790_000_000) {
    this.#seconds = seconds;
  }

  advance(seconds: number): void {
    this.#seconds += seconds;
  }

  nowSeconds(): number {
    return this.#seconds;
  }

  nowMs(): number {
    return this.#seconds * 1000;
  }

  monotonicMs(): number {
    return this.#seconds * 1000;
  }
}
