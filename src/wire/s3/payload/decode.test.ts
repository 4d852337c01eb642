// Bodies in chunks: every mode under any cut of the bytes, and that no changed byte is ever taken.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChunkSignatures } from '../../../base/sigv4/chunks.ts';
import { signingKey } from '../../../base/sigv4/signature.ts';
import { decodePayload } from './decode.ts';
import { PayloadError } from './payload-error.ts';
import type { PayloadPlan } from './plan.ts';

const SCOPE = { date: '20130524', region: 'us-east-1', service: 's3' };
const chain = (): ChunkSignatures =>
  new ChunkSignatures({
    key: signingKey('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', SCOPE),
    scope: SCOPE,
    amzDate: '20130524T000000Z',
    signature: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
  });

const sha256 = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex');
const crc32Of = (data: Uint8Array): string => {
  const digest = Buffer.alloc(4);
  digest.writeUInt32BE(crc32(data));
  return digest.toString('base64');
};

const planOf = (size: number, more: Partial<PayloadPlan>): PayloadPlan => ({
  mode: 'unsigned',
  size,
  sha256: null,
  contentMd5: null,
  checksum: null,
  trailer: null,
  ...more,
});

async function* pieces(list: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* list;
}

/** The body's bytes, or the code of its refusal; and what was verified. */
async function decode(list: readonly Uint8Array[], plan: PayloadPlan) {
  const signatures = plan.mode.startsWith('streaming-signed') ? chain() : null;
  const payload = decodePayload(pieces(list), plan, signatures);
  const read: Uint8Array[] = [];
  try {
    for await (const piece of payload.body) read.push(piece);
    return { bytes: Buffer.concat(read), checksums: payload.checksums() };
  } catch (thrown) {
    if (!(thrown instanceof PayloadError)) throw thrown;
    return { refusal: thrown.refusal.code, checksums: payload.checksums() };
  }
}

interface Framing {
  readonly signed: boolean;
  /** In the trailer. */
  readonly crc32: boolean;
}

/** A body in chunks, as a client sends it. */
function frame(chunks: readonly Uint8Array[], { signed, crc32: trailed }: Framing): Buffer {
  const signatures = chain();
  const parts: Buffer[] = [];
  for (const chunk of [...chunks.filter((each) => each.length > 0), new Uint8Array(0)]) {
    const signature = signed ? `;chunk-signature=${signatures.next(sha256(chunk))}` : '';
    const end = chunk.length > 0 ? '\r\n' : '';
    parts.push(Buffer.from(`${chunk.length.toString(16)}${signature}\r\n`), Buffer.from(chunk), Buffer.from(end));
  }
  if (trailed) {
    const trailer = `x-amz-checksum-crc32:${crc32Of(Buffer.concat(chunks))}`;
    parts.push(Buffer.from(`${trailer}\r\n`));
    if (signed) parts.push(Buffer.from(`x-amz-trailer-signature:${signatures.trailer(sha256(`${trailer}\n`))}\r\n`));
  }
  return Buffer.concat([...parts, Buffer.from('\r\n')]);
}

const MODES = [
  ['streaming-signed', { signed: true, crc32: false }],
  ['streaming-signed-trailer', { signed: true, crc32: true }],
  ['streaming-unsigned-trailer', { signed: false, crc32: true }],
] as const;
const planFor = (mode: PayloadPlan['mode'], framing: Framing, size: number): PayloadPlan =>
  planOf(size, { mode, trailer: framing.crc32 ? 'crc32' : null });

/** `data` in pieces of any sizes, empty ones among them. */
const cut = (data: Uint8Array, sizes: readonly number[]): Uint8Array[] => {
  const list: Uint8Array[] = [];
  let at = 0;
  for (let turn = 0; at < data.length; turn += 1) {
    const size = sizes.length === 0 ? data.length : (sizes[turn % sizes.length] ?? 0);
    list.push(data.subarray(at, at + (turn % 3 === 0 ? Math.max(1, size) : size)));
    at += list.at(-1)?.length ?? 0;
  }
  return list;
};
const chunkLists = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 });
const cuts = fc.array(fc.nat({ max: 30 }), { maxLength: 5 });

