import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectProblem, must, NO_ATTRIBUTES } from '../../../../test/conformance/objects/engine.ts';
import { type TemporaryDisk, temporaryDisk } from '../../../../test/fakes/disk-objects.ts';
import { bytesOf, contentOf, hangingAfter, LASTING, md5, patterned } from '../../../../test/fakes/object-content.ts';
import type { Content, ObjectStore } from '../store.ts';

let disk: TemporaryDisk;
const open: ObjectStore[] = [];
const { signal } = new AbortController();
const a = { bucket: 'alpha', key: 'a' };
const b = { bucket: 'alpha', key: 'b' };

beforeEach(() => {
  disk = temporaryDisk();
});

afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
  disk.remove();
});

async function opened(more: Parameters<TemporaryDisk['open']>[0] = {}) {
  const store = await disk.open(more);
  open.push(store);
  return store;
}

const put = (store: ObjectStore, object: typeof a, content: Content) =>
  store.put(object, { content, attributes: NO_ATTRIBUTES, signal });

const upload = async (store: ObjectStore, key = 'a') => {
  const object = { bucket: 'alpha', key };
  const made = await store.createUpload(object, { attributes: NO_ATTRIBUTES, checksumAlgorithm: null });
  return { ...object, uploadId: must(made).uploadId };
};

