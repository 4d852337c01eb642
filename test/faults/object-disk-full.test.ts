// A disk that is really full: a small file system in memory. Needs the right to mount one.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DiskStore } from '../../src/gateway/objects/disk/open.ts';
import { expectProblem, must, NO_ATTRIBUTES } from '../conformance/objects/engine.ts';
import { type TemporaryDisk, temporaryDisk } from '../fakes/disk-objects.ts';
import { bytesOf, contentOf, LASTING, md5, patterned } from '../fakes/object-content.ts';

const MEBIBYTE = 1024 * 1024;
const mountPoint = mkdtempSync(join(tmpdir(), 'jobpass-full-'));
const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', mountPoint]).status === 0;
if (!isMounted) console.warn('test/faults: no right to mount a file system: skipped a disk that is really full');

let disk: TemporaryDisk;
let store: DiskStore;
const { signal } = new AbortController();

beforeAll(async () => {
  if (!isMounted) return;
  disk = temporaryDisk(mountPoint);
  store = await disk.open();
});

afterAll(async () => {
  if (isMounted) {
    await store.close();
    disk.remove();
    spawnSync('umount', [mountPoint]);
  }
  rmSync(mountPoint, { recursive: true });
});

const put = (key: string, data: Uint8Array) =>
  store.put({ bucket: 'alpha', key }, { content: contentOf(data), attributes: NO_ATTRIBUTES, signal });

const digest = async (key: string) =>
  md5(await bytesOf(must(await store.get({ bucket: 'alpha', key }, { signal })).body));

test.skipIf(!isMounted)('a full disk refuses, keeps what was there, and works again when there is room', async () => {
  const old = patterned(6 * MEBIBYTE, 1);
  must(await put('a', old));
  // Each attempt fills the disk to its last byte; each leaves it as it was.
  for (let attempt = 0; attempt < 5; attempt += 1) {
    expectProblem(await put('a', patterned(12 * MEBIBYTE, 2)), 'storage_unavailable');
    expect(await digest('a')).toBe(md5(old));
  }
  must(await put('b', patterned(4 * MEBIBYTE, 3)));
  must(await store.delete({ bucket: 'alpha', key: 'a' }, LASTING));
  must(await put('c', patterned(9 * MEBIBYTE, 4)));
});

test.skipIf(!isMounted)('an index that cannot grow refuses, and every object that was answered is whole', async () => {
  const answered: string[] = [];
  // Attributes go into the index alone: it is what fills the disk here.
  const attributes = { metadata: { note: 'x'.repeat(1900) } };
  for (let count = 0; count < 20_000; count += 1) {
    const key = `small/${count}`;
    const result = await store.put({ bucket: 'beta', key }, { content: contentOf(''), attributes, signal });
    if (!result.ok) {
      expectProblem(result, 'storage_unavailable');
      break;
    }
    answered.push(key);
  }
  expect(answered.length).toBeLessThan(20_000);
  must(await store.head({ bucket: 'beta', key: answered.at(-1) ?? '' }));
  await store.close();
  store = await disk.open();
  for (const key of [answered.at(0), answered.at(-1)]) must(await store.head({ bucket: 'beta', key: key ?? '' }));
  expectProblem(await store.head({ bucket: 'beta', key: `small/${answered.length}` }), 'key_unknown');
});
