import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closureOf, findCycles } from './graph.ts';

const needs = (record: Record<string, readonly string[]>) => new Map(Object.entries(record));

describe('cycles', () => {
  it('are none in an order, nor with a need that does not exist', () => {
    expect(findCycles(needs({ a: [], b: ['a', 'ghost'], c: ['a', 'b'] }))).toEqual([]);
  });

  it.each([
    [{ a: ['a'] }, [['a', 'a']]],
    [{ a: ['b'], b: ['c'], c: ['a'], d: ['a'] }, [['a', 'b', 'c', 'a']]],
    [
      { before: ['a'], a: ['b'], b: ['a'], x: ['y'], y: ['x'] },
      [
        ['a', 'b', 'a'],
        ['x', 'y', 'x'],
      ],
    ],
  ])('of %j are all shown', (record, cycles) => {
    expect(findCycles(needs(record))).toEqual(cycles);
  });

  it('are found exactly when there is no order', () => {
    const graph = fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e')),
    );
    fc.assert(
      fc.property(graph, (record) => {
        const map = needs(record);
        const reaches = (from: string): boolean =>
          [
            ...closureOf(
              map,
              (map.get(from) ?? []).filter((name) => map.has(name)),
            ),
          ].includes(from);
        expect(findCycles(map).length > 0).toBe([...map.keys()].some(reaches));
      }),
    );
  });
});

it('the chosen jobs bring what they need, and nothing else', () => {
  expect(closureOf(needs({ a: [], b: ['a'], c: ['b'], d: ['a'] }), ['c'])).toEqual(new Set(['c', 'b', 'a']));
});