describe('what stays and what goes', () => {
  test('everything is there after a restart: objects, uploads, parts, creation times', async () => {
    const store = await opened({ limits: { minPartBytes: 1 } });
    const info = must(await put(store, a, contentOf(patterned(2_000_000))));
    const started = await upload(store, 'b');
    must(await store.putPart(started, 1, { content: contentOf('part'), signal }));
    const buckets = must(await store.buckets());
    await store.close();
    disk.clock.advance(60);
    const again = await opened();
    expect(must(await again.head(a))).toStrictEqual(info);
    expect(md5(await bytesOf(must(await again.get(a, { signal })).body))).toBe(info.etag);
    expect(must(await again.buckets())).toEqual(buckets);
    must(await again.completeUpload(started, { ...LASTING, parts: [{ part: 1, etag: md5('part') }] }));
  });

  test('blobs that nothing refers to are removed at the start, and nothing else is', async () => {
    const store = await opened();
    must(await put(store, a, contentOf('kept')));
    await store.close();
    const orphan = 'ab'.repeat(16);
    writeFileSync(join(disk.folder, 'blobs', 'a', 'b', orphan), 'half an upload');
    writeFileSync(join(disk.folder, 'blobs', 'a', 'b', 'README'), 'not ours');
    const again = await opened();
    expect(disk.blobs()).not.toContain(orphan);
    expect(disk.blobs()).toContain('README');
    expect((await bytesOf(must(await again.get(a, { signal })).body)).toString()).toBe('kept');
    expect(disk.log.lines).toContainEqual(expect.objectContaining({ level: 'info', fields: { orphans: 1 } }));
  });

  test('a replaced, a deleted and a refused object leave no blob behind', async () => {
    const store = await opened();
    must(await put(store, a, contentOf('one')));
    must(await put(store, a, contentOf('two')));
    must(await put(store, b, contentOf('three')));
    must(await store.delete(b, LASTING));
    const refused = {
      content: contentOf('four'),
      attributes: NO_ATTRIBUTES,
      conditions: { ifNoneMatch: '*' },
      signal,
    } as const;
    expectProblem(await store.put(a, refused), 'precondition_failed');
    await store.close();
    expect(disk.blobs()).toHaveLength(1);
  });

  test('a copy shares the blob, which stays until its last object goes', async () => {
    const store = await opened();
    must(await put(store, a, contentOf('shared')));
    must(await store.copy({ source: a, target: b, attributes: null, signal }));
    expect(disk.blobs()).toHaveLength(1);
    must(await store.delete(a, LASTING));
    expect((await bytesOf(must(await store.get(b, { signal })).body)).toString()).toBe('shared');
    must(await store.delete(b, LASTING));
    await store.close();
    expect(disk.blobs()).toEqual([]);
  });

  test('completing moves no byte, and drops what was not named', async () => {
    const store = await opened({ limits: { minPartBytes: 1 } });
    const started = await upload(store);
    for (const part of [1, 2, 3]) must(await store.putPart(started, part, { content: contentOf(`${part}`), signal }));
    const before = disk.blobs().toSorted();
    const named = [1, 3].map((part) => ({ part, etag: md5(`${part}`) }));
    must(await store.completeUpload(started, { ...LASTING, parts: named }));
    await store.close();
    expect(before).toHaveLength(3);
    expect(disk.blobs()).toHaveLength(2);
    for (const blob of disk.blobs()) expect(before).toContain(blob);
  });

  test('the blob of a reader outlives its object, and goes with the reader', async () => {
    const store = await opened();
    must(await put(store, a, contentOf(patterned(3_000_000))));
    const { body } = must(await store.get(a, { signal }));
    must(await store.delete(a, LASTING));
    expect(disk.blobs()).toHaveLength(1);
    expect(await bytesOf(body)).toHaveLength(3_000_000);
    await store.close();
    expect(disk.blobs()).toEqual([]);
  });

  test('uploads that nothing was added to for a week are removed; each part counts anew', async () => {
    const store = await opened();
    const idle = await upload(store, 'a');
    const busy = await upload(store, 'b');
    must(await store.putPart(idle, 1, { content: contentOf('x'), signal }));
    disk.clock.advance(4 * 24 * 3600);
    must(await store.putPart(busy, 1, { content: contentOf('y'), signal }));
    expect(await store.removeAbandonedUploads()).toBe(0);
    disk.clock.advance(4 * 24 * 3600);
    expect(await store.removeAbandonedUploads()).toBe(1);
    expectProblem(await store.listParts(idle, { after: 0, limit: 10 }), 'upload_unknown');
    must(await store.listParts(busy, { after: 0, limit: 10 }));
    await store.close();
    expect(disk.blobs()).toHaveLength(1);
  });

  test('closing ends transfers both ways, and later calls are refused', async () => {
    const store = await opened();
    must(await put(store, a, contentOf(patterned(9_000_000))));
    const reading = bytesOf(must(await store.get(a, { signal })).body);
    const writing = put(store, b, hangingAfter('first').content);
    const expected = expect(reading).rejects.toThrow('closes');
    await store.close();
    await expected;
    expectProblem(await writing, 'aborted');
    expectProblem(await store.head(a), 'storage_unavailable');
    expect(disk.blobs()).toHaveLength(1);
  });

  test('a key beyond the bounds is a fault of the program, not an answer', async () => {
    const store = await opened();
    for (const key of ['', 'x'.repeat(1025), 'é'.repeat(513), 'a\0b', '\ud800']) {
      await expect(store.head({ bucket: 'alpha', key })).rejects.toMatchObject({ code: 'ERR_OBJECT_KEY' });
    }
    must(await put(store, { bucket: 'alpha', key: 'é'.repeat(512) }, contentOf('x')));
  });
});

