import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { expectProblem, must, NO_ATTRIBUTES } from '../../../../test/conformance/objects/engine.ts';
import { type TemporaryDisk, temporaryDisk } from '../../../../test/fakes/disk-objects.ts';
import { bytesOf, contentOf, LASTING } from '../../../../test/fakes/object-content.ts';
import type { DiskStore } from './open.ts';

let disk: TemporaryDisk;
let store: DiskStore;
const { signal } = new AbortController();

/** An index that refuses one object: what a full disk does to a commit, without a disk to fill. */
beforeEach(async () => {
  disk = temporaryDisk();
  await (await disk.open()).close();
  const raw = new DatabaseSync(join(disk.folder, 'index.db'));
  raw.exec(`CREATE TRIGGER refuse BEFORE INSERT ON object WHEN new.size = 13
    BEGIN SELECT RAISE(ABORT, 'refused by a test'); END`);
  raw.close();
  store = await disk.open();
});

afterEach(async () => {
  await store.close();
  disk.remove();
});

const put = (key: string, data: string) =>
  store.put({ bucket: 'alpha', key }, { content: contentOf(data), attributes: NO_ATTRIBUTES, signal });

const read = async (key: string) =>
  (await bytesOf(must(await store.get({ bucket: 'alpha', key }, { signal })).body)).toString();

test('a commit that fails leaves the old object, with its attributes and its blob', async () => {
  must(await put('a', 'old'));
  expectProblem(await put('a', 'thirteen char'), 'storage_unavailable');
  expect(await read('a')).toBe('old');
});

test('the blob of a failed commit stays until a later commit took its place in the log', async () => {
  expectProblem(await put('a', 'thirteen char'), 'storage_unavailable');
  expect(disk.blobs()).toHaveLength(1);
  must(await put('a', 'good'));
  await store.close();
  expect(disk.blobs()).toHaveLength(1);
  store = await disk.open();
  expect(await read('a')).toBe('good');
});

test('a write that the index refuses does not cost those that share its commit', async () => {
  const objects = Array.from({ length: 10 }, (_, index) => ({
    key: `k${index}`,
    data: index === 5 ? 'thirteen char' : 'x',
  }));
  const results = await Promise.all(objects.map(({ key, data }) => put(key, data)));
  expect(results.map((result) => result.ok)).toEqual(objects.map(({ data }) => data === 'x'));
  for (const { key, data } of objects) if (data === 'x') expect(await read(key)).toBe('x');
});

test('what the index counts for a bucket is the sum of its objects', async () => {
  must(await put('a', '12345'));
  must(await put('b', '123'));
  must(await put('a', '1'));
  expectProblem(await put('b', 'thirteen char'), 'storage_unavailable');
  must(
    await store.copy({
      source: { bucket: 'alpha', key: 'b' },
      target: { bucket: 'alpha', key: 'c' },
      attributes: null,
      signal,
    }),
  );
  must(await store.delete({ bucket: 'alpha', key: 'b' }, LASTING));
  await store.close();
  const raw = new DatabaseSync(join(disk.folder, 'index.db'), { readOnly: true });
  expect(raw.prepare("SELECT bytes FROM bucket WHERE name = 'alpha'").get()?.bytes).toBe(1 + 3);
  raw.close();
});
