// Conformance: copies.
import { describe, expect } from 'vitest';
import type { Conditions, CopyOptions } from '../../../src/gateway/objects/store.ts';
import { LASTING } from '../../fakes/object-content.ts';
import { type Bench, expectProblem, must, type ObjectEngine, requirements } from './engine.ts';

const copy = (bench: Bench, from: string, to: string, more: Partial<CopyOptions> = {}) =>
  bench.store.copy({
    source: bench.named(from),
    target: bench.named(to),
    attributes: null,
    signal: bench.signal,
    ...more,
  });

export function copyRequirements(engine: ObjectEngine): void {
  const requirement = requirements(engine);
  describe('copies', () => {
    requirement('a copy has the bytes and attributes of its source, and a life of its own', async (bench) => {
      const source = await bench.put('a', 'content', { contentType: 'text/plain', metadata: { k: 'v' } });
      const made = must(await copy(bench, 'a', 'b'));
      expect(made).toMatchObject({
        key: 'b',
        size: 7,
        etag: source.etag,
        contentType: 'text/plain',
        metadata: { k: 'v' },
      });
      await bench.put('a', 'changed');
      expect(await bench.read('b')).toBe('content');
      await bench.store.delete(bench.named('b'), LASTING);
      expect(await bench.read('a')).toBe('changed');
    });

    requirement('a copy outlives its source and its own copies', async (bench) => {
      await bench.put('a', 'content');
      must(await copy(bench, 'a', 'b'));
      must(await copy(bench, 'b', 'c'));
      await bench.store.delete(bench.named('a'), LASTING);
      await bench.store.delete(bench.named('c'), LASTING);
      expect(await bench.read('b')).toBe('content');
    });

    requirement('a copy may go to another bucket and get other attributes', async (bench) => {
      await bench.put('a', 'content', { contentType: 'text/plain', metadata: { k: 'v' } });
      const target = { bucket: bench.otherBucket, key: 'z' };
      const attributes = { cacheControl: 'no-store', metadata: {} };
      const made = must(await copy(bench, 'a', 'b', { target, attributes }));
      expect(made).toMatchObject({ key: 'z', cacheControl: 'no-store', metadata: {} });
      expect(made.contentType).toBeUndefined();
      expect(must(await bench.store.head(target)).size).toBe(7);
    });

    requirement('an object copied onto itself keeps its bytes under new attributes', async (bench) => {
      await bench.put('a', 'content', { contentType: 'text/plain', metadata: {} });
      must(await copy(bench, 'a', 'a', { attributes: { contentType: 'text/html', metadata: {} } }));
      expect(await bench.read('a')).toBe('content');
      expect(must(await bench.store.head(bench.named('a'))).contentType).toBe('text/html');
    });

    requirement('a copy of nothing is refused, and its target stays', async (bench) => {
      await bench.put('b', 'old');
      expectProblem(await copy(bench, 'a', 'b'), 'key_unknown');
      expectProblem(await copy(bench, 'b', 'b', { source: { bucket: 'no-such-bucket', key: 'b' } }), 'bucket_unknown');
      expectProblem(await copy(bench, 'b', 'b', { target: { bucket: 'no-such-bucket', key: 'b' } }), 'bucket_unknown');
      expect(await bench.read('b')).toBe('old');
    });

    requirement('conditions on source and target are heeded', async (bench) => {
      const { etag } = await bench.put('a', 'content');
      await bench.put('b', 'old');
      const refusals: readonly Partial<CopyOptions>[] = [
        { sourceConditions: { ifMatch: ['other'] } },
        { sourceConditions: { ifNoneMatch: [etag] } },
        { conditions: { ifNoneMatch: '*' } satisfies Conditions },
        { conditions: { ifMatch: ['other'] } },
      ];
      for (const more of refusals) expectProblem(await copy(bench, 'a', 'b', more), 'precondition_failed');
      expect(await bench.read('b')).toBe('old');
      must(await copy(bench, 'a', 'b', { sourceConditions: { ifMatch: [etag] } }));
      expect(await bench.read('b')).toBe('content');
    });
  });
}