describe('quotas', () => {
  const buckets = [
    { name: 'alpha', quotaBytes: 100 },
    { name: 'beta', quotaBytes: null },
  ];

  test('objects, parts and copies count, and what is replaced or deleted no longer does', async () => {
    const store = await opened({ buckets });
    must(await put(store, a, contentOf('x'.repeat(60))));
    expectProblem(await put(store, b, contentOf('x'.repeat(41))), 'quota_exceeded');
    expectProblem(await store.copy({ source: a, target: b, attributes: null, signal }), 'quota_exceeded');
    must(await put(store, a, contentOf('x'.repeat(100))));
    const started = await upload(store);
    const part = (length: number) => ({ content: contentOf('x'.repeat(length)), signal });
    expectProblem(await store.putPart(started, 1, part(1)), 'quota_exceeded');
    must(await store.delete(a, LASTING));
    must(await store.putPart(started, 1, part(80)));
    must(await store.putPart(started, 1, part(90)));
    expectProblem(await put(store, b, contentOf('x'.repeat(11))), 'quota_exceeded');
    must(await store.completeUpload(started, { ...LASTING, parts: [{ part: 1, etag: md5('x'.repeat(90)) }] }));
    must(await put(store, b, contentOf('x'.repeat(10))));
    expectProblem(await put(store, { bucket: 'alpha', key: 'c' }, contentOf('x')), 'quota_exceeded');
    must(await put(store, { bucket: 'beta', key: 'c' }, contentOf('x'.repeat(1000))));
  });

  test('a body of unannounced length is refused where it exceeds, and leaves nothing', async () => {
    const store = await opened({ buckets });
    expectProblem(await put(store, a, { ...contentOf('x'.repeat(101)), size: null }), 'quota_exceeded');
    must(await put(store, a, { ...contentOf('x'.repeat(100)), size: null }));
    await store.close();
    expect(disk.blobs()).toHaveLength(1);
  });

  test('uploads at once cannot exceed together', async () => {
    const store = await opened({ buckets });
    const { content, release } = hangingAfter('x'.repeat(59));
    const first = put(store, a, { ...content, size: 60 });
    expectProblem(await put(store, b, contentOf('x'.repeat(41))), 'quota_exceeded');
    must(await put(store, b, contentOf('x'.repeat(40))));
    release('x');
    must(await first);
    expectProblem(await put(store, { bucket: 'alpha', key: 'c' }, contentOf('x')), 'quota_exceeded');
  });

  test('an upload that was refused gives its room back', async () => {
    const store = await opened({ buckets });
    expectProblem(await put(store, a, { ...contentOf('short'), size: 100 }), 'payload_refused');
    must(await put(store, a, contentOf('x'.repeat(100))));
  });

  test('what comes in one piece is bounded, announced or not', async () => {
    const store = await opened({ limits: { maxPutBytes: 10 } });
    expectProblem(await put(store, a, contentOf('x'.repeat(11))), 'too_large');
    expectProblem(await put(store, a, { ...contentOf('x'.repeat(11)), size: null }), 'too_large');
    must(await put(store, a, contentOf('x'.repeat(10))));
  });
});

describe('damage', () => {
  test('a blob that is shorter than it was written is not served', async () => {
    const store = await opened();
    must(await put(store, a, contentOf('0123456789')));
    const [blob = ''] = disk.blobs();
    truncateSync(join(disk.folder, 'blobs', blob.slice(0, 1), blob.slice(1, 2), blob), 9);
    expectProblem(await store.get(a, { signal }), 'storage_unavailable');
    expectProblem(await store.get(a, { range: { first: 0, last: 1 }, signal }), 'storage_unavailable');
    expect(disk.log.lines).toContainEqual(expect.objectContaining({ level: 'error' }));
  });

  test('damage behind the first blob breaks the download off', async () => {
    const store = await opened({ limits: { minPartBytes: 1 } });
    const started = await upload(store);
    must(await store.putPart(started, 1, { content: contentOf('good'), signal }));
    const [first] = disk.blobs();
    must(await store.putPart(started, 2, { content: contentOf('bad!'), signal }));
    const named = ['good', 'bad!'].map((data, index) => ({ part: index + 1, etag: md5(data) }));
    must(await store.completeUpload(started, { ...LASTING, parts: named }));
    const blob = disk.blobs().find((name) => name !== first) ?? '';
    truncateSync(join(disk.folder, 'blobs', blob.slice(0, 1), blob.slice(1, 2), blob), 1);
    await expect(bytesOf(must(await store.get(a, { signal })).body)).rejects.toThrow('instead of 4');
  });
});
