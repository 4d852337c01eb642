// What requests say beside their target: conditions, ranges, attributes, listings, uploads, copies.
import { describe, expect, test } from 'vitest';
import { encodeListingToken } from '../listing-token.ts';
import type { S3Call } from './call.ts';
import { readS3Call } from './request.ts';

type Headers = Readonly<Record<string, string>>;

function read(line: string, headers: Headers = {}): S3Call | string {
  const [, method = '', path = '', query = ''] = /^(\S+) ([^?]*)\??(.*)$/.exec(line) ?? [];
  const values = new Map(Object.entries(headers).map(([name, value]) => [name, [value]]));
  const answer = readS3Call({ method, path, query, headers: values });
  return answer.ok ? answer.value : answer.error.code;
}

describe('conditions', () => {
  const conditions = (headers: Headers): unknown => {
    const call = read('GET /data/k', headers);
    return typeof call === 'object' && 'conditions' in call ? call.conditions : call;
  };

  test.each<[Headers, unknown]>([
    [{}, {}],
    [{ 'if-match': '"a"' }, { ifMatch: ['a'] }],
    [{ 'if-match': 'a' }, { ifMatch: ['a'] }],
    [{ 'if-match': ' * ' }, { ifMatch: '*' }],
    [{ 'if-match': '"a, b" , "c",d' }, { ifMatch: ['a, b', 'c', 'd'] }],
    [{ 'if-match': 'W/"a"' }, { ifMatch: [] }],
    [{ 'if-none-match': 'W/"a", "b"' }, { ifNoneMatch: ['a', 'b'] }],
    [{ 'if-modified-since': 'Wed, 21 Oct 2015 07:28:00 GMT' }, { ifModifiedSince: 1_445_412_480_000 }],
    [{ 'if-unmodified-since': 'Wed, 21 Oct 2015 07:28:00 GMT' }, { ifUnmodifiedSince: 1_445_412_480_000 }],
  ])('%j are read', (headers, wanted) => {
    expect(conditions(headers)).toEqual(wanted);
  });

  test.each<Headers>([
    { 'if-match': '' },
    { 'if-match': '"a' },
    { 'if-match': 'a"b"' },
    { 'if-match': '"a" "b"' },
    { 'if-none-match': ',' },
    { 'if-modified-since': 'yesterday' },
    { 'if-modified-since': '2015-10-21T07:28:00Z' },
    { 'if-unmodified-since': 'Wed, 31 Feb 2015 07:28:00 GMT' },
    { 'if-unmodified-since': 'Thu, 21 Oct 2015 07:28:00 GMT' },
  ])('%j are refused, not ignored', (headers) => {
    expect(conditions(headers)).toBe('InvalidArgument');
  });

  test('stand on writes, and on both sides of a copy', () => {
    expect(read('PUT /data/k', { 'if-none-match': '*' })).toMatchObject({ conditions: { ifNoneMatch: '*' } });
    expect(read('DELETE /data/k', { 'if-match': '"a"' })).toMatchObject({ conditions: { ifMatch: ['a'] } });
    const copy = { 'x-amz-copy-source': 'from/k', 'x-amz-copy-source-if-match': '"a"', 'if-none-match': '*' };
    expect(read('PUT /data/k', copy)).toMatchObject({
      sourceConditions: { ifMatch: ['a'] },
      conditions: { ifNoneMatch: '*' },
    });
  });
});

describe('a range', () => {
  const range = (text: string): unknown => {
    const call = read('GET /data/k', { range: text });
    return typeof call === 'object' && 'range' in call ? call.range : undefined;
  };

  test.each<[string, unknown]>([
    ['bytes=0-0', { first: 0, last: 0 }],
    ['bytes=5-', { first: 5, last: null }],
    ['bytes=-3', { suffix: 3 }],
    ['bytes=-0', { suffix: 0 }],
    ['Bytes=1-2', { first: 1, last: 2 }],
    [`bytes=0-${'9'.repeat(40)}`, { first: 0, last: Number.MAX_SAFE_INTEGER }],
  ])('%s is read', (text, wanted) => {
    expect(range(text)).toEqual(wanted);
  });

  test.each(['bytes=0-1,3-4', 'bytes=2-1', 'bytes=-', 'bytes=a-b', 'items=0-1', '0-1', 'bytes=0-1x', ''])(
    '%j is ignored, as AWS does',
    (text) => {
      expect(range(text)).toBeUndefined();
    },
  );

  test('of a part’s source has both ends', () => {
    const copy = (text: string) =>
      read('PUT /data/k?partNumber=1&uploadId=u', { 'x-amz-copy-source': 'from/k', 'x-amz-copy-source-range': text });
    expect(copy('bytes=0-9')).toMatchObject({ range: { first: 0, last: 9 } });
    for (const text of ['bytes=0-', 'bytes=-9', 'bytes=9-0', '0-9', '']) expect(copy(text)).toBe('InvalidArgument');
  });
});

