// Multipart uploads as clients write them, cut anywhere, and what is refused of them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PayloadError } from './payload-error.ts';
import { openRelated } from './related.ts';

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const JSON_PART = 'Content-Type: application/json\r\n\r\n{"name":"a"}';
const bodyOf = (content: string | Uint8Array, boundary = 'b'): Buffer =>
  Buffer.concat([
    Buffer.from(`--${boundary}\r\n${JSON_PART}\r\n--${boundary}\r\nContent-Type: text/x\r\n\r\n`),
    Buffer.from(content),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);

/** What is made of a body that arrives in pieces of `size` bytes. */
async function taken(body: Uint8Array | string, { boundary = 'b', size = 7 } = {}) {
  const upload = await openRelated(pieces(Buffer.from(body), size), boundary);
  const content: Uint8Array[] = [];
  for await (const piece of upload.content) content.push(piece);
  return { ...upload, metadata: Buffer.from(upload.metadata).toString(), content: Buffer.concat(content) };
}

const refusal = async (body: string): Promise<unknown> =>
  taken(body, { size: 64 }).then(
    () => 'taken',
    (cause: unknown) => (cause instanceof PayloadError ? cause.refusal.reason : cause),
  );

describe('a multipart upload', () => {
  test('is taken apart as Node and Go write it', async () => {
    const upload = await taken(bodyOf('hello'));
    expect(upload).toMatchObject({ metadata: '{"name":"a"}', contentType: 'text/x' });
    expect(upload.content.toString()).toBe('hello');
  });

  test('is taken apart as gcloud writes it: with line feeds alone, and more headers', async () => {
    const boundary = '===============1330007262298156696==';
    const upload = await taken(
      `--${boundary}\nContent-Type: application/json\nMIME-Version: 1.0\n\n{"name": "a"}\n--${boundary}\nContent-Type: text/plain\nMIME-Version: 1.0\nContent-Transfer-Encoding: binary\n\nhello\r\n--${boundary}--\n`,
      { boundary },
    );
    // The line ends as the message does: the carriage return is the content's.
    expect(upload.content.toString()).toBe('hello\r');
    expect(upload.metadata).toBe('{"name": "a"}');
  });

  test('gives back every content, however it is cut', async () => {
    const content = fc.array(fc.constantFrom('\r\n', '--', 'b', '\r\n--', '\r\n-', 'x', '\0'), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(content, fc.integer({ min: 1, max: 9 }), async (parts, size) => {
        const text = parts.join('');
        fc.pre(!`\r\n${text}`.includes('\r\n--b'));
        expect((await taken(bodyOf(text), { size })).content.toString('latin1')).toBe(text);
      }),
    );
  });

  test('may be empty', async () => {
    expect((await taken(bodyOf(''))).content.length).toBe(0);
  });

  test.each([
    ['a preamble', `x${bodyOf('a')}`, 'badRequest'],
    ['another boundary', `--c\r\n${JSON_PART}\r\n--c--`, 'badRequest'],
    ['one part only', `--b\r\n${JSON_PART}\r\n--b--\r\n`, 'badRequest'],
    ['a third part', `${bodyOf('a').toString().slice(0, -4)}\r\nContent-Type: a/b\r\n\r\nx\r\n--b--\r\n`, 'badRequest'],
    ['content that goes on with its boundary', bodyOf('a\r\n--bc').toString(), 'badRequest'],
    ['bytes behind its end', `${bodyOf('a')}x`, 'badRequest'],
    ['no end', bodyOf('hello').toString().slice(0, -8), 'badRequest'],
    ['no content', `--b\r\n${JSON_PART}\r\n--b\r\n`, 'badRequest'],
    ['metadata that are no JSON', bodyOf('a').toString().replace('application/json', 'text/plain'), 'badRequest'],
    ['a broken header', bodyOf('a').toString().replace('Content-Type: text/x', 'Content-Type'), 'badRequest'],
    ['two types', bodyOf('a').toString().replace('text/x', 'text/x\r\nContent-Type: text/y'), 'badRequest'],
    ['a type that is none', bodyOf('a').toString().replace('text/x', 'x'.repeat(2049)), 'badRequest'],
    [
      'an unknown header',
      bodyOf('a').toString().replace('text/x', 'text/x\r\nContent-Encoding: gzip'),
      'notImplemented',
    ],
    [
      'a transfer encoding',
      bodyOf('a').toString().replace('text/x', 'a/b\r\nContent-Transfer-Encoding: base64'),
      'notImplemented',
    ],
    ['metadata without an end', `--b\r\n${JSON_PART}${' '.repeat(70_000)}`, 'badRequest'],
    [
      'mixed line ends',
      bodyOf('a').toString().replaceAll('--b\r\nContent-Type: text', '--b\nContent-Type: text'),
      'badRequest',
    ],
  ])('with %s is refused', async (_what, body, reason) => {
    expect(await refusal(body)).toBe(reason);
  });
});
