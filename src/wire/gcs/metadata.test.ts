// What the JSON of a write may say.
import { describe, expect, test } from 'vitest';
import { readWrittenObject } from './metadata.ts';

const read = (value: unknown) => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const result = readWrittenObject(Buffer.from(text), 'web');
  return result.ok ? result.value : `${result.error.status} ${result.error.reason}`;
};

describe('the metadata of a write', () => {
  test('are taken as the clients send them', () => {
    expect(
      read({
        bucket: 'web',
        name: 'a',
        contentType: 'text/plain',
        cacheControl: null,
        metadata: { Job: '7' },
        crc32c: 'yZRlqg==',
        md5Hash: 'XUFAKrxLKna5cZ2REBfFkg==',
        storageClass: 'STANDARD',
      }),
    ).toEqual({
      name: 'a',
      attributes: { contentType: 'text/plain', metadata: { job: '7' } },
      hashes: { crc32c: 'yZRlqg==', md5: 'XUFAKrxLKna5cZ2REBfFkg==' },
    });
    expect(read('')).toEqual({ attributes: { metadata: {} }, hashes: {} });
  });

  test.each([
    ['no JSON', '{', '400 badRequest'],
    ['no object', '[]', '400 badRequest'],
    ['a name twice', '{"name":"a","name":"b"}', '400 badRequest'],
    ['another bucket', { bucket: 'other' }, '400 invalid'],
    ['a name that is none', { name: '..' }, '400 invalid'],
    ['a name that is no text', { name: 1 }, '400 invalid'],
    ['a line break', { contentType: 'a\r\nb: c' }, '400 invalid'],
    ['a broken CRC32C', { crc32c: 'AAAA' }, '400 invalid'],
    ['a broken MD5', { md5Hash: 'AAAA' }, '400 invalid'],
    ['metadata that are no texts', { metadata: { a: 1 } }, '400 invalid'],
    ['metadata that are one name in S3', { metadata: { a: '1', A: '2' } }, '400 invalid'],
    ['metadata with a name that no header has', { metadata: { 'a b': '1' } }, '400 invalid'],
    ['too much metadata', { metadata: { a: 'x'.repeat(2048) } }, '400 invalid'],
    ['too long texts', { contentType: 'x'.repeat(2000), cacheControl: 'y'.repeat(49) }, '400 invalid'],
    ['an ACL', { acl: [] }, '501 notImplemented'],
    ['a hold', { temporaryHold: true }, '501 notImplemented'],
    ['another storage class', { storageClass: 'ARCHIVE' }, '501 notImplemented'],
  ])('are refused with %s', (_what, value, answer) => {
    expect(read(value)).toBe(answer);
  });
});
