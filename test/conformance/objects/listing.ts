// Conformance: listings.
import { describe, expect } from 'vitest';
import type { ListOptions } from '../../../src/gateway/objects/store.ts';
import { type Bench, must, type ObjectEngine, requirements } from './engine.ts';

const list = async (bench: Bench, o: Partial<ListOptions> = {}) => {
  const asked = { prefix: '', delimiter: null, after: '', limit: 1000, ...o };
  const { objects, ...rest } = must(await bench.store.list(bench.bucket, asked));
  return { ...rest, keys: objects.map((info) => info.key) };
};

const putAll = async (bench: Bench, keys: readonly string[]) => {
  for (const key of keys) await bench.put(key, key);
};

/** Pages through a listing as a client does, and gives back all entries in the order in which they came. */
async function pages(bench: Bench, o: Partial<ListOptions>): Promise<readonly string[]> {
  const entries: string[] = [];
  for (let after = ''; ; ) {
    const page = await list(bench, { ...o, after });
    entries.push(...[...page.keys, ...page.prefixes].sort());
    if (!page.isTruncated) return entries;
    expect(page.keys.length + page.prefixes.length).toBe(o.limit);
    expect(page.next).not.toBeNull();
    after = page.next ?? '';
  }
}

const TREE = ['a', 'a/1', 'a/2', 'a/b/3', 'ab', 'b/1', 'c', 'c/'];

export function listRequirements(engine: ObjectEngine): void {
  const requirement = requirements(engine);
  describe('listings', () => {
    requirement('an empty bucket lists nothing', async (bench) => {
      expect(await list(bench)).toEqual({ keys: [], prefixes: [], isTruncated: false, next: null });
    });

    requirement('a listing tells what head tells', async (bench) => {
      await bench.put('a', 'content');
      const all = { prefix: '', delimiter: null, after: '', limit: 1000 };
      const [listed] = must(await bench.store.list(bench.bucket, all)).objects;
      const { key, size, etag } = must(await bench.store.head(bench.named('a')));
      expect(listed).toMatchObject({ key, size, etag });
    });

    requirement('keys come in the order of their UTF-8 bytes, not of UTF-16 units', async (bench) => {
      // U+FF5E sorts before U+1F600 in UTF-8 and after it in UTF-16.
      await putAll(bench, ['😀', '～', 'z', 'é', 'Z']);
      expect((await list(bench)).keys).toEqual(['Z', 'z', 'é', '～', '😀']);
    });

    requirement('a prefix selects by its bytes', async (bench) => {
      await putAll(bench, TREE);
      expect((await list(bench, { prefix: 'a' })).keys).toEqual(['a', 'a/1', 'a/2', 'a/b/3', 'ab']);
      expect((await list(bench, { prefix: 'a/' })).keys).toEqual(['a/1', 'a/2', 'a/b/3']);
      expect((await list(bench, { prefix: 'nothing' })).keys).toEqual([]);
      await putAll(bench, ['%', '_x', '%y']);
      expect((await list(bench, { prefix: '%' })).keys).toEqual(['%', '%y']);
    });

    requirement('a delimiter rolls up what lies below it', async (bench) => {
      await putAll(bench, TREE);
      expect(await list(bench, { delimiter: '/' })).toMatchObject({
        keys: ['a', 'ab', 'c'],
        prefixes: ['a/', 'b/', 'c/'],
      });
      expect(await list(bench, { delimiter: '/', prefix: 'a/' })).toMatchObject({
        keys: ['a/1', 'a/2'],
        prefixes: ['a/b/'],
      });
      expect(await list(bench, { delimiter: '/', prefix: 'a' })).toMatchObject({ keys: ['a', 'ab'], prefixes: ['a/'] });
      expect(await list(bench, { delimiter: '/b/' })).toMatchObject({ prefixes: ['a/b/'] });
    });

    requirement('after is exclusive, and need not exist', async (bench) => {
      await putAll(bench, TREE);
      expect((await list(bench, { after: 'a/2' })).keys).toEqual(['a/b/3', 'ab', 'b/1', 'c', 'c/']);
      expect((await list(bench, { after: 'aa' })).keys).toEqual(['ab', 'b/1', 'c', 'c/']);
      expect((await list(bench, { after: 'zzz' })).keys).toEqual([]);
      expect((await list(bench, { prefix: 'b', after: 'a' })).keys).toEqual(['b/1']);
      expect((await list(bench, { prefix: 'a', after: 'b' })).keys).toEqual([]);
    });

    requirement('a common prefix that is not after `after` is not told again', async (bench) => {
      await putAll(bench, TREE);
      expect(await list(bench, { delimiter: '/', after: 'a/' })).toMatchObject({
        keys: ['ab', 'c'],
        prefixes: ['b/', 'c/'],
      });
      expect(await list(bench, { delimiter: '/', after: 'a/1' })).toMatchObject({ prefixes: ['b/', 'c/'] });
      expect(await list(bench, { delimiter: '/', after: 'a' })).toMatchObject({ prefixes: ['a/', 'b/', 'c/'] });
    });

    for (const limit of [1, 2, 3, 100]) {
      requirement(`pages of ${limit} tell every entry once`, async (bench) => {
        await putAll(bench, TREE);
        expect(await pages(bench, { limit })).toEqual(TREE);
        expect(await pages(bench, { limit, delimiter: '/' })).toEqual(['a', 'a/', 'ab', 'b/', 'c', 'c/']);
        expect(await pages(bench, { limit, delimiter: '/', prefix: 'a/' })).toEqual(['a/1', 'a/2', 'a/b/']);
      });
    }

    requirement('a page that holds exactly the rest is not truncated', async (bench) => {
      await putAll(bench, ['a', 'b/1', 'b/2']);
      expect(await list(bench, { limit: 2, delimiter: '/' })).toMatchObject({ isTruncated: false, next: null });
      expect(await list(bench, { limit: 3 })).toMatchObject({ isTruncated: false, next: null });
    });

    requirement('a limit of 0 answers nothing and is not truncated', async (bench) => {
      await putAll(bench, ['a']);
      expect(await list(bench, { limit: 0 })).toEqual({ keys: [], prefixes: [], isTruncated: false, next: null });
    });
  });
}
