// Names of buckets and objects: one reading each, nothing normalised.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeVectors, readVectors } from '../../../test/conformance/vectors.ts';
import { isBucketName, MAX_KEY_BYTES, readCopySource, readTarget } from './names.ts';

const keyOf = (path: string): string => {
  const target = readTarget(path);
  if (!target.ok) return target.error.code;
  return target.value.kind === 'object' ? `key ${target.value.key}` : target.value.kind;
};

describe('a path', () => {
  test.each([
    ['/', 'service'],
    ['/data', 'bucket'],
    ['/data/', 'bucket'],
    ['/data/k', 'key k'],
    ['/data//k', 'key /k'],
    ['/data/a/../b/./c//', 'key a/../b/./c//'],
    ['/data/%2e%2e/%2E', 'key ../.'],
    ['/data/a%2Fb', 'key a/b'],
    ['/data/a%252Fb', 'key a%2Fb'],
    ['/data/a%20b+c~(1).txt', 'key a b+c~(1).txt'],
    ['/data/%C3%A9', 'key é'],
    ['/data/x%3D1%26y%2520.txt', 'key x=1&y%20.txt'],
    ['/data/%EF%BB%BFk', 'key \ufeffk'],
    ['/data/a%0Ab%7F', 'key a\nb\u007f'],
    ['/data/a;b', 'key a;b'],
  ])('%s is %s', (path, wanted) => {
    expect(keyOf(path)).toBe(wanted);
  });

  test.each([
    ['', 'InvalidURI'],
    ['data/k', 'InvalidURI'],
    ['*', 'InvalidURI'],
    ['http://host/data/k', 'InvalidURI'],
    ['/data/a b', 'InvalidURI'],
    ['/data/é', 'InvalidURI'],
    ['/data/a#b', 'InvalidURI'],
    ['/data/%', 'InvalidURI'],
    ['/data/%4', 'InvalidURI'],
    ['/data/%zz', 'InvalidURI'],
    ['/data/%ff', 'InvalidURI'],
    ['/data/%c0%af', 'InvalidURI'],
    ['/data/%ed%a0%80', 'InvalidURI'],
    ['/data/a%00b', 'InvalidURI'],
    ['//data/k', 'InvalidBucketName'],
    ['/data%2Fk', 'InvalidBucketName'],
    ['/%64ata/k', 'InvalidBucketName'],
    ['/../k', 'InvalidBucketName'],
    ['/Data/k', 'InvalidBucketName'],
  ])('%j is refused', (path, code) => {
    expect(keyOf(path)).toBe(code);
  });

  test('holds keys up to 1024 bytes, however they are spelt', () => {
    expect(keyOf(`/data/${'k'.repeat(MAX_KEY_BYTES)}`)).toMatch(/^key/);
    expect(keyOf(`/data/${'%C3%A9'.repeat(MAX_KEY_BYTES / 2)}`)).toMatch(/^key/);
    expect(keyOf(`/data/${'k'.repeat(MAX_KEY_BYTES + 1)}`)).toBe('KeyTooLongError');
    expect(keyOf(`/data/${'%C3%A9'.repeat(MAX_KEY_BYTES / 2)}k`)).toBe('KeyTooLongError');
    expect(keyOf(`/data/${'k'.repeat(100_000)}`)).toBe('KeyTooLongError');
  });

  test('gives every key back that a client escapes', () => {
    const keys = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 }).filter((key) => !key.includes('\0'));
    fc.assert(
      fc.property(keys, (key) => {
        const path = `/data/${encodeURIComponent(key).replaceAll('%2F', '/')}`;
        expect(keyOf(path)).toBe(`key ${key}`);
        const source = readCopySource(`data/${encodeURIComponent(key)}`);
        expect(source.ok && source.value).toEqual({ bucket: 'data', key });
      }),
    );
  });
});

describeVectors('naughty strings', () => {
  test('are keys like others, or refused', () => {
    const strings = readVectors('blns/blns.json') as readonly string[];
    expect(strings.length).toBeGreaterThan(400);
    for (const text of strings.filter((each) => each.isWellFormed())) {
      const answer = keyOf(`/data/${encodeURIComponent(text)}`);
      const isTooLong = Buffer.byteLength(text) > MAX_KEY_BYTES;
      const wanted = text === '' ? 'bucket' : text.includes('\0') ? 'InvalidURI' : `key ${text}`;
      expect(answer).toBe(isTooLong ? 'KeyTooLongError' : wanted);
    }
  });
});

describe('a bucket name', () => {
  test.each(['abc', 'a.b-c', '0-9', 'a'.repeat(63), '1.2.3'])('%s is one', (name) => {
    expect(isBucketName(name)).toBe(true);
  });

  test.each([
    'ab',
    'a'.repeat(64),
    'Abc',
    'a_b',
    '-abc',
    'abc-',
    '.abc',
    'abc.',
    'a..b',
    '192.168.5.4',
    'xn--abc',
    'sthree-abc',
    'amzn-s3-demo-abc',
    'abc-s3alias',
    'abc--ol-s3',
    'abc.mrap',
    'abc--x-s3',
    'abc--table-s3',
    'ab\n',
    '',
  ])('%j is none', (name) => {
    expect(isBucketName(name)).toBe(false);
  });
});

describe('a copy source', () => {
  test.each(['data/a%20b', '/data/a%20b', 'data%2Fa%20b', '%2Fdata'].slice(0, 3))('%s is an object', (text) => {
    const source = readCopySource(text);
    expect(source.ok && source.value).toEqual({ bucket: 'data', key: 'a b' });
  });

  test.each([
    ['', 'InvalidArgument'],
    ['data', 'InvalidArgument'],
    ['data/', 'InvalidArgument'],
    ['//data/k', 'InvalidArgument'],
    ['Data/k', 'InvalidArgument'],
    ['arn:aws:s3:us-west-2:1:accesspoint/x/object/k', 'InvalidArgument'],
    ['data/a+b', 'InvalidArgument'],
    ['data/a b', 'InvalidArgument'],
    ['data/a?b', 'InvalidArgument'],
    ['data/%zz', 'InvalidArgument'],
    ['data/a%00', 'InvalidArgument'],
    [`data/${'k'.repeat(MAX_KEY_BYTES + 1)}`, 'InvalidArgument'],
    ['data/k?versionId=1', 'NotImplemented'],
  ])('%j is none', (text, code) => {
    const source = readCopySource(text);
    expect(!source.ok && source.error.code).toBe(code);
  });
});
