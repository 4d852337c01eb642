// Bodies in one piece: every digest, the length, and that nothing is read before it is asked for.
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decodePayload } from './decode.ts';
import { PayloadError } from './payload-error.ts';
import type { PayloadPlan } from './plan.ts';

const sha256 = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex');

const planOf = (size: number, more: Partial<PayloadPlan>): PayloadPlan => ({
  mode: 'unsigned',
  size,
  sha256: null,
  contentMd5: null,
  checksum: null,
  trailer: null,
  ...more,
});

/** Byte by byte: the bytes, or the code of the refusal; and what was verified. */
async function decode(data: Uint8Array, plan: PayloadPlan) {
  async function* single(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < data.length; at += 1) yield data.subarray(at, at + 1);
  }
  const payload = decodePayload(single(), plan, null);
  let text = '';
  try {
    for await (const piece of payload.body) text += Buffer.from(piece).toString('latin1');
    return { text, checksums: payload.checksums() };
  } catch (thrown) {
    if (!(thrown instanceof PayloadError)) throw thrown;
    return { refusal: thrown.refusal.code, checksums: payload.checksums() };
  }
}

describe('a body in one piece', () => {
  const data = Buffer.from('123456789');
  const MD5 = 'JfnnlDI7RThdtf+BgcYLgQ==';
  const digests: readonly (readonly [string, Partial<PayloadPlan>, Partial<PayloadPlan>, string])[] = [
    ['its SHA-256', { mode: 'hash', sha256: sha256(data) }, { sha256: sha256('x') }, 'XAmzContentSHA256Mismatch'],
    ['its MD5', { contentMd5: createHash('md5').update(data).digest('base64') }, { contentMd5: MD5 }, 'BadDigest'],
    ...(
      [
        ['crc32', 'y/Q5Jg=='],
        ['crc32c', '4waSgw=='],
        ['crc64nvme', 'rosUhgp5mIg='],
        ['sha1', '98O8HYCOBHMq32eZZczDTKeuNEE='],
        ['sha256', 'FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU='],
      ] as const
    ).map(([algorithm, value]): readonly [string, Partial<PayloadPlan>, Partial<PayloadPlan>, string] => [
      algorithm,
      { checksum: { algorithm, value } },
      { checksum: { algorithm, value: `A${value.slice(1)}` } },
      'BadDigest',
    ]),
  ];

  test.each(digests)('is held to %s', async (_what, good, bad, code) => {
    const taken = await decode(data, planOf(9, good));
    expect(taken.text).toBe('123456789');
    const { checksum } = good;
    expect(taken.checksums).toEqual(checksum ? { [checksum.algorithm]: checksum.value } : {});
    const refused = await decode(data, planOf(9, { ...good, ...bad }));
    expect(refused).toEqual({ refusal: code, checksums: {} });
  });

  test('is held to its length', async () => {
    expect((await decode(data, planOf(8, {}))).refusal).toBe('InvalidRequest');
    expect((await decode(data, planOf(10, {}))).refusal).toBe('IncompleteBody');
  });

  test('passes on what breaks its source', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield data;
      throw new Error('connection reset');
    }
    const { body } = decodePayload(broken(), planOf(18, {}), null);
    const read = async (): Promise<void> => {
      for await (const piece of body) expect(piece.length).toBe(9);
    };
    await expect(read()).rejects.toThrow('connection reset');
  });
});

describe('back-pressure', () => {
  test.each(['unsigned', 'streaming-unsigned-trailer'] as const)(
    '%s: nothing is read before it is asked for',
    async (mode) => {
      let asked = 0;
      let isClosed = false;
      async function* endless(): AsyncGenerator<Uint8Array> {
        try {
          if (mode !== 'unsigned') yield Buffer.from('40000000\r\n');
          for (;;) {
            asked += 1;
            yield new Uint8Array(1024);
          }
        } finally {
          isClosed = true;
        }
      }
      const { body } = decodePayload(endless(), planOf(2 ** 40, { mode }), null);
      let read = 0;
      for await (const piece of body) {
        read += 1;
        expect(piece.length).toBe(1024);
        expect(asked).toBeLessThanOrEqual(read + 1);
        if (read === 100) break;
      }
      expect(isClosed).toBe(true);
    },
  );
});
