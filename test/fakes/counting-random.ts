// Randomness that a test can foresee: every draw is different, and the same in every run.
import { createHash } from 'node:crypto';
import type { Random } from '../../src/base/ports/random.ts';

export class CountingRandom implements Random {
  readonly #series: number;
  #draws = 0;

  constructor(series = 0) {
    this.#series = series;
  }

  bytes(length: number): Uint8Array {
    this.#draws += 1;
    const digest = createHash('sha512').update(`${this.#series}/${this.#draws}`).digest();
    return new Uint8Array(digest.subarray(0, length));
  }
}
