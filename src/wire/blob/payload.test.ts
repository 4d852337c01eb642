// Bodies are what was announced, or they are refused: in length and in digest.
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ContentDigest } from './call.ts';
import { BlobPayloadError, verifyBody } from './payload.ts';

const TEXT = 'hello world';
/** By Azure's own library. */
const CRC64 = Buffer.from('be8eeaf6c3d5298d', 'hex').toString('base64');
/** The same as S3 has it. */
const CRC64NVME = Buffer.from('8d29d5c3f6ea8ebe', 'hex').toString('base64');
const MD5 = createHash('md5').update(TEXT).digest('base64');

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length; at += 4) yield Buffer.from(text.slice(at, at + 4));
}

/** What is read, and what was verified; or the code of the refusal. */
async function outcome(text: string, digest: ContentDigest | null, size = TEXT.length) {
  const verified = verifyBody(pieces(text), { size, digest });
  const read: Uint8Array[] = [];
  try {
    for await (const piece of verified.body) read.push(piece);
  } catch (error) {
    if (!(error instanceof BlobPayloadError)) throw error;
    return error.refusal.code;
  }
  return [Buffer.concat(read).toString(), verified.checksums()];
}

describe('a body', () => {
  test('passes when it is what was announced, and its CRC64 becomes the store’s', async () => {
    expect(await outcome(TEXT, null)).toEqual([TEXT, {}]);
    expect(await outcome(TEXT, { algorithm: 'md5', value: MD5 })).toEqual([TEXT, {}]);
    expect(await outcome(TEXT, { algorithm: 'crc64', value: CRC64 })).toEqual([TEXT, { crc64nvme: CRC64NVME }]);
    expect(await outcome('', null, 0)).toEqual(['', {}]);
  });

  test.each<[string, string, ContentDigest | null, string]>([
    ['shorter', 'hello', null, 'InvalidInput'],
    ['longer', `${TEXT}!`, null, 'InvalidInput'],
    ['another by its MD5', 'Hello world', { algorithm: 'md5', value: MD5 }, 'Md5Mismatch'],
    ['another by its CRC64', 'Hello world', { algorithm: 'crc64', value: CRC64 }, 'Crc64Mismatch'],
    ['announced in the other order of bytes', TEXT, { algorithm: 'crc64', value: CRC64NVME }, 'Crc64Mismatch'],
  ])('that is %s is refused', async (_what, text, digest, code) => {
    expect(await outcome(text, digest)).toBe(code);
  });

  test('that breaks off in its source breaks off here', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('hello');
      throw new Error('gone');
    }
    const { body } = verifyBody(broken(), { size: 11, digest: null });
    const iterator = body[Symbol.asyncIterator]();
    expect((await iterator.next()).done).toBe(false);
    await expect(iterator.next()).rejects.toThrow('gone');
  });
});
