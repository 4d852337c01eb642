// A clock that runs as the machine's does, and that a test can push forward.
import type { Clock } from '../../src/base/ports/clock.ts';

export class MovingClock implements Clock {
  #aheadMs = 0;

  push(ms: number): void {
    this.#aheadMs += ms;
  }

  nowSeconds(): number {
    return Math.floor(this.nowMs() / 1000);
  }

  nowMs(): number {
    return Date.now() + this.#aheadMs;
  }

  monotonicMs(): number {
    return performance.now() + this.#aheadMs;
  }
}
