// One request's patience: spent by whatever it asks, one after the other or at once, and by nothing else.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { beginWait, PATIENCE_MS, withOnePatience, withPatienceForEach } from './patience.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

const pass = (ms: number): void => void vi.advanceTimersByTime(ms);

function waitFor(ms: number): void {
  const { end } = beginWait();
  pass(ms);
  end();
}

const left = (): number => {
  const { end, leftMs } = beginWait();
  end();
  return leftMs;
};

test('what a request asks one after the other takes its patience together, and nothing is left below zero', async () => {
  await withOnePatience(async () => {
    waitFor(1500);
    await Promise.resolve();
    expect(left()).toBe(PATIENCE_MS - 1500);
    waitFor(800);
    expect(left()).toBe(0);
  });
});

test('the time between its questions does not count', async () => {
  await withOnePatience(async () => {
    waitFor(100);
    pass(10_000);
    expect(left()).toBe(PATIENCE_MS - 100);
  });
});

test('questions at once count once', async () => {
  await withOnePatience(async () => {
    const [one, other] = [beginWait(), beginWait()];
    pass(300);
    one.end();
    pass(200);
    expect(left()).toBe(PATIENCE_MS - 500);
    other.end();
    expect(left()).toBe(PATIENCE_MS - 500);
  });
});

test('one request does not wait on account of another, nor does what no request asks', async () => {
  await Promise.all([
    withOnePatience(async () => waitFor(PATIENCE_MS)),
    withOnePatience(async () => expect(left()).toBe(PATIENCE_MS)),
  ]);
  waitFor(PATIENCE_MS);
  expect(left()).toBe(PATIENCE_MS);
});

test('what an answered request left running waits on its own account', async () => {
  const answered = Promise.withResolvers<void>();
  const rest = await withOnePatience(async () => {
    waitFor(PATIENCE_MS);
    return { left: answered.promise.then(left) };
  });
  answered.resolve();
  expect(await rest.left).toBe(PATIENCE_MS);
});

test('what must ask often waits for each question on its own account, and its request has its patience still', async () => {
  await withOnePatience(async () => {
    waitFor(1500);
    await withPatienceForEach(async () => {
      waitFor(PATIENCE_MS);
      expect(left()).toBe(PATIENCE_MS);
    });
    expect(left()).toBe(PATIENCE_MS - 1500);
  });
});
