// Gives the thread back now and then during long work, so that requests go on being answered.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../base/ports/clock.ts';

/** Work between two breaths; with what a step may overrun it stays well below the 20 ms that a reload may hold up requests. */
const SLICE_MS = 2;

/** A function that waits for the next turn of the event loop when the last one is 2 ms ago, and else returns at once. */
export function breathing(clock: Clock): () => Promise<void> | undefined {
  let last = clock.monotonicMs();
  return () => {
    if (clock.monotonicMs() - last < SLICE_MS) return undefined;
    return nextTurn().then(() => {
      last = clock.monotonicMs();
    });
  };
}
