// What the object load writes: every version of every key has bytes of its own, which anyone can make again.
import { patterned } from '../fakes/object-content.ts';

/** Keys that are written at once. */
export const KEYS = ['one', 'two', 'deep/three', 'four', 'five', 'six'];

/** From nothing up to a few batches of the writer, so that a kill meets every stage. */
const SIZES = [0, 1, 900, 70_000, 1_300_000, 2_500_000];

/** The bytes of one version. */
export const dataOf = (key: string, version: number): Buffer =>
  patterned(SIZES[(version + KEYS.indexOf(key)) % SIZES.length] ?? 0, version * 7 + key.length);

/** Three parts, some perhaps empty. */
export function partsOf(data: Buffer): readonly Buffer[] {
  const third = Math.ceil(data.length / 3);
  return [data.subarray(0, third), data.subarray(third, 2 * third), data.subarray(2 * third)];
}
