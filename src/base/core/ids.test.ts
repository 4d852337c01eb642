// Ids as people read them and as stores sort them.
import { expect, test } from 'vitest';
import { ID_RANDOM_BYTES, newId, newIdAt, shortId } from './ids.ts';

const ZEROS = new Uint8Array(ID_RANDOM_BYTES);
const ONES = new Uint8Array(ID_RANDOM_BYTES).fill(255);

test('an id is a letter and twelve characters, whatever it is led by', () => {
  for (const id of [newId('D', ONES), newIdAt('S', 1_800_000_000, ONES), newIdAt('D', 0, ZEROS)])
    expect(id).toMatch(/^[DS][0-9A-HJKMNP-TV-Z]{12}$/);
});

test('ids of later seconds come later in order, and only the last seven characters are random', () => {
  const before = newIdAt('D', 1_800_000_000, ONES);
  const after = newIdAt('D', 1_800_000_001, ZEROS);
  expect(before < after).toBe(true);
  expect(before.slice(0, 6)).toBe(newIdAt('D', 1_800_000_000, ZEROS).slice(0, 6));
  expect(before.slice(6)).toBe(newId('D', ONES).slice(6));
});

test('the short form tells ids of one second apart', () => {
  const random = new Uint8Array(ID_RANDOM_BYTES);
  random[5] = 1;
  expect(shortId(newIdAt('D', 7, random))).not.toBe(shortId(newIdAt('D', 7, ZEROS)));
});