describe('attributes', () => {
  test('are what the headers say, without the framing', () => {
    const headers = {
      'content-type': 'text/plain',
      'content-encoding': 'aws-chunked,gzip',
      'content-disposition': 'attachment; filename="a"',
      'content-language': 'en',
      'cache-control': 'no-store',
      expires: '0',
      'x-amz-meta-job': '7',
      'x-amz-meta-__proto__': 'x',
    };
    const call = read('PUT /data/k', headers);
    expect(typeof call === 'object' && call.operation === 'PutObject' && call.attributes).toEqual({
      contentType: 'text/plain',
      contentEncoding: 'gzip',
      contentDisposition: 'attachment; filename="a"',
      contentLanguage: 'en',
      cacheControl: 'no-store',
      expires: '0',
      metadata: Object.fromEntries([
        ['job', '7'],
        ['__proto__', 'x'],
      ]),
    });
  });

  test('have no encoding when it was framing alone', () => {
    const call = read('PUT /data/k', { 'content-encoding': 'aws-chunked' });
    expect(typeof call === 'object' && call.operation === 'PutObject' && call.attributes).toEqual({ metadata: {} });
  });

  test.each<[string, Headers, string]>([
    ['metadata beyond 2 KiB', { 'x-amz-meta-a': 'x'.repeat(2048) }, 'MetadataTooLarge'],
    ['system headers beyond 2 KiB', { 'content-type': 'x'.repeat(2048) }, 'RequestHeaderSectionTooLarge'],
    ['metadata beyond ASCII', { 'x-amz-meta-a': 'é' }, 'InvalidArgument'],
    ['a type beyond ASCII', { 'content-type': 'é' }, 'InvalidArgument'],
    ['a tab', { 'x-amz-meta-a': 'a\tb' }, 'InvalidArgument'],
    ['metadata without name', { 'x-amz-meta-': 'a' }, 'InvalidArgument'],
  ])('with %s are refused', (_what, headers, code) => {
    expect(read('PUT /data/k', headers)).toBe(code);
  });

  test('up to 2 KiB are taken', () => {
    expect(read('PUT /data/k', { 'x-amz-meta-a': 'x'.repeat(2047) })).toMatchObject({ operation: 'PutObject' });
  });

  test('of an answer can be replaced by its reader, in what a header can hold', () => {
    expect(read('GET /data/k?response-content-type=text%2Fplain&response-expires=0')).toMatchObject({
      overrides: { 'content-type': 'text/plain', expires: '0' },
    });
    expect(read('GET /data/k?response-content-disposition=a%0D%0Aset-cookie%3Ab')).toBe('InvalidArgument');
    expect(read('GET /data/k?response-content-type=%E2%82%AC')).toBe('InvalidArgument');
  });
});

describe('a listing', () => {
  test('has the bounds of S3', () => {
    expect(read('GET /data')).toMatchObject({
      prefix: '',
      delimiter: null,
      maxKeys: 1000,
      after: '',
      encodesUrls: false,
    });
    expect(read('GET /data?max-keys=5000&delimiter=')).toMatchObject({ maxKeys: 1000, delimiter: null });
    expect(read('GET /data?max-keys=0&marker=m')).toMatchObject({ maxKeys: 0, after: 'm' });
  });

  test('of version 2 goes on where its token says', () => {
    const token = encodeListingToken('a/é');
    const call = read(`GET /data?list-type=2&start-after=z&continuation-token=${token}&fetch-owner=true`);
    expect(call).toMatchObject({ after: 'a/é', startAfter: 'z', continuationToken: token, fetchesOwner: true });
    expect(read('GET /data?list-type=2&start-after=z')).toMatchObject({ after: 'z', continuationToken: null });
  });

  test.each([
    'max-keys=-1',
    'max-keys=',
    'max-keys=1e3',
    'max-keys=2147483648',
    'encoding-type=xml',
    'prefix=a%00',
    'marker=%00',
  ])('with %s is refused', (query) => {
    expect(read(`GET /data?${query}`)).toBe('InvalidArgument');
  });

  test.each(['', 'x', 'MQ==', encodeListingToken('a').slice(0, -1), 'Mv_', 'MmE'])(
    'with the token %j is refused',
    (token) => {
      expect(read(`GET /data?list-type=2&continuation-token=${token}`)).toBe('InvalidArgument');
    },
  );

  test('with more than a key’s length is refused', () => {
    expect(read(`GET /data?prefix=${'x'.repeat(1025)}`)).toBe('KeyTooLongError');
  });

  test.each(['max-buckets=0', 'max-buckets=10001', 'max-buckets=x', 'continuation-token=x'])(
    'of buckets with %s is refused',
    (query) => {
      expect(read(`GET /?${query}`)).toBe('InvalidArgument');
    },
  );

  test('of buckets goes on where its token says', () => {
    const token = encodeListingToken('a-2');
    expect(read(`GET /?max-buckets=1000&prefix=a&continuation-token=${token}`)).toMatchObject({
      maxBuckets: 1000,
      prefix: 'a',
      after: 'a-2',
    });
    expect(read('GET /')).toMatchObject({ maxBuckets: 10_000, prefix: '', after: '' });
    expect(read('GET /?bucket-region=eu-west-1')).toBe('NotImplemented');
  });

  test('of version 3 does not exist', () => {
    expect(read('GET /data?list-type=3')).toBe('NotImplemented');
  });
});

