// The format of a backup file: two lines that anyone may read, then the database in sealed chunks whose order and end are
// authenticated (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015). It touches no file.
import { createCipheriv, createDecipheriv, hkdfSync, scryptSync } from 'node:crypto';
import * as z from 'zod';
import { JobpassError } from '../../base/core/errors.ts';
import type { Secret } from '../../base/core/secret.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import { decodeBase64url, encodeBase64url } from '../../base/jwt/base64url.ts';
import type { KeyEncryptionKey } from '../../keys/kek.ts';

const FIRST_LINE = 'jobpass-backup 1\n';
/** Both lines; a file whose lines are longer is none of ours. */
const MAX_HEAD_BYTES = 4096;
/** Of plaintext. Each chunk but the last is exactly this long. */
const CHUNK_BYTES = 64 * 1024;
const CIPHER = 'aes-256-gcm';
const TAG_BYTES = 16;
const KEY_BYTES = 32;
/** Of the salt that a backup’s own key is derived with. */
export const SALT_BYTES = 32;
/** RFC 7914's parameters for files at rest: 128 MiB and about half a second for each guess at a passphrase. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };
const PURPOSE = 'jobpass backup 1';

/** The servers whose databases are backed up. */
const BACKUP_KINDS = ['issuer', 'sts'] as const;
/** One of them. */
export type BackupKind = (typeof BACKUP_KINDS)[number];

const header = z.strictObject({
  /** Whose database it is. */
  kind: z.enum(BACKUP_KINDS),
  createdAt: z.int().nonnegative(),
  /** Of the database. */
  bytes: z.int().positive(),
  lockedBy: z.enum(['encryption-key', 'passphrase']),
  salt: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
});

/** What a backup says of itself. Nobody can change it unnoticed: the key of the chunks is derived from it. */
export interface BackupHeader {
  readonly kind: BackupKind;
  readonly createdAt: EpochSeconds;
  readonly bytes: number;
  readonly lockedBy: 'encryption-key' | 'passphrase';
  /** 32 random bytes, base64url. No two backups share a key. */
  readonly salt: string;
}

/** What opens a backup: the server's key-encryption key, or a passphrase. */
export type BackupLock =
  | { readonly lockedBy: 'encryption-key'; readonly kek: KeyEncryptionKey }
  | { readonly lockedBy: 'passphrase'; readonly passphrase: Secret };

/** A fresh salt, as the header holds it. */
export const encodeSalt = (random: Uint8Array): string => encodeBase64url(random);

const headerText = (of: BackupHeader): string => JSON.stringify(header.parse(of));

/** The file's two lines. */
const headOf = (of: BackupHeader): Uint8Array => Buffer.from(`${FIRST_LINE}${headerText(of)}\n`);

function chunkKey(of: BackupHeader, lock: BackupLock): Uint8Array {
  const salt = decodeBase64url(of.salt);
  if (salt === undefined || of.lockedBy !== lock.lockedBy) throw wrongKey(of);
  const purpose = `${PURPOSE}\n${headerText(of)}`;
  if (lock.lockedBy === 'encryption-key') return lock.kek.derive(salt, purpose);
  const stretched = scryptSync(lock.passphrase.reveal(), salt, KEY_BYTES, SCRYPT);
  return new Uint8Array(hkdfSync('sha256', stretched, salt, purpose, KEY_BYTES));
}

/** Eleven bytes count the chunks and one says which is the last: none can be left out, moved, repeated or cut away. */
function nonceOf(index: number, isLast: boolean): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 5, 6);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** The bytes of a backup file of `plain`. What is sealed is not compressed: its length is no secret. */
export async function* sealBackup(
  plain: AsyncIterable<Uint8Array>,
  of: BackupHeader,
  lock: BackupLock,
): AsyncGenerator<Uint8Array> {
  const key = chunkKey(of, lock);
  yield headOf(of);
  let index = 0;
  for await (const { bytes, isLast } of inChunks(plain, CHUNK_BYTES)) {
    const cipher = createCipheriv(CIPHER, key, nonceOf(index, isLast), { authTagLength: TAG_BYTES });
    yield Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
    index += 1;
  }
}