describe('AWS’s own example of signed chunks', () => {
  const data = Buffer.alloc(66_560, 'a');
  const body = Buffer.concat([
    Buffer.from('10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n'),
    data.subarray(0, 65_536),
    Buffer.from('\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n'),
    data.subarray(65_536),
    Buffer.from('\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n'),
  ]);

  test('is taken', async () => {
    const answer = await decode([body], planOf(data.length, { mode: 'streaming-signed' }));
    expect(answer.bytes?.equals(data)).toBe(true);
  });

  test('is refused without its last chunk, which ends the chain', async () => {
    const cutOff = body.subarray(0, body.indexOf('\r\n0;') + 2);
    expect((await decode([cutOff], planOf(data.length, { mode: 'streaming-signed' }))).refusal).toBe('IncompleteBody');
  });
});

describe.each(MODES)('a %s body', (mode, framing) => {
  test('is the same however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(chunkLists, cuts, async (chunks, sizes) => {
        const data = Buffer.concat(chunks);
        const answer = await decode(cut(frame(chunks, framing), sizes), planFor(mode, framing, data.length));
        expect(answer.refusal).toBeUndefined();
        expect(answer.bytes?.equals(data)).toBe(true);
        expect(answer.checksums).toEqual(framing.crc32 ? { crc32: crc32Of(data) } : {});
      }),
      { numRuns: 300 },
    );
  });

  test('is never taken with a byte changed, missing or added', async () => {
    const chunks = [Buffer.from('hello'), Buffer.from('world!')];
    const body = frame(chunks, framing);
    const plan = planFor(mode, framing, 11);
    for (let at = 0; at < body.length; at += 1) {
      const original = body[at] ?? 0;
      for (const other of [original ^ 1, original ^ 0x20, original ^ 0x80, 0x0a, 0x0d, 0x30, 0x3b]) {
        if (other === original) continue;
        const mutated = Buffer.from(body);
        mutated[at] = other;
        const answer = await decode([mutated], plan);
        // The case of a trailer's name and of a size in hexadecimal means nothing; all bytes are the same then.
        if (answer.refusal === undefined)
          expect(isSameButCase(mutated, body) && answer.bytes?.toString()).toBe('helloworld!');
      }
      expect((await decode([body.subarray(0, at), body.subarray(at + 1)], plan)).refusal).toBeDefined();
      expect(
        (await decode([body.subarray(0, at), Buffer.from([original]), body.subarray(at)], plan)).refusal,
      ).toBeDefined();
      expect((await decode([body.subarray(0, at)], plan)).refusal).toBeDefined();
    }
    expect((await decode([body], plan)).refusal).toBeUndefined();
  });

  test('is refused when it is longer or shorter than announced', async () => {
    const body = frame([Buffer.from('hello')], framing);
    expect((await decode([body], planFor(mode, framing, 4))).refusal).toBe('InvalidRequest');
    expect((await decode([body], planFor(mode, framing, 6))).refusal).toBe('IncompleteBody');
  });

  test('is refused with anything behind its end', async () => {
    const body = frame([Buffer.from('hello')], framing);
    expect((await decode([body, Buffer.from('\r\n')], planFor(mode, framing, 5))).refusal).toBe('InvalidRequest');
  });
});

const isSameButCase = (one: Buffer, other: Buffer): boolean =>
  one.toString('latin1').toLowerCase() === other.toString('latin1').toLowerCase();

