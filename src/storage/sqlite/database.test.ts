import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/fakes/sqlite-engine.ts';
import { grantOf, jobOf, keyOf, refusedRecord, requestTokenOf } from '../conformance/fixtures.ts';
import { openDatabase } from './database.ts';
import type { Schema } from './migrate.ts';
import { ISSUER_SCHEMA } from './migrations/issuer.ts';
import { STS_SCHEMA } from './migrations/sts.ts';
import { openSqliteIssuer, openSqliteKeys, openSqliteSts } from './open.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, 'new', 'data', 'sts.db');
});

afterEach(() => rmSync(folder, { recursive: true }));

const modeOf = (file: string) => statSync(file).mode & 0o777;

/** Changes the file behind the program's back. */
function tamper(sql: string): void {
  const raw = new DatabaseSync(path);
  raw.exec(sql);
  raw.close();
}

async function makeDatabase(): Promise<void> {
  const store = await openSqliteSts({ path });
  await store.grant(grantOf('1'));
  await store.close();
}

describe('the file', () => {
  test('and its folders are made private, whatever the umask; so are the companions', async () => {
    const before = process.umask(0);
    try {
      const store = await openSqliteSts({ path });
      await store.grant(grantOf('1'));
      expect([path, `${path}-wal`, `${path}-shm`].map(modeOf)).toEqual([0o600, 0o600, 0o600]);
      expect([dirname(path), dirname(dirname(path))].map(modeOf)).toEqual([0o700, 0o700]);
      await store.close();
    } finally {
      process.umask(before);
    }
  });

  test.each([0o640, 0o604, 0o660, 0o602, 0o601])(
    'is refused when group or others may touch it (mode %o)',
    async (mode) => {
      await makeDatabase();
      chmodSync(path, mode);
      await expect(openSqliteSts({ path })).rejects.toMatchObject({
        code: 'ERR_STORE_PERMISSIONS',
        hint: `chmod 600 ${path}`,
      });
      chmodSync(path, 0o600);
      await (await openSqliteSts({ path })).close();
    },
  );

  test('is refused when its log is readable by others', async () => {
    await makeDatabase();
    writeFileSync(`${path}-wal`, '', { mode: 0o644 });
    chmodSync(`${path}-wal`, 0o644);
    await expect(openSqliteSts({ path })).rejects.toMatchObject({ code: 'ERR_STORE_PERMISSIONS' });
  });

  test('behind a link is judged by its own mode', async () => {
    await makeDatabase();
    chmodSync(path, 0o644);
    const link = join(folder, 'link.db');
    symlinkSync(path, link);
    await expect(openSqliteSts({ path: link })).rejects.toMatchObject({ code: 'ERR_STORE_PERMISSIONS' });
  });

  test('that is a folder, or below a file, is refused', async () => {
    mkdirSync(path, { recursive: true });
    await expect(openSqliteSts({ path })).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(openSqliteSts({ path: join(file, 'sts.db') })).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    });
  });

  test('is a file even when its name looks like memory or a URI with options', async () => {
    const before = process.cwd();
    process.chdir(folder);
    try {
      for (const name of [':memory:', 'file:x.db?mode=memory']) {
        await (await openSqliteSts({ path: name })).close();
        expect(existsSync(join(folder, name))).toBe(true);
      }
    } finally {
      process.chdir(before);
    }
  });
});

