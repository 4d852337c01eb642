// Conformance: ranges (RFC 9110 §14) and conditional requests (RFC 9110 §13).
import { describe, expect } from 'vitest';
import type { ByteRange } from '../../../src/gateway/objects/store.ts';
import { LASTING } from '../../fakes/object-content.ts';
import { expectProblem, must, type ObjectEngine, requirements } from './engine.ts';

const DIGITS = '0123456789';

const SATISFIABLE: readonly (readonly [name: string, range: ByteRange, first: number, last: number])[] = [
  ['first and last', { first: 2, last: 4 }, 2, 4],
  ['one byte', { first: 9, last: 9 }, 9, 9],
  ['a last beyond the end', { first: 7, last: 700 }, 7, 9],
  ['an open end', { first: 3, last: null }, 3, 9],
  ['a suffix', { suffix: 3 }, 7, 9],
  ['a suffix longer than the object', { suffix: 30 }, 0, 9],
];

const UNSATISFIABLE: readonly (readonly [name: string, range: ByteRange])[] = [
  ['a first at the end', { first: 10, last: null }],
  ['a first beyond the end', { first: 11, last: 12 }],
  ['an empty suffix', { suffix: 0 }],
];

export function rangeRequirements(engine: ObjectEngine): void {
  const requirement = requirements(engine);
  describe('ranges', () => {
    for (const [name, range, first, last] of SATISFIABLE) {
      requirement(`${name} gives exactly its bytes`, async (bench) => {
        await bench.put('a', DIGITS);
        const opened = must(await bench.tryGet('a', range));
        expect(opened.range).toEqual({ first, last });
        expect(opened.info.size).toBe(10);
        opened.body.destroy();
        expect(await bench.read('a', range)).toBe(DIGITS.slice(first, last + 1));
      });
    }

    for (const [name, range] of UNSATISFIABLE) {
      requirement(`${name} is unsatisfiable, and the size is told`, async (bench) => {
        await bench.put('a', DIGITS);
        const refused = await bench.tryGet('a', range);
        expectProblem(refused, 'range_unsatisfiable');
        expect(refused.ok ? undefined : refused.error.current?.size).toBe(10);
      });
    }

    requirement('no range of an empty object is satisfiable', async (bench) => {
      await bench.put('a', '');
      expectProblem(await bench.tryGet('a', { first: 0, last: null }), 'range_unsatisfiable');
      expectProblem(await bench.tryGet('a', { suffix: 5 }), 'range_unsatisfiable');
    });
  });
}

const YEAR_MS = 365 * 24 * 3600 * 1000;

