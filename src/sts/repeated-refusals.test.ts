import { expect, test } from 'vitest';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { REPEAT_WINDOW_MS, RepeatedRefusals } from './repeated-refusals.ts';

const clock = new FrozenClock(1_800_000_000);

test('counts each key by itself, and anew when the window is over', () => {
  const repeated = new RepeatedRefusals(clock);
  expect([repeated.count('a'), repeated.count('a'), repeated.count('b')]).toEqual([1, 2, 1]);
  clock.advanceMs(REPEAT_WINDOW_MS - 1);
  expect(repeated.count('a')).toBe(3);
  clock.advanceMs(1);
  expect([repeated.count('a'), repeated.count('b')]).toEqual([1, 1]);
});

test('remembers a bounded number of keys and forgets the one that was counted longest ago', () => {
  const repeated = new RepeatedRefusals(clock, 2);
  expect(['a', 'b', 'a', 'c', 'a', 'b'].map((key) => repeated.count(key))).toEqual([1, 1, 2, 1, 3, 1]);
});
