// A disk that fails, by injected file operations: nothing is stored, the old object is intact, nothing is left behind.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectProblem, must, NO_ATTRIBUTES } from '../../../../test/conformance/objects/engine.ts';
import { type TemporaryDisk, temporaryDisk } from '../../../../test/fakes/disk-objects.ts';
import { bytesOf, contentOf, LASTING, md5, patterned } from '../../../../test/fakes/object-content.ts';
import { type FileOperations, nodeFiles } from './file-operations.ts';
import type { DiskStore } from './open.ts';

type Operation = keyof FileOperations;

/** Node's file operations, of which one fails while it is told to. */
function failing() {
  let broken: Operation | undefined;
  const fail = async (operation: Operation): Promise<void> => {
    if (broken === operation) throw Object.assign(new Error(`ENOSPC: ${operation}`), { code: 'ENOSPC' });
  };
  const files: FileOperations = {
    open: (path, flags, mode) => fail('open').then(() => nodeFiles.open(path, flags, mode)),
    sizeOf: (fd) => fail('sizeOf').then(() => nodeFiles.sizeOf(fd)),
    read: (fd, target, position) => fail('read').then(() => nodeFiles.read(fd, target, position)),
    write: (fd, chunks) => fail('write').then(() => nodeFiles.write(fd, chunks)),
    sync: (fd) => fail('sync').then(() => nodeFiles.sync(fd)),
    // A close that fails has still closed.
    close: (fd) => nodeFiles.close(fd).then(() => fail('close')),
    remove: (path) => fail('remove').then(() => nodeFiles.remove(path)),
  };
  return {
    files,
    while: async <T>(operation: Operation, work: () => Promise<T>): Promise<T> => {
      broken = operation;
      try {
        return await work();
      } finally {
        broken = undefined;
      }
    },
  };
}

const a = { bucket: 'alpha', key: 'a' };
const { signal } = new AbortController();
const big = patterned(5_000_000);

let disk: TemporaryDisk;
let fault: ReturnType<typeof failing>;
let store: DiskStore;

beforeEach(async () => {
  disk = temporaryDisk();
  fault = failing();
  store = await disk.open({ files: fault.files, limits: { minPartBytes: 1 } });
});

afterEach(async () => {
  await store.close();
  disk.remove();
});

const put = (data: Uint8Array | string) =>
  store.put(a, { content: contentOf(data), attributes: NO_ATTRIBUTES, signal });

const read = async () => (await bytesOf(must(await store.get(a, { signal })).body)).toString();

describe.each<Operation>(['open', 'write', 'sync', 'close'])('a failing %s', (operation) => {
  test.each([
    ['small', Buffer.from('new')],
    ['large', big],
  ])('refuses a %s object and keeps the old one', async (_, data) => {
    must(await put('old'));
    expectProblem(await fault.while(operation, () => put(data)), 'storage_unavailable');
    expect(await read()).toBe('old');
    must(await put(data));
    await store.close();
    expect(disk.blobs()).toHaveLength(1);
  });

  test('refuses a part and keeps the old one', async () => {
    const options = { attributes: NO_ATTRIBUTES, checksumAlgorithm: null };
    const upload = { ...a, uploadId: must(await store.createUpload(a, options)).uploadId };
    const part = (data: string) => store.putPart(upload, 1, { content: contentOf(data), signal });
    must(await part('old'));
    expectProblem(await fault.while(operation, () => part('new')), 'storage_unavailable');
    must(await store.completeUpload(upload, { ...LASTING, parts: [{ part: 1, etag: md5('old') }] }));
    expect(await read()).toBe('old');
    await store.close();
    expect(disk.blobs()).toHaveLength(1);
  });
});

test.each<Operation>(['open', 'sizeOf'])('a failing %s refuses a read before it began', async (operation) => {
  must(await put('old'));
  expectProblem(await fault.while(operation, () => store.get(a, { signal })), 'storage_unavailable');
  expect(await read()).toBe('old');
});

test('a failing read breaks a download off', async () => {
  must(await put(big));
  const { body } = must(await store.get(a, { signal }));
  await expect(fault.while('read', () => bytesOf(body))).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
});

test('a blob that cannot be removed costs nobody anything: the next start removes it', async () => {
  must(await put('old'));
  await fault.while('remove', async () => {
    must(await put('new'));
    await new Promise((resolve) => setImmediate(resolve));
  });
  await store.close();
  expect(disk.blobs()).toHaveLength(2);
  expect(disk.log.lines).toContainEqual(expect.objectContaining({ level: 'warn' }));
  store = await disk.open();
  expect(disk.blobs()).toHaveLength(1);
  expect(await read()).toBe('new');
});

test('short writes are continued to the last byte', async () => {
  await store.close();
  const stingy: FileOperations = {
    ...nodeFiles,
    write: (fd, [first = Buffer.alloc(0)]) => nodeFiles.write(fd, [first.subarray(0, 30_011)]),
  };
  store = await disk.open({ files: stingy });
  expect(must(await put(big)).etag).toBe(md5(big));
  expect(md5(await bytesOf(must(await store.get(a, { signal })).body))).toBe(md5(big));
});
