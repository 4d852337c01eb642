import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { GroupCommit } from './group-commit.ts';

let folder: string;
let db: DatabaseSync;
let watcher: DatabaseSync;
let commits: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobpass-commit-'));
  const path = join(folder, 'a.db');
  db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE row (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT');
  watcher = new DatabaseSync(path);
  commits = 0;
  const exec = db.exec.bind(db);
  db.exec = (sql) => {
    if (sql === 'COMMIT') commits += 1;
    exec(sql);
  };
});

afterEach(() => {
  watcher.close();
  db.close();
  rmSync(folder, { recursive: true });
});

const insert = (id: number, body = 'x') => {
  db.prepare('INSERT INTO row (id, body) VALUES (?, ?)').run(id, body);
  return id;
};
const seen = () =>
  watcher
    .prepare('SELECT id FROM row ORDER BY id')
    .all()
    .map((row) => row.id);

test('writes of one turn share one commit, and resolve only after it', async () => {
  const writes = new GroupCommit(db);
  const kept = [1, 2, 3].map((id) => writes.write(() => insert(id)).then((value) => ({ value, seen: seen() })));
  expect(seen()).toEqual([]);
  expect(await Promise.all(kept)).toEqual([1, 2, 3].map((value) => ({ value, seen: [1, 2, 3] })));
  expect(commits).toBe(1);
});

test('writes of later turns have commits of their own', async () => {
  const writes = new GroupCommit(db);
  await writes.write(() => insert(1));
  await writes.write(() => insert(2));
  expect(commits).toBe(2);
});

test('a refusal is a value: its batch mates are kept', async () => {
  const writes = new GroupCommit(db);
  const outcomes = await Promise.all([
    writes.write(() => insert(1)),
    writes.write(() => 'job_ended'),
    writes.write(() => insert(2)),
  ]);
  expect(outcomes).toEqual([1, 'job_ended', 2]);
  expect(seen()).toEqual([1, 2]);
});

test('a write that breaks a rule of the schema fails alone and keeps nothing of itself', async () => {
  const writes = new GroupCommit(db);
  const settled = await Promise.allSettled([
    writes.write(() => insert(1)),
    writes.write(() => {
      insert(7);
      return insert(1);
    }),
    writes.write(() => {
      throw new TypeError('a value that cannot be bound');
    }),
    writes.write(() => insert(2)),
  ]);
  expect(settled.map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  expect(settled[1]).toMatchObject({ reason: { code: 'ERR_STORE_UNAVAILABLE' } });
  expect(seen()).toEqual([1, 2]);
});

test('a full disk rejects every write of the batch, keeps none, and the store works again afterwards', async () => {
  const writes = new GroupCommit(db);
  await writes.write(() => insert(1));
  const pages = db.prepare('PRAGMA page_count').get()?.page_count;
  db.exec(`PRAGMA max_page_count = ${pages}`);
  const settled = await Promise.allSettled([
    writes.write(() => insert(2)),
    writes.write(() => insert(3, 'x'.repeat(100_000))),
    writes.write(() => insert(4)),
  ]);
  for (const one of settled) {
    expect(one).toMatchObject({
      status: 'rejected',
      reason: { code: 'ERR_STORE_UNAVAILABLE', message: 'the disk of the database is full' },
    });
  }
  expect(seen()).toEqual([1]);
  db.exec('PRAGMA max_page_count = 100000');
  expect(await writes.write(() => insert(5))).toBe(5);
  expect(seen()).toEqual([1, 5]);
});

test('a commit that fails rejects every write, although each statement had succeeded', async () => {
  const writes = new GroupCommit(db);
  const exec = db.exec.bind(db);
  db.exec = (sql) => {
    if (sql === 'COMMIT') throw Object.assign(new Error('disk I/O error'), { errcode: 10 });
    exec(sql);
  };
  const settled = await Promise.allSettled([writes.write(() => insert(1)), writes.write(() => insert(2))]);
  expect(settled.map((one) => one.status)).toEqual(['rejected', 'rejected']);
  db.exec = exec;
  await writes.write(() => insert(3));
  expect(seen()).toEqual([3]);
});

test('a transaction whose rollback failed is ended before the next batch decides anything', async () => {
  const writes = new GroupCommit(db);
  const exec = db.exec.bind(db);
  db.exec = (sql) => {
    if (sql !== 'BEGIN IMMEDIATE') throw Object.assign(new Error('disk I/O error'), { errcode: 10 });
    exec(sql);
  };
  await expect(writes.write(() => insert(1))).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
  await expect(writes.write(() => insert(2))).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
  db.exec = exec;
  await writes.write(() => insert(3));
  expect(seen()).toEqual([3]);
});

test('a lock that another process holds rejects the writes instead of waiting for ever', async () => {
  db.exec('PRAGMA busy_timeout = 1');
  watcher.exec('BEGIN IMMEDIATE');
  const writes = new GroupCommit(db);
  await expect(writes.write(() => insert(1))).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
  watcher.exec('ROLLBACK');
  expect(await writes.write(() => insert(1))).toBe(1);
});

test('closing commits what waits and takes nothing more', async () => {
  const writes = new GroupCommit(db);
  const kept = writes.write(() => insert(1));
  writes.close();
  expect(seen()).toEqual([1]);
  expect(await kept).toBe(1);
  await expect(writes.write(() => insert(2))).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
});

test('a part begins before the first write, finishes after the last, and hears what became of it', async () => {
  const writes = new GroupCommit(db);
  const heard: string[] = [];
  writes.join({
    begin: () => heard.push('begin'),
    finish: () => heard.push(`finish ${seen().length}`),
    ended: (isCommitted) => heard.push(`${isCommitted} ${seen().length}`),
  });
  await Promise.all([writes.write(() => heard.push('one') && insert(1)), writes.write(() => insert(2))]);
  expect(heard.splice(0)).toEqual(['begin', 'one', 'finish 0', 'true 2']);
  await Promise.allSettled([writes.write(() => insert(1))]);
  expect(heard).toEqual(['begin', 'false 2']);
});

test('a part that cannot finish costs the whole transaction', async () => {
  const writes = new GroupCommit(db);
  const finish = (): void => {
    throw new Error('the head cannot be kept');
  };
  writes.join({ begin: () => undefined, finish, ended: () => undefined });
  await expect(writes.write(() => insert(1))).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
  expect(seen()).toEqual([]);
});