export function conditionRequirements(engine: ObjectEngine): void {
  const requirement = requirements(engine);

  describe('conditional reads', () => {
    requirement('If-Match wants one of its ETags', async (bench) => {
      const { etag } = await bench.put('a', 'x');
      must(await bench.store.head(bench.named('a'), { ifMatch: ['other', etag] }));
      must(await bench.store.head(bench.named('a'), { ifMatch: '*' }));
      expectProblem(await bench.store.head(bench.named('a'), { ifMatch: ['other'] }), 'precondition_failed');
      expectProblem(await bench.tryGet('a', undefined, { ifMatch: ['other'] }), 'precondition_failed');
    });

    requirement('If-None-Match spares a caller what it has, and says what stands there', async (bench) => {
      const info = await bench.put('a', 'x');
      must(await bench.tryGet('a', undefined, { ifNoneMatch: ['other'] })).body.destroy();
      const spared = await bench.tryGet('a', undefined, { ifNoneMatch: ['other', info.etag] });
      expectProblem(spared, 'not_modified');
      expect(spared.ok ? undefined : spared.error.current?.etag).toBe(info.etag);
      expectProblem(await bench.store.head(bench.named('a'), { ifNoneMatch: '*' }), 'not_modified');
    });

    requirement('dates are compared in whole seconds', async (bench) => {
      const { modifiedAt } = await bench.put('a', 'x');
      const second = Math.floor(modifiedAt / 1000) * 1000;
      const head = (conditions: object) => bench.store.head(bench.named('a'), conditions);
      expectProblem(await head({ ifModifiedSince: second }), 'not_modified');
      must(await head({ ifModifiedSince: second - 1000 }));
      must(await head({ ifUnmodifiedSince: second }));
      expectProblem(await head({ ifUnmodifiedSince: second - 1000 }), 'precondition_failed');
    });

    requirement('an ETag outranks a date (RFC 9110 §13.2.2)', async (bench) => {
      const { etag, modifiedAt } = await bench.put('a', 'x');
      const head = (conditions: object) => bench.store.head(bench.named('a'), conditions);
      must(await head({ ifMatch: [etag], ifUnmodifiedSince: modifiedAt - YEAR_MS }));
      must(await head({ ifNoneMatch: ['other'], ifModifiedSince: modifiedAt + YEAR_MS }));
      expectProblem(await head({ ifNoneMatch: [etag], ifModifiedSince: modifiedAt - YEAR_MS }), 'not_modified');
      expectProblem(await head({ ifMatch: ['other'], ifNoneMatch: [etag] }), 'precondition_failed');
    });
  });

  describe('conditional writes', () => {
    requirement('If-None-Match: * makes an object and never replaces one', async (bench) => {
      must(await bench.tryPut('lock', 'mine', { ifNoneMatch: '*' }));
      expectProblem(await bench.tryPut('lock', 'yours', { ifNoneMatch: '*' }), 'precondition_failed');
      expect(await bench.read('lock')).toBe('mine');
    });

    requirement('of many writers of one lock exactly one wins', async (bench) => {
      const tries = Array.from({ length: 8 }, (_, index) => bench.tryPut('lock', `${index}`, { ifNoneMatch: '*' }));
      const won = (await Promise.all(tries)).map((result) => result.ok);
      expect(won.filter((first) => first)).toHaveLength(1);
      expect(await bench.read('lock')).toBe(`${won.indexOf(true)}`);
    });

    requirement('If-Match replaces what the caller knows and nothing else', async (bench) => {
      const { etag } = await bench.put('a', 'one');
      must(await bench.tryPut('a', 'two', { ifMatch: [etag] }));
      expectProblem(await bench.tryPut('a', 'three', { ifMatch: [etag] }), 'precondition_failed');
      expectProblem(await bench.tryPut('b', 'x', { ifMatch: [etag] }), 'key_unknown');
      expect(await bench.read('a')).toBe('two');
    });

    requirement('a conditional delete heeds its condition', async (bench) => {
      const { etag } = await bench.put('a', 'one');
      const deleting = (tag: string) =>
        bench.store.delete(bench.named('a'), { ...LASTING, conditions: { ifMatch: [tag] } });
      expectProblem(await deleting('other'), 'precondition_failed');
      expect(await bench.read('a')).toBe('one');
      must(await deleting(etag));
      expect(await bench.keys()).toEqual([]);
    });
  });

  if (engine.has.generations) generationRequirements(engine);
}

function generationRequirements(engine: ObjectEngine): void {
  const requirement = requirements(engine);
  describe('generations', () => {
    requirement('a generation grows with every write, deletions in between included', async (bench) => {
      const first = await bench.put('a', 'one');
      const second = await bench.put('a', 'one');
      await bench.store.delete(bench.named('a'), LASTING);
      const third = await bench.put('a', 'one');
      expect(second.generation).toBeGreaterThan(first.generation);
      expect(third.generation).toBeGreaterThan(second.generation);
    });

    requirement('a write may name the generation it replaces; 0 is none', async (bench) => {
      const { generation } = must(await bench.tryPut('a', 'one', { ifGenerationMatch: 0 }));
      expectProblem(await bench.tryPut('a', 'two', { ifGenerationMatch: 0 }), 'precondition_failed');
      expectProblem(await bench.tryPut('a', 'two', { ifGenerationMatch: generation + 1 }), 'precondition_failed');
      must(await bench.tryPut('a', 'two', { ifGenerationMatch: generation }));
      expectProblem(await bench.tryPut('b', 'x', { ifGenerationMatch: generation }), 'precondition_failed');
      expectProblem(await bench.store.head(bench.named('a'), { ifGenerationMatch: generation }), 'precondition_failed');
      expect(await bench.read('a')).toBe('two');
    });
  });
}
