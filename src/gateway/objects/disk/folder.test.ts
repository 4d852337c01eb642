import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { must, NO_ATTRIBUTES } from '../../../../test/conformance/objects/engine.ts';
import { type TemporaryDisk, temporaryDisk } from '../../../../test/fakes/disk-objects.ts';
import { contentOf } from '../../../../test/fakes/object-content.ts';
import type { ObjectRef, ObjectStore } from '../store.ts';

let disk: TemporaryDisk;
const open: ObjectStore[] = [];
const a = { bucket: 'alpha', key: 'a' };

beforeEach(() => {
  disk = temporaryDisk();
});

afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
  disk.remove();
});

async function opened() {
  const store = await disk.open();
  open.push(store);
  return store;
}

const put = (store: ObjectStore, object: ObjectRef, data: string) =>
  store.put(object, { content: contentOf(data), attributes: NO_ATTRIBUTES, signal: new AbortController().signal });

test('files and folders are their owner’s alone', async () => {
  const store = await opened();
  must(await put(store, a, 'x'));
  const entries = readdirSync(disk.folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const mode = statSync(join(entry.parentPath, entry.name)).mode & 0o777;
    expect([entry.name, mode]).toEqual([entry.name, entry.isDirectory() ? 0o700 : 0o600]);
  }
  expect(statSync(disk.folder).mode & 0o777).toBe(0o700);
  expect(entries.length).toBeGreaterThan(256);
});

test('no object name is a file name', async () => {
  const store = await opened();
  for (const key of ['../../escape', 'secret-project', '/etc/passwd']) {
    must(await put(store, { bucket: 'alpha', key }, 'x'));
  }
  expect(disk.blobs()).toHaveLength(3);
  for (const name of disk.blobs()) expect(name).toMatch(/^[0-9a-f]{32}$/);
});

test('a folder that others may write into is refused', async () => {
  mkdirSync(disk.folder);
  chmodSync(disk.folder, 0o777);
  await expect(disk.open()).rejects.toMatchObject({ code: 'ERR_STORE_PERMISSIONS' });
});

test('an index that others may read is refused', async () => {
  mkdirSync(disk.folder);
  writeFileSync(join(disk.folder, 'index.db'), '');
  chmodSync(join(disk.folder, 'index.db'), 0o640);
  await expect(disk.open()).rejects.toMatchObject({ code: 'ERR_STORE_PERMISSIONS' });
});

test('a second opening is refused while the first lasts, and says why', async () => {
  const store = await opened();
  await expect(disk.open()).rejects.toMatchObject({ code: 'ERR_STORE_LOCKED', hint: /one gateway at a time/ });
  must(await put(store, a, 'still mine'));
  await store.close();
  await opened();
});

test('another program’s database and a newer version’s index are refused and left alone', async () => {
  const path = join(disk.folder, 'index.db');
  await (await opened()).close();
  const raw = new DatabaseSync(path);
  raw.exec('PRAGMA user_version = 99');
  raw.close();
  await expect(disk.open()).rejects.toMatchObject({ code: 'ERR_STORE_SCHEMA' });
  const again = new DatabaseSync(path);
  again.exec('PRAGMA application_id = 1');
  again.close();
  await expect(disk.open()).rejects.toMatchObject({ code: 'ERR_STORE_SCHEMA' });
});

test('a file that is no database is refused', async () => {
  mkdirSync(disk.folder);
  writeFileSync(join(disk.folder, 'index.db'), 'not a database, and long enough to be told from one'.repeat(99), {
    mode: 0o600,
  });
  await expect(disk.open()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
});