describe('aws-chunked framing', () => {
  const plan = planOf(5, { mode: 'streaming-unsigned-trailer' });

  test('takes a body without a trailer when none was announced', async () => {
    expect((await decode([Buffer.from('5\r\nhello\r\n0\r\n\r\n')], plan)).bytes?.toString()).toBe('hello');
  });

  test.each([
    ['a chunk extension', '5;x=y\r\nhello\r\n0\r\n\r\n', 'InvalidRequest'],
    ['a signature where none belongs', `5;chunk-signature=${'0'.repeat(64)}\r\nhello\r\n0\r\n\r\n`, 'InvalidRequest'],
    ['a bare line feed', '5\nhello\r\n0\r\n\r\n', 'InvalidRequest'],
    ['a bare line feed as last line', '5\r\nhello\r\n0\r\n\n', 'InvalidRequest'],
    ['two returns', '5\r\r\nhello\r\n0\r\n\r\n', 'InvalidRequest'],
    ['a sign', '+5\r\nhello\r\n0\r\n\r\n', 'InvalidRequest'],
    ['a prefix', '0x5\r\nhello\r\n0\r\n\r\n', 'InvalidRequest'],
    ['a leading zero', '05\r\nhello\r\n0\r\n\r\n', 'InvalidRequest'],
    ['two zeroes at the end', '5\r\nhello\r\n00\r\n\r\n', 'InvalidRequest'],
    ['white space', '5 \r\nhello\r\n0\r\n\r\n', 'InvalidRequest'],
    ['a size beyond every number', 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n', 'InvalidRequest'],
    ['a size that wraps around', '10000000000000005\r\nhello\r\n0\r\n\r\n', 'InvalidRequest'],
    ['a line without end', '5'.repeat(5000), 'InvalidRequest'],
    ['no line end behind the data', '5\r\nhello0\r\n\r\n', 'InvalidRequest'],
    [
      'a trailer that was not announced',
      '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n',
      'MalformedTrailerError',
    ],
    ['no last chunk', '5\r\nhello\r\n', 'IncompleteBody'],
    ['no empty line at the end', '5\r\nhello\r\n0\r\n', 'IncompleteBody'],
    ['nothing', '', 'IncompleteBody'],
  ])('is refused with %s', async (_what, body, code) => {
    expect((await decode([Buffer.from(body)], plan)).refusal).toBe(code);
  });

  test.each([
    ['no trailer', '', 'MalformedTrailerError'],
    ['another trailer', 'x-amz-checksum-crc32c:NhCmhg==\r\n', 'MalformedTrailerError'],
    ['a trailer twice', 'x-amz-checksum-crc32:NhCmhg==\r\nx-amz-checksum-crc32:NhCmhg==\r\n', 'MalformedTrailerError'],
    ['a further trailer', 'x-amz-checksum-crc32:NhCmhg==\r\nx-amz-meta-a:b\r\n', 'MalformedTrailerError'],
    ['a value that is no checksum', 'x-amz-checksum-crc32:NhCmhg\r\n', 'InvalidRequest'],
    ['another value', 'x-amz-checksum-crc32:AAAAAA==\r\n', 'BadDigest'],
    ['the value', 'x-amz-checksum-crc32:NhCmhg==\r\n', undefined],
  ])('with an announced trailer and %s', async (_what, trailer, code) => {
    const body = Buffer.from(`5\r\nhello\r\n0\r\n${trailer}\r\n`);
    expect((await decode([body], { ...plan, trailer: 'crc32' })).refusal).toBe(code);
  });

  test('refuses chunks in another order, left out or repeated', async () => {
    const body = frame([Buffer.from('one'), Buffer.from('two')], { signed: true, crc32: false }).toString('latin1');
    const [one = '', two = '', end = ''] = body.split(/(?<=one\r\n|two\r\n)/);
    expect(`${one}${two}${end}`).toBe(body);
    for (const list of [
      [two, one, end],
      [one, one, end],
      [two, end],
      [one, two, two, end],
    ]) {
      const size = 3 * (list.length - 1);
      const answer = await decode([Buffer.from(list.join(''), 'latin1')], planOf(size, { mode: 'streaming-signed' }));
      expect(answer.refusal).toBe('SignatureDoesNotMatch');
    }
  });
});
