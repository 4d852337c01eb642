// Copies of databases that are being written to: whole, or none.
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/fakes/sqlite-engine.ts';
import { grantedRecord, grantOf, inTurn, sessionOf } from '../conformance/fixtures.ts';
import { copySqlite } from './backup.ts';
import { openSqliteIssuer, openSqliteSts } from './open.ts';

let folder: string;
let path: string;
let copy: string;
beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, 'sts.db');
  copy = join(folder, 'copy.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

const names = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

/** A database with one grant. */
async function withGrant(at: string, name: string): Promise<void> {
  const store = await openSqliteSts({ path: at });
  await store.grant(grantOf(name));
  await store.close();
}

describe('a copy', () => {
  test('holds what was committed before it, whole, while the server goes on granting', async () => {
    const store = await openSqliteSts({ path });
    await Promise.all(names(0, 200).map((name) => store.grant(grantOf(name))));
    let granting = true;
    const load = (async () => {
      for (let next = 200; granting; next += 1) await store.grant(grantOf(String(next)));
      return undefined;
    })();
    await copySqlite('sts', path, copy);
    granting = false;
    await load;
    await store.close();
    const copied = await openSqliteSts({ path: copy });
    await inTurn(names(0, 200), async (name) => {
      expect(await copied.findSession(`S${name}`)).toStrictEqual(sessionOf(name));
      expect(await copied.findDecisions(`D${name}`)).toContainEqual(grantedRecord(name));
    });
    await copied.close();
  });

  test('is its owner’s alone', async () => {
    await withGrant(path, '1');
    await copySqlite('sts', path, copy);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
  });

  test('is not made of another server’s database, of a damaged one, or of none', async () => {
    await (await openSqliteIssuer({ path })).close();
    await expect(copySqlite('sts', path, copy)).rejects.toMatchObject({ code: 'ERR_STORE_SCHEMA' });
    const damaged = join(folder, 'damaged.db');
    writeFileSync(damaged, Buffer.alloc(8192, 'no database'), { mode: 0o600 });
    await expect(copySqlite('sts', damaged, copy)).rejects.toMatchObject({ code: 'ERR_STORE_CORRUPT' });
    await expect(copySqlite('sts', join(folder, 'none.db'), copy)).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    });
    expect(existsSync(join(folder, 'none.db'))).toBe(false);
  });
});
