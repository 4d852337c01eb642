// The head start of the look at what an end ends.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { headStart } from './end-answer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('an end waits for the look at what it ends, but not for long', async () => {
  const looking = Promise.withResolvers<void>();
  const settled = vi.fn();
  const waiting = headStart(looking.promise).then(settled);
  await vi.advanceTimersByTimeAsync(199);
  expect(settled).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  await waiting;
  expect(settled).toHaveBeenCalledWith(false);
});

test('a look that is over lets the end go at once, and leaves no timer behind', async () => {
  expect(await headStart(Promise.resolve())).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});