describe('a damaged file', () => {
  test('that is no database is refused and left as it was', async () => {
    mkdirSync(dirname(path), { recursive: true });
    const text = 'this is a letter, not a database\n'.repeat(100);
    writeFileSync(path, text, { mode: 0o600 });
    await expect(openSqliteSts({ path })).rejects.toMatchObject({
      code: 'ERR_STORE_CORRUPT',
      hint: expect.stringContaining('restore'),
    });
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  test('with a page overwritten or cut off is refused', async () => {
    await makeDatabase();
    const good = readFileSync(path);
    const broken = Buffer.from(good);
    broken.fill(0xff, 4096 * 3, 4096 * 4);
    writeFileSync(path, broken);
    await expect(openSqliteSts({ path })).rejects.toMatchObject({ code: 'ERR_STORE_CORRUPT' });
    writeFileSync(path, good.subarray(0, 4096 * 5));
    await expect(openSqliteSts({ path })).rejects.toMatchObject({ code: 'ERR_STORE_CORRUPT' });
    writeFileSync(path, good);
    await (await openSqliteSts({ path })).close();
  });

  test.each([
    ['UPDATE session SET claims = \'{"a":1}\'', 'S'],
    ["UPDATE session SET claims = 'not json'", 'S'],
    ['UPDATE session SET job_bound = 2', 'S'],
    ["UPDATE audit_entry SET body = json_set(body, '$.trace.more', 1)", 'D'],
    ["UPDATE audit_entry SET body = json_set(body, '$.reason', 'toString')", 'D'],
    ["UPDATE audit_entry SET body = json_set(body, '$.wire', 'smoke')", 'D'],
    ["UPDATE audit_entry SET body = json_set(body, '$.claims', json('[]'))", 'D'],
    ["UPDATE audit_entry SET body = json_set(body, '$.kind', 'action')", 'D'],
    ["UPDATE audit_entry SET body = 'not json'", 'D'],
  ])('whose rows hold what was never written is not read as if they did: %s', async (sql, kind) => {
    await makeDatabase();
    tamper(sql);
    const store = await openSqliteSts({ path });
    const read = kind === 'S' ? store.findSession('S1') : store.findDecisions('D1');
    await expect(read).rejects.toMatchObject({ code: 'ERR_STORE_CORRUPT' });
    await store.close();
  });

  test('whose job or key rows hold what was never written is not read as if they did', async () => {
    const store = await openSqliteIssuer({ path });
    await store.startJob(jobOf('J1'), requestTokenOf('J1'));
    await store.replaceRing({ ring: 'id-token', expectedVersion: 0, keys: [keyOf('k1')], record: null });
    tamper("UPDATE job SET facts = json_remove(facts, '$.fork'); UPDATE key SET state = 'alive'");
    await expect(store.findJob('J1')).rejects.toMatchObject({ code: 'ERR_STORE_CORRUPT' });
    await expect(store.readRing('id-token')).rejects.toMatchObject({ code: 'ERR_STORE_CORRUPT' });
    await store.close();
  });
});

describe('a file that is not what was opened any more', () => {
  const unavailable = { code: 'ERR_STORE_UNAVAILABLE', hint: expect.stringContaining('put it back') };

  test.each(['', '-wal'])('keeps nothing until it is put back (%s)', async (suffix) => {
    const store = await openSqliteSts({ path });
    await store.grant(grantOf('1'));
    renameSync(`${path}${suffix}`, `${path}.away`);
    await expect(store.grant(grantOf('2'))).rejects.toMatchObject(unavailable);
    writeFileSync(`${path}${suffix}`, 'another one', { mode: 0o600 });
    await expect(store.grant(grantOf('2'))).rejects.toMatchObject(unavailable);
    renameSync(`${path}.away`, `${path}${suffix}`);
    expect(await store.grant(grantOf('2'))).toBe('granted');
    await store.close();
  });

  test.each(['', '-wal'])('keeps nothing any more once it was cut short (%s)', async (suffix) => {
    const store = await openSqliteSts({ path });
    await store.grant(grantOf('1'));
    const whole = readFileSync(`${path}${suffix}`);
    truncateSync(`${path}${suffix}`, whole.length - 1);
    await expect(store.grant(grantOf('2'))).rejects.toMatchObject(unavailable);
    writeFileSync(`${path}${suffix}`, whole);
    await expect(store.grant(grantOf('2'))).rejects.toMatchObject(unavailable);
    await store.close();
  });
});

describe('the schema', () => {
  test('of a newer version is refused with a hint, and the file is left as it was', async () => {
    await makeDatabase();
    tamper('PRAGMA user_version = 99');
    const before = readFileSync(path);
    await expect(openSqliteSts({ path })).rejects.toMatchObject({
      code: 'ERR_STORE_SCHEMA',
      message: expect.stringContaining('schema 99'),
      hint: expect.stringContaining('newer version'),
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('of another server or another program is refused', async () => {
    await makeDatabase();
    await expect(openSqliteIssuer({ path })).rejects.toMatchObject({ code: 'ERR_STORE_SCHEMA' });
    await expect(openSqliteKeys({ path })).rejects.toMatchObject({ code: 'ERR_STORE_SCHEMA' });
    const foreign = join(folder, 'foreign.db');
    const raw = new DatabaseSync(foreign);
    raw.exec('CREATE TABLE theirs (a)');
    raw.close();
    chmodSync(foreign, 0o600);
    await expect(openSqliteSts({ path: foreign })).rejects.toMatchObject({ code: 'ERR_STORE_SCHEMA' });
  });

  test.each([STS_SCHEMA, ISSUER_SCHEMA])('has steps numbered from 1 without a gap', ({ migrations }) => {
    expect(migrations.map((step) => step.version)).toEqual(migrations.map((_, index) => index + 1));
  });

  test('of a newer version is served when its newer steps are ones that this version can live with', async () => {
    const step = (version: number, isAdditive = false) => ({
      version,
      name: `step ${version}`,
      sql: `CREATE TABLE t${version} (x TEXT) STRICT`,
      isAdditive,
    });
    const schemaOf = (...migrations: Schema['migrations']): Schema => ({ kind: 'test', applicationId: 7, migrations });
    const open = async (...migrations: Schema['migrations']) => openDatabase({ path }, schemaOf(...migrations)).close();
    await open(step(1), step(2, true), step(3, true));
    await open(step(1));
    await open(step(1), step(2, true));
    expect(() => openDatabase({ path }, schemaOf())).toThrow(expect.objectContaining({ code: 'ERR_STORE_SCHEMA' }));
    await open(step(1), step(2, true), step(3, true), step(4));
    expect(() => openDatabase({ path }, schemaOf(step(1), step(2, true), step(3, true)))).toThrow(
      expect.objectContaining({ code: 'ERR_STORE_SCHEMA', message: expect.stringContaining('schema 4') }),
    );
    // What an earlier version served stayed as it was, so every step was taken once.
    await open(step(1), step(2, true), step(3, true), step(4));
  });

  test('is brought forward step by step, with the data kept, and a step that fails changes nothing', async () => {
    const step = (version: number, sql: string) => ({ version, name: `step ${version}`, sql });
    const first = step(1, 'CREATE TABLE a (x TEXT NOT NULL) STRICT; INSERT INTO a VALUES (1)');
    const schemaOf = (...migrations: Schema['migrations']): Schema => ({ kind: 'test', applicationId: 7, migrations });
    await openDatabase({ path }, schemaOf(first)).close();
    const broken = schemaOf(first, step(2, "UPDATE a SET x = '2'"), step(3, 'this is no SQL'));
    expect(() => openDatabase({ path }, broken)).toThrow(expect.objectContaining({ code: 'ERR_STORE_UNAVAILABLE' }));
    const good = openDatabase({ path }, schemaOf(first, step(2, "UPDATE a SET x = x || '!'")));
    const x = good.prepare('SELECT x FROM a');
    expect(await good.read(() => x.get()?.x)).toBe('1!');
    await good.close();
  });
});

describe('the connection', () => {
  test('flushes every commit to disk through a write-ahead log', async () => {
    const database = openDatabase({ path }, STS_SCHEMA);
    const setting = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    expect(setting('journal_mode')).toBe('wal');
    expect(setting('synchronous')).toBe(2);
    expect(setting('fullfsync')).toBe(1);
    expect(setting('foreign_keys')).toBe(1);
    expect(setting('busy_timeout')).toBe(2000);
    expect(setting('trusted_schema')).toBe(0);
    await database.close();
  });

  test('may be closed twice; afterwards everything is refused', async () => {
    const store = await openSqliteSts({ path });
    await store.close();
    await store.close();
    await expect(store.grant(grantOf('1'))).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    await expect(store.recordRefusal(refusedRecord('1'))).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    await expect(store.findSession('S1')).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
  });

  test('can live in memory for measurements, where no file appears', async () => {
    const store = await openSqliteSts({ memory: true });
    expect(await store.grant(grantOf('1'))).toBe('granted');
    await store.close();
    expect(existsSync(path)).toBe(false);
  });
});
