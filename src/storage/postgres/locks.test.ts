import { describe, expect, test } from 'vitest';
import { exclusive, LockSet, ordered, shared } from './locks.ts';

const setOf = (...locks: ReturnType<typeof shared>[]): LockSet => {
  const set = new LockSet();
  set.add(locks);
  return set;
};

describe('locks', () => {
  test('that are shared go together, in one transaction and in two', () => {
    expect(setOf(shared('job', 'J1')).admits([shared('job', 'J1')])).toBe(true);
    expect(setOf(shared('job', 'J1')).isApartFrom([shared('job', 'J1')])).toBe(true);
  });

  test.each([
    [exclusive('job', 'J1'), shared('job', 'J1')],
    [shared('job', 'J1'), exclusive('job', 'J1')],
    [exclusive('job', 'J1'), exclusive('job', 'J1')],
  ])('that exclude each other never go together: %j, %j', (held, asked) => {
    expect(setOf(held).admits([asked])).toBe(false);
    expect(setOf(held).isApartFrom([shared('other'), asked])).toBe(false);
  });

  test('that order keep other transactions out, and let writes of one follow each other', () => {
    expect(setOf(ordered('ends')).admits([ordered('ends')])).toBe(true);
    expect(setOf(ordered('ends')).isApartFrom([ordered('ends')])).toBe(false);
    expect(setOf(ordered('ends')).admits([shared('ends')])).toBe(false);
  });

  test('on other things, or on things whose parts only look alike, know nothing of each other', () => {
    expect(
      setOf(exclusive('job', 'a', 'b')).admits([
        exclusive('job', 'a,b'),
        exclusive('job', 'ab'),
        exclusive('use', 'a', 'b'),
      ]),
    ).toBe(true);
  });

  test('become keys in one order for everybody, each thing once, the stronger way', () => {
    const one = setOf(shared('a'), exclusive('b'), ordered('c')).keys('s');
    const other = setOf(ordered('c'), exclusive('b'), shared('a'), shared('a')).keys('s');
    expect(other).toEqual(one);
    expect(one.keys.map(BigInt)).toEqual(one.keys.map(BigInt).toSorted((a, b) => (a < b ? -1 : 1)));
    expect(one.areExclusive.filter(Boolean)).toHaveLength(2);
    expect(setOf(shared('a')).keys('another').keys).not.toEqual(setOf(shared('a')).keys('s').keys);
  });
});