/** A backup whose header was read: `sealed` is what follows it. */
export interface SealedBackup {
  readonly header: BackupHeader;
  readonly sealed: AsyncIterable<Uint8Array>;
}

/** Reads the header. Throws ERR_BACKUP_UNREADABLE when it is no backup, or one of a later format. */
export async function readBackupHeader(file: AsyncIterable<Uint8Array>): Promise<SealedBackup> {
  const source = file[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array();
  let end = -1;
  while (end < 0 && head.length <= MAX_HEAD_BYTES) {
    const { done, value } = await source.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
    end = head.indexOf(0x0a, FIRST_LINE.length);
  }
  const text = Buffer.from(head.subarray(0, Math.max(end, 0))).toString('utf8');
  if (end < 0 || end > MAX_HEAD_BYTES || !text.startsWith(FIRST_LINE)) throw unreadable('this is no backup of Jobpass');
  const rest = head.subarray(end + 1);
  return { header: parseHeader(text.slice(FIRST_LINE.length)), sealed: continued(rest, source) };
}

function parseHeader(text: string): BackupHeader {
  const parsed = header.safeParse(jsonOf(text));
  // Only the very text that the key was derived from is taken for the header.
  if (!parsed.success || headerText(parsed.data) !== text) throw unreadable('the header of the backup is damaged');
  return parsed.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function* continued(first: Uint8Array, source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
}

/**
 * The database, chunk by chunk. Each is authentic when it is yielded, and the whole only when the iteration ends: until then nothing may
 * be made of it. Throws ERR_BACKUP_KEY when not even the first chunk opens, ERR_BACKUP_UNREADABLE when one was changed or is missing.
 */
export async function* openBackup({ header: of, sealed }: SealedBackup, lock: BackupLock): AsyncGenerator<Uint8Array> {
  const key = chunkKey(of, lock);
  let index = 0;
  let total = 0;
  for await (const { bytes, isLast } of inChunks(sealed, CHUNK_BYTES + TAG_BYTES)) {
    const plain = openChunk(bytes, key, nonceOf(index, isLast));
    if (plain === undefined)
      throw index === 0 ? wrongKey(of) : unreadable(`the backup is damaged or cut short after ${total} bytes`);
    index += 1;
    total += plain.length;
    yield plain;
  }
  if (total !== of.bytes) throw unreadable('the backup holds another number of bytes than it says');
}

function openChunk(sealed: Uint8Array, key: Uint8Array, nonce: Uint8Array): Uint8Array | undefined {
  const tagAt = sealed.length - TAG_BYTES;
  if (tagAt < 0) return undefined;
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(sealed.subarray(tagAt));
  const plain = decipher.update(sealed.subarray(0, tagAt));
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch {
    return undefined;
  }
}

/** The same bytes in pieces of `size`; the last may be shorter, and comes also when there is nothing at all. */
async function* inChunks(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ readonly bytes: Uint8Array; readonly isLast: boolean }> {
  let held: Uint8Array = new Uint8Array();
  for await (const piece of source) {
    held = held.length === 0 ? piece : Buffer.concat([held, piece]);
    let at = 0;
    // A full piece is held back until more comes: only then is it known not to be the last.
    for (; held.length - at > size; at += size) yield { bytes: held.subarray(at, at + size), isLast: false };
    held = held.subarray(at);
  }
  yield { bytes: held, isLast: true };
}

const unreadable = (message: string): JobpassError =>
  new JobpassError('ERR_BACKUP_UNREADABLE', message, { hint: 'nothing was changed; take another backup' });

function wrongKey({ lockedBy }: BackupHeader): JobpassError {
  const byKey = lockedBy === 'encryption-key';
  return new JobpassError('ERR_BACKUP_KEY', 'the backup does not open with this key', {
    hint: byKey
      ? 'it was made under another key-encryption key, which --key-file names; or its beginning was changed'
      : 'it was made with a passphrase, which --passphrase-file names; or its beginning was changed',
  });
}
