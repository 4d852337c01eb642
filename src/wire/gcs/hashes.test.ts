// Digests of bodies: told when they hold, and a refusal in place of the body's end when they do not.
import { expect, test } from 'vitest';
import { hashBody } from './hashes.ts';
import { PayloadError } from './payload-error.ts';

const HELLO = { crc32c: 'mnG7TA==', md5: 'XUFAKrxLKna5cZ2REBfFkg==' };

async function* hello(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('hel');
  yield Buffer.from('lo');
}

async function read(expected: { crc32c?: string; md5?: string }) {
  const hashed = hashBody(hello(), expected);
  const before = hashed.checksums();
  let text = '';
  try {
    for await (const piece of hashed.body) text += Buffer.from(piece).toString();
  } catch (cause) {
    return cause instanceof PayloadError ? cause.refusal.reason : cause;
  }
  return { before, text, after: hashed.checksums() };
}

test.each([{}, HELLO, { md5: HELLO.md5 }])(
  'a body that is what %j says has its CRC32C at the end',
  async (expected) => {
    expect(await read(expected)).toEqual({ before: {}, text: 'hello', after: { crc32c: HELLO.crc32c } });
  },
);

test.each([{ crc32c: 'AAAAAA==' }, { ...HELLO, md5: 'AAAAAAAAAAAAAAAAAAAAAA==' }])(
  'a body that is not what %j says has no end',
  async (expected) => {
    expect(await read(expected)).toBe('invalid');
  },
);
