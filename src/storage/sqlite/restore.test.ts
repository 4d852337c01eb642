// One database put in place of another: whole, or nothing happened.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/fakes/sqlite-engine.ts';
import { grantOf } from '../conformance/fixtures.ts';
import { copySqlite } from './backup.ts';
import { openSqliteSts } from './open.ts';
import { markSqliteRestored, replaceSqlite } from './restore.ts';

let folder: string;
let path: string;
let copy: string;
beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, 'sts.db');
  copy = join(folder, 'copy.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A database with one grant. */
async function withGrant(at: string, name: string): Promise<void> {
  const store = await openSqliteSts({ path: at });
  await store.grant(grantOf(name));
  await store.close();
}

/** Which of the grants a database knows. */
async function known(at: string, of: readonly string[]): Promise<readonly string[]> {
  const store = await openSqliteSts({ path: at });
  const found = await Promise.all(of.map(async (name) => (await store.findSession(`S${name}`)) !== undefined));
  await store.close();
  return of.filter((_, index) => found[index]);
}

describe('putting a copy in place', () => {
  const aside = (): string => join(folder, 'aside.db');

  test('keeps the database that was there, with all that it held', async () => {
    await withGrant(path, '1');
    await copySqlite('sts', path, copy);
    await withGrant(path, '2');
    replaceSqlite({ path, by: copy, aside: aside() });
    expect(await known(path, ['1', '2'])).toEqual(['1']);
    expect(await known(aside(), ['1', '2'])).toEqual(['1', '2']);
    expect(readdirSync(folder).toSorted()).toEqual(['aside.db', 'sts.db']);
  });

  test('is refused while a server has the database open, and changes nothing', async () => {
    const store = await openSqliteSts({ path });
    await store.grant(grantOf('1'));
    await withGrant(copy, '2');
    expect(() => replaceSqlite({ path, by: copy, aside: aside() })).toThrow(
      expect.objectContaining({ code: 'ERR_STORE_IN_USE' }),
    );
    expect(existsSync(aside())).toBe(false);
    expect(await store.grant(grantOf('3'))).toBe('granted');
    await store.close();
    expect(await known(path, ['1', '2', '3'])).toEqual(['1', '3']);
  });

  test('works where none was', async () => {
    await withGrant(copy, '1');
    replaceSqlite({ path, by: copy, aside: aside() });
    expect(await known(path, ['1'])).toEqual(['1']);
  });

  test('takes the place of a damaged one, whose log is not taken for the new one’s', async () => {
    writeFileSync(path, Buffer.alloc(8192, 'no database'), { mode: 0o600 });
    writeFileSync(`${path}-wal`, Buffer.alloc(8192, 'a log of another life'), { mode: 0o600 });
    await withGrant(copy, '2');
    replaceSqlite({ path, by: copy, aside: aside() });
    expect(existsSync(`${path}-wal`)).toBe(false);
    expect(await known(path, ['1', '2'])).toEqual(['2']);
    expect(readFileSync(aside()).subarray(0, 11).toString()).toBe('no database');
  });

  test('notes in the copy that it is one, whatever it is opened by', async () => {
    await withGrant(copy, '1');
    await markSqliteRestored('sts', copy);
    const store = await openSqliteSts({ path: copy });
    expect(await store.beginning()).toMatchObject({ isRestored: true });
    await store.close();
  });
});
