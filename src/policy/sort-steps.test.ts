import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sortInSteps } from './sort-steps.ts';

function sorted<T>(entries: readonly T[], compare: (a: T, b: T) => number): { result: readonly T[]; steps: number } {
  const work = sortInSteps(entries, compare);
  for (let steps = 0; ; steps += 1) {
    const step = work.next();
    if (step.done === true) return { result: step.value, steps };
  }
}

it('gives what the language’s own sort gives, equal entries in the order they came', () => {
  const entry = fc.record({ key: fc.nat(5), id: fc.nat() });
  const compare = (a: { key: number }, b: { key: number }): number => a.key - b.key;
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 50 }), fc.nat(3), (entries, copies) => {
      const many = Array.from({ length: 60 * copies }, () => entries).flat();
      expect(sorted(many, compare).result).toEqual([...many].sort(compare));
    }),
    { numRuns: 100 },
  );
});

it('stops often enough that each part of the work is small', () => {
  const numbers = Array.from({ length: 50_000 }, (_, index) => (index * 7919) % 50_021);
  const { result, steps } = sorted(numbers, (a, b) => a - b);
  expect(result).toEqual([...numbers].sort((a, b) => a - b));
  expect(steps).toBeGreaterThan(50);
});
