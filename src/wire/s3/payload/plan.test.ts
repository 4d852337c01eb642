// How a body is announced: every mode, and one refusal for each contradiction.
import { describe, expect, test } from 'vitest';
import { type PlanOptions, readPayloadPlan, refuseContent } from './plan.ts';

const HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const LENGTH = { 'content-length': '5' };
const STREAM = { 'content-encoding': 'aws-chunked', 'x-amz-decoded-content-length': '5' };
const TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

function plan(
  payloadHash: string | null,
  headers: Readonly<Record<string, string | readonly string[]>>,
  options: Partial<PlanOptions> & { readonly form?: 'header' | 'query' } = {},
) {
  const request = {
    method: 'PUT',
    path: '/data/k',
    query: '',
    headers: new Map(Object.entries(headers).map(([name, value]) => [name, [value].flat()])),
  };
  const claim = { form: options.form ?? 'header', payloadHash };
  return readPayloadPlan(request, { claim, maxBytes: 100, ...options });
}
const codeOf = (answer: ReturnType<typeof plan>): string => (answer.ok ? 'taken' : answer.error.code);

describe('a payload plan', () => {
  test.each([
    ['hash', HASH, LENGTH],
    ['unsigned', 'UNSIGNED-PAYLOAD', LENGTH],
    ['streaming-signed', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', STREAM],
    [
      'streaming-signed-trailer',
      'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
      { ...STREAM, 'x-amz-trailer': 'x-amz-checksum-crc32c' },
    ],
    ['streaming-unsigned-trailer', TRAILER, STREAM],
  ])('of mode %s tells the length', (mode, payloadHash, headers) => {
    const answer = plan(payloadHash, headers);
    expect(answer.ok && answer.value).toMatchObject({ mode, size: 5, sha256: mode === 'hash' ? HASH : null });
  });

  test('of a presigned request without a hash is unsigned', () => {
    const answer = plan(null, LENGTH, { form: 'query' });
    expect(answer.ok && answer.value.mode).toBe('unsigned');
  });

  test('knows a checksum in front of the body and one behind it', () => {
    const front = plan(HASH, {
      ...LENGTH,
      'x-amz-checksum-crc32': 'jVKYRQ==',
      'x-amz-sdk-checksum-algorithm': 'CRC32',
    });
    expect(front.ok && front.value.checksum).toEqual({ algorithm: 'crc32', value: 'jVKYRQ==' });
    const behind = plan(TRAILER, { ...STREAM, 'x-amz-trailer': 'x-amz-checksum-crc64nvme' });
    expect(behind.ok && behind.value.trailer).toBe('crc64nvme');
  });

  test.each([
    ['no hash at all', null, LENGTH, 'MissingSecurityHeader'],
    ['another word for the hash', 'UNSIGNED', LENGTH, 'InvalidArgument'],
    ['a hash in capitals', HASH.toUpperCase(), LENGTH, 'InvalidArgument'],
    ['a short hash', HASH.slice(1), LENGTH, 'InvalidArgument'],
    ['SigV4A', 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD', STREAM, 'NotImplemented'],
    ['SigV4A and a trailer', 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER', STREAM, 'NotImplemented'],
    ['no length', HASH, {}, 'MissingContentLength'],
    ['no decoded length', TRAILER, LENGTH, 'MissingContentLength'],
    ['a length that is none', HASH, { 'content-length': '5x' }, 'InvalidArgument'],
    ['a negative decoded length', TRAILER, { 'x-amz-decoded-content-length': '-5' }, 'InvalidArgument'],
    ['a length twice', HASH, { 'content-length': ['5', '5'] }, 'InvalidRequest'],
    ['too great a length', HASH, { 'content-length': '101' }, 'EntityTooLarge'],
    ['too great a decoded length', TRAILER, { 'x-amz-decoded-content-length': '101' }, 'EntityTooLarge'],
    [
      'chunks that no mode frames',
      'UNSIGNED-PAYLOAD',
      { ...LENGTH, 'content-encoding': 'gzip,aws-chunked' },
      'InvalidArgument',
    ],
    ['a decoded length that no mode reads', HASH, { ...LENGTH, 'x-amz-decoded-content-length': '4' }, 'InvalidRequest'],
    ['a trailer that no mode reads', HASH, { ...LENGTH, 'x-amz-trailer': 'x-amz-checksum-crc32' }, 'InvalidRequest'],
    [
      'a trailer without place',
      'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      { ...STREAM, 'x-amz-trailer': 'x-amz-checksum-crc32' },
      'InvalidRequest',
    ],
    ['a signed trailer that is not announced', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', STREAM, 'InvalidRequest'],
    ['a trailer that is no checksum', TRAILER, { ...STREAM, 'x-amz-trailer': 'x-amz-meta-a' }, 'InvalidRequest'],
    [
      'two trailers',
      TRAILER,
      { ...STREAM, 'x-amz-trailer': 'x-amz-checksum-crc32,x-amz-checksum-sha1' },
      'InvalidRequest',
    ],
    [
      'two checksums',
      HASH,
      { ...LENGTH, 'x-amz-checksum-crc32': 'jVKYRQ==', 'x-amz-checksum-crc32c': 'jVKYRQ==' },
      'InvalidRequest',
    ],
    [
      'a checksum on both sides',
      TRAILER,
      { ...STREAM, 'x-amz-checksum-crc32': 'jVKYRQ==', 'x-amz-trailer': 'x-amz-checksum-crc32' },
      'InvalidRequest',
    ],
    ['a checksum that is too short', HASH, { ...LENGTH, 'x-amz-checksum-crc32': 'jVKY' }, 'InvalidRequest'],
    ['a checksum in another spelling', HASH, { ...LENGTH, 'x-amz-checksum-crc32': 'jVKYRR==' }, 'InvalidRequest'],
    [
      'a declared algorithm that is another',
      HASH,
      { ...LENGTH, 'x-amz-checksum-crc32': 'jVKYRQ==', 'x-amz-sdk-checksum-algorithm': 'SHA256' },
      'InvalidRequest',
    ],
    ['a declared algorithm alone', HASH, { ...LENGTH, 'x-amz-sdk-checksum-algorithm': 'CRC32' }, 'InvalidRequest'],
    ['an MD5 that is none', HASH, { ...LENGTH, 'content-md5': 'abc' }, 'InvalidDigest'],
  ])('is refused with %s', (_what, payloadHash, headers, code) => {
    expect(codeOf(plan(payloadHash, headers))).toBe(code);
  });

  test('of a bulk deletion has a digest', () => {
    expect(codeOf(plan(HASH, LENGTH, { needsDigest: true }))).toBe('InvalidRequest');
    const digested = { ...LENGTH, 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' };
    expect(codeOf(plan(HASH, digested, { needsDigest: true }))).toBe('taken');
    expect(codeOf(plan(HASH, { ...LENGTH, 'x-amz-checksum-crc32': 'AAAAAA==' }, { needsDigest: true }))).toBe('taken');
  });
});

describe('an operation without a body', () => {
  const content = (headers: Readonly<Record<string, string>>) =>
    refuseContent({
      method: 'GET',
      path: '/',
      query: '',
      headers: new Map(Object.entries(headers).map(([name, value]) => [name, [value]])),
    })?.code;

  test('takes none', () => {
    expect(content({})).toBeUndefined();
    expect(content({ 'content-length': '0' })).toBeUndefined();
    expect(content({ 'content-length': '1' })).toBe('UnexpectedContent');
    expect(content({ 'transfer-encoding': 'chunked' })).toBe('UnexpectedContent');
  });
});
