import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../base/core/secret.ts';
import { KEK_BYTES, KeyEncryptionKey } from '../../keys/kek.ts';
import {
  type BackupHeader,
  type BackupLock,
  encodeSalt,
  openBackup,
  readBackupHeader,
  SALT_BYTES,
  sealBackup,
} from './format.ts';

const kekOf = (fill: number): BackupLock => ({
  lockedBy: 'encryption-key',
  kek: KeyEncryptionKey.fromBytes(new Uint8Array(KEK_BYTES).fill(fill)),
});
const passphrase = (text: string): BackupLock => ({ lockedBy: 'passphrase', passphrase: new Secret(text) });
const headerOf = (bytes: number, change: Partial<BackupHeader> = {}): BackupHeader => ({
  kind: 'sts',
  createdAt: 1_800_000_000,
  bytes,
  lockedBy: 'encryption-key',
  salt: encodeSalt(new Uint8Array(SALT_BYTES).fill(7)),
  ...change,
});

/** The bytes in pieces of an odd size, as a disk may give them. */
async function* pieces(bytes: Uint8Array, size = 40_009): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function gather(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of source) all.push(piece);
  return Buffer.concat(all);
}

const seal = (plain: Uint8Array, header = headerOf(plain.length), lock = kekOf(1)): Promise<Buffer> =>
  gather(sealBackup(pieces(plain), header, lock));
const unseal = async (file: Uint8Array, lock = kekOf(1)): Promise<Buffer> =>
  gather(openBackup(await readBackupHeader(pieces(file)), lock));

/** Two lines of text end it. */
const headLength = (file: Buffer): number => file.indexOf(0x0a, file.indexOf(0x0a) + 1) + 1;
const SEALED_CHUNK = 64 * 1024 + 16;
/** Some chunks and a rest. */
const PLAIN = randomBytes(3 * 64 * 1024 + 1000);

describe('a backup', () => {
  it.each([0, 1, 65_535, 65_536, 65_537, 131_072, 200_000])('of %i bytes comes back as it was', async (length) => {
    const plain = randomBytes(length);
    const header = headerOf(Math.max(length, 1));
    const file = await seal(plain, header);
    // A database is never empty, and a header that says so is none.
    if (length === 0) await expect(unseal(file)).rejects.toMatchObject({ code: 'ERR_BACKUP_UNREADABLE' });
    else expect((await unseal(file)).equals(plain)).toBe(true);
  });

  it('holds nothing of what it seals, and differs from every other of the same', async () => {
    const plain = Buffer.alloc(4096, 'a secret of the database');
    const file = await seal(plain);
    expect(file.includes('a secret of')).toBe(false);
    const other = await seal(plain, headerOf(plain.length, { salt: encodeSalt(randomBytes(SALT_BYTES)) }));
    expect(other.subarray(headLength(other)).equals(file.subarray(headLength(file)))).toBe(false);
  });

  it('opens with its passphrase alone', async () => {
    const header = headerOf(PLAIN.length, { lockedBy: 'passphrase' });
    const file = await seal(PLAIN, header, passphrase('correct horse battery'));
    expect((await unseal(file, passphrase('correct horse battery'))).equals(PLAIN)).toBe(true);
    for (const lock of [passphrase('correct horse batterz'), kekOf(1)])
      await expect(unseal(file, lock)).rejects.toMatchObject({ code: 'ERR_BACKUP_KEY' });
  });

  it('opens with its key alone', async () => {
    const file = await seal(PLAIN);
    for (const lock of [kekOf(2), passphrase('correct horse battery')])
      await expect(unseal(file, lock)).rejects.toMatchObject({ code: 'ERR_BACKUP_KEY' });
  });

  it('is refused when any part of its header is changed', async () => {
    const file = await seal(PLAIN);
    const head = file.subarray(0, headLength(file)).toString('utf8');
    const forged = [
      head.replace('"sts"', '"issuer"'),
      head.replace('1800000000', '1800000001'),
      head.replace(`${PLAIN.length}`, `${PLAIN.length + 1}`),
      head.replace('{"kind"', '{ "kind"'),
      head.replace('jobpass-backup 1', 'jobpass-backup 2'),
    ];
    for (const text of forged) {
      expect(text).not.toBe(head);
      const changed = Buffer.concat([Buffer.from(text), file.subarray(headLength(file))]);
      await expect(unseal(changed)).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_BACKUP_(KEY|UNREADABLE)$/),
      });
    }
  });

  it('is refused when it is cut anywhere, also between two chunks', async () => {
    const file = await seal(PLAIN);
    const start = headLength(file);
    const cuts = [
      0,
      10,
      start - 1,
      start,
      start + 5,
      start + SEALED_CHUNK,
      start + 2 * SEALED_CHUNK,
      start + 3 * SEALED_CHUNK,
      file.length - 1,
    ];
    for (const at of cuts)
      await expect(unseal(file.subarray(0, at)), `cut at ${at}`).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_BACKUP_(KEY|UNREADABLE)$/),
      });
  });

  it('is refused when chunks are left out, moved, repeated or followed by more', async () => {
    const file = await seal(PLAIN);
    const start = headLength(file);
    const head = file.subarray(0, start);
    const [a, b, c, last] = [0, 1, 2, 3].map((n) =>
      file.subarray(start + n * SEALED_CHUNK, start + (n + 1) * SEALED_CHUNK),
    );
    const chunk = (of: Buffer | undefined): Buffer => of ?? Buffer.alloc(0);
    const orders = [
      [a, c, last],
      [b, c, last],
      [b, a, c, last],
      [a, b, b, c, last],
      [a, b, c, last, last],
      [a, b, c, last, Buffer.from([0])],
    ];
    expect((await unseal(Buffer.concat([head, ...[a, b, c, last].map(chunk)]))).equals(PLAIN)).toBe(true);
    for (const order of orders)
      await expect(unseal(Buffer.concat([head, ...order.map(chunk)]))).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_BACKUP_(KEY|UNREADABLE)$/),
      });
  });

  it('is refused when a byte is changed', async () => {
    const file = await seal(PLAIN);
    const start = headLength(file);
    for (const at of [start, start + SEALED_CHUNK - 1, start + SEALED_CHUNK, file.length - 20, file.length - 1]) {
      const changed = Buffer.from(file);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      await expect(unseal(changed)).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_BACKUP_(KEY|UNREADABLE)$/),
      });
    }
  });

  it('is not taken for one when it is another file', async () => {
    for (const other of [Buffer.from(''), Buffer.from('SQLite format 3\0'), randomBytes(100_000)])
      await expect(unseal(other)).rejects.toMatchObject({ code: 'ERR_BACKUP_UNREADABLE' });
  });
});
