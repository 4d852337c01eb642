// What a token bucket promises: never more than its rate to anybody, never less to whoever keeps to it, and bounded memory.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { propertyRuns } from '../../../test/fakes/property-runs.ts';
import { type Rate, TokenBuckets } from './token-buckets.ts';

const rates = fc.record({ perSecond: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 20 }) });
const requests = fc.array(
  fc.record({ name: fc.integer({ min: 0, max: 12 }), afterMs: fc.integer({ min: 0, max: 400 }) }),
  {
    minLength: 1,
    maxLength: 120,
  },
);

/** When requests of each name passed, in milliseconds. */
function passed(rate: Rate, asked: readonly { name: number; afterMs: number }[], maxBuckets: number) {
  const buckets = new TokenBuckets(rate, maxBuckets);
  const times = new Map<number, number[]>();
  let now = 0;
  let largest = 0;
  for (const { name, afterMs } of asked) {
    now += afterMs;
    if (!buckets.isExhausted(String(name), now)) times.set(name, [...(times.get(name) ?? []), now]);
    largest = Math.max(largest, buckets.size);
  }
  return { times, largest };
}

/** Between any two moments no more than the burst and what has come since. */
function isWithin({ burst, perSecond }: Rate, times: readonly number[]): boolean {
  return times.every((from, first) =>
    times.slice(first).every((until, more) => more + 1 <= burst + ((until - from) / 1000) * perSecond + 1e-6),
  );
}

test('nobody ever gets more than the burst and the rate, however few buckets there is room for', () => {
  fc.assert(
    fc.property(rates, requests, fc.integer({ min: 1, max: 6 }), (rate, asked, room) => {
      const { largest, times } = passed(rate, asked, room);
      expect(largest).toBeLessThanOrEqual(room);
      for (const own of times.values()) expect(isWithin(rate, own)).toBe(true);
    }),
    { numRuns: propertyRuns() },
  );
});

test('with room for all, each name has what it would have alone', () => {
  fc.assert(
    fc.property(rates, requests, (rate, asked) => {
      const { times } = passed(rate, asked, 100);
      for (const name of new Set(asked.map((one) => one.name))) {
        let skipped = 0;
        const alone = asked.flatMap((one) => {
          skipped += one.afterMs;
          if (one.name !== name) return [];
          const afterMs = skipped;
          skipped = 0;
          return [{ name, afterMs }];
        });
        expect(times.get(name) ?? []).toEqual(passed(rate, alone, 1).times.get(name) ?? []);
      }
    }),
    { numRuns: propertyRuns() },
  );
});

describe('a full table', () => {
  const rate = { perSecond: 1, burst: 2 };

  test('limits newcomers together, and lifts nobody’s limit', () => {
    const buckets = new TokenBuckets(rate, 2);
    for (const name of ['a', 'a', 'b', 'b']) expect(buckets.isExhausted(name, 0)).toBe(false);
    expect(['c', 'd', 'e'].map((name) => buckets.isExhausted(name, 0))).toEqual([false, false, true]);
    expect(['a', 'b'].map((name) => buckets.isExhausted(name, 0))).toEqual([true, true]);
    expect(buckets.size).toBe(2);
  });

  test('has room again when somebody’s bucket is as good as new', () => {
    const buckets = new TokenBuckets(rate, 1);
    buckets.isExhausted('a', 0);
    expect(buckets.isExhausted('b', 1000)).toBe(false);
    expect(buckets.isExhausted('b', 1000)).toBe(false);
    expect(buckets.isExhausted('b', 1000)).toBe(true);
  });
});

test('a clock that goes back gives nothing', () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1 });
  expect(buckets.isExhausted('a', 5000)).toBe(false);
  for (const now of [1000, 4000, 5000, 5900]) expect(buckets.isExhausted('a', now)).toBe(true);
  expect(buckets.isExhausted('a', 6000)).toBe(false);
});
