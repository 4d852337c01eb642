// The writer's head is kept in memory: what it does when it cannot know whether its last transaction was kept.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/fakes/sqlite-engine.ts';
import { decisionEntry } from '../../base/audit/record.ts';
import { expectChains } from '../conformance/audit.ts';
import { refusedRecord } from '../conformance/fixtures.ts';
import { sqliteAuditStore } from './audit.ts';
import { AuditChain } from './audit-chain.ts';
import { openDatabase, SqliteDatabase } from './database.ts';
import { GATEWAY_SCHEMA } from './migrations/gateway.ts';

let folder: string;
let path: string;
let database: SqliteDatabase;
let chain: AuditChain;

beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, 'a.db');
  database = openDatabase({ path }, GATEWAY_SCHEMA);
  chain = new AuditChain(database);
});

afterEach(async () => {
  await database.close();
  rmSync(folder, { recursive: true });
});

const append = (name: string) => database.write(() => chain.append(decisionEntry(refusedRecord(name))));
const heads = async () => (await sqliteAuditStore(database, chain).listHeads()).map(({ sequence }) => sequence);

test('after a transaction that was not kept it goes on where the table stands', async () => {
  await append('1');
  const failing = database.write(() => {
    chain.append(decisionEntry(refusedRecord('2')));
    throw new Error('the write failed');
  });
  await expect(failing).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
  await append('3');
  expect(await expectChains(sqliteAuditStore(database, chain))).toEqual(['D1', 'D3']);
  expect(await heads()).toEqual([2]);
});

test('after a transaction that was kept though its commit failed it goes on behind it', async () => {
  const raw = new DatabaseSync(path);
  const exec = raw.exec.bind(raw);
  let isLost = false;
  raw.exec = (sql) => {
    exec(sql);
    if (sql === 'COMMIT' && isLost) throw new Error('the answer of the commit was lost');
  };
  const other = new SqliteDatabase(raw);
  const writer = new AuditChain(other);
  const write = (name: string) => other.write(() => writer.append(decisionEntry(refusedRecord(name))));
  await write('1');
  isLost = true;
  await expect(write('2')).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
  isLost = false;
  await write('3');
  expect(await expectChains(sqliteAuditStore(other, writer))).toEqual(['D1', 'D2', 'D3']);
  await other.close();
});

test('it becomes another writer when its row is neither what it was before nor after', async () => {
  await append('1');
  const behind = new DatabaseSync(path);
  behind.exec("UPDATE audit_writer SET sequence = 7, hash = 'forged'");
  behind.close();
  chain.ended(false);
  await append('2');
  expect((await heads()).toSorted()).toEqual([1, 7]);
});

test('a writer whose first transaction failed leaves nothing', async () => {
  await Promise.allSettled([
    database.write(() => {
      chain.append(decisionEntry(refusedRecord('1')));
      throw new Error('the write failed');
    }),
  ]);
  expect(await heads()).toEqual([]);
  await append('2');
  expect(await heads()).toEqual([1]);
});
