import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { expect, test } from 'vitest';
import { openStsStorage } from './storage.ts';

const loaded = (name: string): boolean =>
  Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes(join('node_modules', name) + sep));

test('a server on SQLite does not load the driver of PostgreSQL, one on PostgreSQL does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'jobpass-storage-'));
  const store = await openStsStorage({ kind: 'sqlite', path: join(folder, 'sts.db') });
  expect(loaded('pg')).toBe(false);
  await store.close();
  rmSync(folder, { recursive: true });
  // Nobody listens there.
  const location = { host: '127.0.0.1', port: 1, user: 'a', password: null, database: 'b', tls: null };
  await expect(openStsStorage({ kind: 'postgres', location })).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
  expect(loaded('pg')).toBe(true);
});