describe('an upload', () => {
  test.each(['0', '10001', '-1', '1.0', '01x', ''])('has no part %j', (part) => {
    expect(read(`PUT /data/k?uploadId=u&partNumber=${part}`)).toBe('InvalidArgument');
  });

  test('has part 10000', () => {
    expect(read('PUT /data/k?uploadId=u&partNumber=10000')).toMatchObject({ partNumber: 10_000 });
  });

  test.each(['', 'a%20b', '%C3%A9', 'x'.repeat(1025)])('has not the id %j', (id) => {
    expect(read(`DELETE /data/k?uploadId=${id}`)).toBe('NoSuchUpload');
  });

  test('is checked as its algorithm is checked at AWS', () => {
    const create = (headers: Headers) => read('POST /data/k?uploads', headers);
    expect(create({})).toMatchObject({ checksumAlgorithm: null });
    expect(create({ 'x-amz-checksum-algorithm': 'CRC64NVME', 'x-amz-checksum-type': 'FULL_OBJECT' })).toMatchObject({
      checksumAlgorithm: 'crc64nvme',
    });
    expect(create({ 'x-amz-checksum-algorithm': 'CRC32', 'x-amz-checksum-type': 'FULL_OBJECT' })).toBe(
      'NotImplemented',
    );
    expect(create({ 'x-amz-checksum-type': 'COMPOSITE' })).toBe('NotImplemented');
    expect(create({ 'x-amz-checksum-algorithm': 'MD5' })).toBe('InvalidRequest');
  });

  test('lists its parts from a number on', () => {
    expect(read('GET /data/k?uploadId=u&part-number-marker=3&max-parts=2000')).toMatchObject({
      after: 3,
      maxParts: 1000,
    });
    expect(read('GET /data/k?uploadId=u&max-parts=x')).toBe('InvalidArgument');
  });
});

describe('a copy', () => {
  const copy = (headers: Headers) => read('PUT /data/k', { 'x-amz-copy-source': 'from/k', ...headers });

  test('keeps the attributes unless told to replace them', () => {
    expect(copy({ 'content-type': 'text/plain' })).toMatchObject({ attributes: null });
    expect(copy({ 'x-amz-metadata-directive': 'REPLACE', 'content-type': 'text/plain' })).toMatchObject({
      attributes: { contentType: 'text/plain' },
    });
    expect(copy({ 'x-amz-metadata-directive': 'replace' })).toBe('InvalidArgument');
    expect(copy({ 'x-amz-tagging-directive': 'REPLACE' })).toMatchObject({ operation: 'CopyObject' });
    expect(copy({ 'x-amz-tagging-directive': 'x' })).toBe('InvalidArgument');
  });

  test('onto itself changes something', () => {
    expect(copy({ 'x-amz-copy-source': 'data/k' })).toBe('InvalidRequest');
    expect(copy({ 'x-amz-copy-source': 'data/k', 'x-amz-metadata-directive': 'REPLACE' })).toMatchObject({
      operation: 'CopyObject',
    });
  });
});

describe('condition keys', () => {
  const keys = (line: string, headers: Headers = {}): unknown => {
    const call = read(line, headers);
    return typeof call === 'object' ? Object.fromEntries(call.conditionKeys) : call;
  };

  test('are what the request sent, and absent when it sent nothing', () => {
    expect(keys('GET /data')).toEqual({});
    expect(keys('GET /data?list-type=2&prefix=&delimiter=%2F&max-keys=5')).toEqual({
      's3:prefix': '',
      's3:delimiter': '/',
      's3:max-keys': '5',
    });
    expect(keys('PUT /data/k', { 'x-amz-acl': 'private', 'if-none-match': '*' })).toEqual({
      's3:x-amz-acl': 'private',
      's3:if-none-match': '*',
    });
    expect(keys('PUT /data/k', { 'x-amz-copy-source': '/from/a%20b' })).toEqual({ 's3:x-amz-copy-source': 'from/a b' });
  });
});
