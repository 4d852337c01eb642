// A backup on disk comes out of its file whole, or leaves nothing.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KEK_BYTES, KeyEncryptionKey } from '../../keys/kek.ts';
import { type BackupLock, encodeSalt, SALT_BYTES, sealBackup } from '../backup/format.ts';
import { unpackBackup } from './backup-file.ts';

const PLAIN = Buffer.from('a database');
const lock: BackupLock = {
  lockedBy: 'encryption-key',
  kek: KeyEncryptionKey.fromBytes(new Uint8Array(KEK_BYTES).fill(1)),
};
const options = { lock, onProgress: () => undefined };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobpass-backup-file-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function* plain(): AsyncGenerator<Uint8Array> {
  yield PLAIN;
}

async function sealed(): Promise<Buffer> {
  const salt = encodeSalt(new Uint8Array(SALT_BYTES));
  const header = {
    kind: 'sts',
    createdAt: 1_800_000_000,
    bytes: PLAIN.length,
    lockedBy: 'encryption-key',
    salt,
  } as const;
  const pieces: Uint8Array[] = [];
  for await (const piece of sealBackup(plain(), header, lock)) pieces.push(piece);
  return Buffer.concat(pieces);
}

test('a whole one becomes a file of its owner alone', async () => {
  writeFileSync(join(folder, 'whole'), await sealed());
  await unpackBackup(join(folder, 'whole'), join(folder, 'database'), options);
  expect(readFileSync(join(folder, 'database'))).toEqual(PLAIN);
  expect(statSync(join(folder, 'database')).mode & 0o777).toBe(0o600);
});

test('a damaged one leaves nothing, however soon that is found out', async () => {
  writeFileSync(join(folder, 'damaged'), (await sealed()).subarray(0, -1));
  for (let round = 0; round < 50; round += 1)
    await expect(unpackBackup(join(folder, 'damaged'), join(folder, 'database'), options)).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_BACKUP_/),
    });
  expect(readdirSync(folder)).toEqual(['damaged']);
});

test('one that was begun by another is not written over', async () => {
  writeFileSync(join(folder, 'whole'), await sealed());
  writeFileSync(join(folder, 'database'), 'another');
  await expect(unpackBackup(join(folder, 'whole'), join(folder, 'database'), options)).rejects.toMatchObject({
    code: 'EEXIST',
  });
  expect(readFileSync(join(folder, 'database'), 'utf8')).toBe('another');
});
