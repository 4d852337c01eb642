// How old the word of an issuer is, whatever happens to the clocks.
import { beforeEach, expect, test } from 'vitest';
import { FrozenClock } from '../../../test/fakes/frozen-clock.ts';
import { momentOf } from '../../base/ports/clock.ts';
import { FeedAges } from './feed-ages.ts';

const ISSUER = 'https://ci.example.com';
let clock: FrozenClock;
let ages: FeedAges;

beforeEach(() => {
  clock = new FrozenClock();
  ages = new FeedAges([ISSUER], clock);
  ages.heard(ISSUER, momentOf(clock));
});

const age = () => ages.agesFrom(ages.snapshot())[ISSUER];

test('an age counts the time in which the machine slept and its monotonic clock stood still', () => {
  clock.stepWallMs(11_000);
  expect([age(), ages.isFresh(ISSUER)]).toEqual([11_000, false]);
});

test('an age is not made younger by a wall clock that is set back, and never negative', () => {
  clock.advance(11);
  clock.stepWallMs(-60_000);
  expect([age(), ages.isFresh(ISSUER)]).toEqual([11_000, false]);
  const later = { monotonicMs: clock.monotonicMs() + 5, wallMs: clock.nowMs() + 5 };
  ages.heard(ISSUER, later);
  expect(age()).toBe(0);
});

test('only the newest poll counts, and only of an issuer with a feed', () => {
  const first = momentOf(clock);
  clock.advance(3);
  ages.heard(ISSUER, momentOf(clock));
  ages.heard(ISSUER, first);
  ages.heard('https://other.example.com', first);
  expect([age(), ages.isFresh('https://other.example.com')]).toEqual([0, false]);
});

test('forgetting is of everything that was heard, and of every answer to what was asked before', () => {
  const asked = momentOf(clock);
  clock.advanceMs(100);
  ages.heard(ISSUER, asked, ['x']);
  expect(ages.isFresh(ISSUER)).toBe(true);
  ages.forget();
  expect(ages.isFresh(ISSUER)).toBe(false);
  expect(ages.relyOn(ISSUER, 'x')).toBe(false);
  ages.heard(ISSUER, asked, ['x']);
  ages.heard(ISSUER, momentOf(clock), ['x']);
  expect(ages.isFresh(ISSUER)).toBe(false);
  clock.advanceMs(1);
  ages.heard(ISSUER, momentOf(clock), ['x']);
  expect(ages.isFresh(ISSUER)).toBe(true);
});
