// A clock that stands still until a test moves it.
import type { Clock } from '../../src/base/ports/clock.ts';

/** Time passes on both clocks together; only stepWallMs moves them apart. */
export class FrozenClock implements Clock {
  #wallMs: number;
  #monotonicMs: number;

  constructor(seconds = 1_790_000_000) {
    this.#wallMs = seconds * 1000;
    this.#monotonicMs = seconds * 1000;
  }

  advance(seconds: number): void {
    this.advanceMs(seconds * 1000);
  }

  advanceMs(ms: number): void {
    this.#wallMs += ms;
    this.#monotonicMs += ms;
  }

  /** Someone sets the wall clock. */
  stepWallMs(ms: number): void {
    this.#wallMs += ms;
  }

  nowSeconds(): number {
    return Math.floor(this.#wallMs / 1000);
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }
}
