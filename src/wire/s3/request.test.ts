// From requests to calls: every row of the allow-list, and one refusal for each thing that is not in it.
import { describe, expect, test } from 'vitest';
import type { S3Call } from './call.ts';
import { OPERATIONS } from './operations.ts';
import { readS3Call } from './request.ts';

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** `METHOD /path?query` with headers. */
function read(line: string, headers: Headers = {}) {
  const [method = '', target = ''] = line.split(' ');
  const split = target.indexOf('?');
  return readS3Call({
    method,
    path: split === -1 ? target : target.slice(0, split),
    query: split === -1 ? '' : target.slice(split + 1),
    headers: new Map(Object.entries(headers).map(([name, value]) => [name, [value].flat()])),
  });
}

const call = (line: string, headers: Headers = {}): S3Call => {
  const read1 = read(line, headers);
  if (!read1.ok) throw new Error(`${line}: ${read1.error.code}: ${read1.error.message}`);
  return read1.value;
};
const code = (line: string, headers: Headers = {}): string => {
  const answer = read(line, headers);
  return answer.ok ? `served as ${answer.value.operation}` : answer.error.code;
};

const SOURCE = { 'x-amz-copy-source': '/from/a%20b' };
/** One good request of each operation. */
const GOOD: readonly (readonly [S3Call['operation'], string, Headers])[] = [
  ['ListBuckets', 'GET /?x-id=ListBuckets', {}],
  ['HeadBucket', 'HEAD /data', {}],
  ['GetBucketLocation', 'GET /data?location', {}],
  ['ListObjects', 'GET /data?prefix=a%2F&delimiter=%2F&encoding-type=url', {}],
  ['ListObjectsV2', 'GET /data/?list-type=2&prefix=', {}],
  ['DeleteObjects', 'POST /data?delete=', { 'content-type': 'application/xml' }],
  ['GetObject', 'GET /data/k', { range: 'bytes=0-9', 'x-amz-checksum-mode': 'ENABLED', 'x-amz-te': 'append-md5' }],
  ['HeadObject', 'HEAD /data/k', {}],
  ['PutObject', 'PUT /data/k?x-id=PutObject', { 'x-amz-acl': 'bucket-owner-full-control' }],
  ['CopyObject', 'PUT /data/k', SOURCE],
  ['DeleteObject', 'DELETE /data/k', {}],
  ['CreateMultipartUpload', 'POST /data/k?uploads', { 'x-amz-checksum-algorithm': 'CRC32' }],
  ['UploadPart', 'PUT /data/k?partNumber=1&uploadId=u', {}],
  ['UploadPartCopy', 'PUT /data/k?partNumber=1&uploadId=u', SOURCE],
  ['CompleteMultipartUpload', 'POST /data/k?uploadId=u', {}],
  ['AbortMultipartUpload', 'DELETE /data/k?uploadId=u', {}],
  ['ListParts', 'GET /data/k?uploadId=u&max-parts=5', {}],
];

describe('the allow-list', () => {
  test.each(GOOD)('serves %s', (operation, line, headers) => {
    expect(call(line, headers).operation).toBe(operation);
  });

  test('has a good request here for each of its rows', () => {
    expect(GOOD.map(([operation]) => operation)).toEqual(OPERATIONS.map(({ operation }) => operation));
  });

  test.each(GOOD)('refuses %s with a parameter that nobody reads', (_operation, line, headers) => {
    const query = line.includes('?') ? '&' : '?';
    for (const name of [
      'acl',
      'versionId=null',
      'tagging',
      'policy',
      'unknown=1',
      'constructor',
      'partNumber=2&part',
    ]) {
      expect(code(`${line}${query}${name}`, headers)).toMatch(/^(NotImplemented|InvalidRequest)$/);
    }
  });

  test.each(GOOD)('refuses %s with a header that would change its meaning', (_operation, line, headers) => {
    const meaning: readonly string[] = [
      'x-amz-tagging',
      'x-amz-server-side-encryption',
      'x-amz-server-side-encryption-customer-algorithm',
      'x-amz-object-lock-mode',
      'x-amz-website-redirect-location',
      'x-amz-grant-read',
      'x-amz-mfa',
      'x-amz-expected-bucket-owner',
      'x-amz-write-offset-bytes',
      'x-amz-mp-object-size',
      'x-amz-unheard-of',
      'if-range',
    ];
    for (const name of meaning) expect(code(line, { ...headers, [name]: 'x' })).toBe('NotImplemented');
  });

  test.each([
    ['a bucket is made', 'PUT /data', {}],
    ['a bucket is deleted', 'DELETE /data', {}],
    ['uploads are listed', 'GET /data?uploads', {}],
    ['a sub-resource has a value', 'GET /data?location=x', {}],
    ['two sub-resources stand side by side', 'GET /data?location&list-type=2', {}],
    ['a form is posted', 'POST /data', { 'content-type': 'multipart/form-data; boundary=x' }],
    ['a form is posted under another name', 'POST /data?delete', { 'content-type': 'Multipart/Form-Data; boundary=x' }],
    ['an object is posted to', 'POST /data/k', {}],
    ['a part of an object is asked for', 'GET /data/k?partNumber=1', {}],
    ['a part has a number and no upload', 'PUT /data/k?partNumber=1', {}],
    ['a part has an upload and no number', 'PUT /data/k?uploadId=u', {}],
    ['a copy stands on a read', 'GET /data/k', SOURCE],
    ['a copy names a version', 'PUT /data/k', { 'x-amz-copy-source': '/from/k?versionId=1' }],
    ['another method is used', 'PATCH /data/k', {}],
    ['a method is spelt small', 'get /data/k', {}],
    ['a service is posted to', 'POST /', {}],
    ['storage of another class is asked for', 'PUT /data/k', { 'x-amz-storage-class': 'GLACIER' }],
    ['a list is conditional', 'GET /data', { 'if-none-match': '*' }],
    ['a write is conditional on a date', 'PUT /data/k', { 'if-unmodified-since': 'Wed, 21 Oct 2015 07:28:00 GMT' }],
    ['a write is conditional on the absence of one state', 'PUT /data/k', { 'if-none-match': '"abc"' }],
    ['a completion tells a checksum', 'POST /data/k?uploadId=u', { 'x-amz-checksum-crc32': 'AAAAAA==' }],
    ['a framing header stands in the query', 'PUT /data/k?x-amz-trailer=x', {}],
  ])('refuses it when %s', (_what, line, headers: Headers) => {
    expect(code(line, headers)).toBe('NotImplemented');
  });

  test('refuses ACLs that say more than nothing, as AWS does', () => {
    expect(code('PUT /data/k', { 'x-amz-acl': 'public-read' })).toBe('AccessControlListNotSupported');
  });

  test('takes no notice of headers of HTTP, of proxies and of clients’ own', () => {
    const headers = {
      'user-agent': 'x',
      'amz-sdk-request': 'attempt=1',
      'x-amzn-trace-id': 'x',
      'cache-control': 'no-cache',
    };
    expect(call('GET /data/k', headers).operation).toBe('GetObject');
  });
});

describe('a presigned request', () => {
  const SIGNED =
    'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=c&X-Amz-Date=d&X-Amz-Expires=1&X-Amz-SignedHeaders=host&X-Amz-Signature=s';

  test('leaves the signature’s parameters to the signature', () => {
    expect(call(`GET /data/k?${SIGNED}&X-Amz-Security-Token=t&x-id=GetObject`).operation).toBe('GetObject');
  });

  test('carries headers in its query', () => {
    const put = call(
      `PUT /data/k?${SIGNED}&x-amz-meta-Job=7&x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32`,
    );
    expect(put).toMatchObject({ operation: 'PutObject', attributes: { metadata: { job: '7' } } });
    expect(call(`GET /data/k?${SIGNED}&x-amz-checksum-mode=ENABLED`)).toMatchObject({ wantsChecksums: true });
    expect(code(`PUT /data/k?${SIGNED}&x-amz-acl=public-read`)).toBe('AccessControlListNotSupported');
    expect(code(`PUT /data/k?${SIGNED}&x-amz-tagging=a%3Db`)).toBe('NotImplemented');
  });

  test('copies when its query says so', () => {
    expect(call(`PUT /data/k?${SIGNED}&x-amz-copy-source=from%2Fk`).operation).toBe('CopyObject');
  });

  test('says nothing twice', () => {
    expect(code(`PUT /data/k?x-amz-acl=private`, { 'x-amz-acl': 'private' })).toBe('InvalidRequest');
    expect(code(`PUT /data/k?x-amz-meta-a=1&X-Amz-Meta-A=2`)).toBe('InvalidRequest');
    expect(code('GET /data?prefix=a&prefix=b')).toBe('InvalidRequest');
    expect(code('GET /data?prefix=a&%70refix=b')).toBe('InvalidRequest');
  });

  test.each(['a%3Ab', 'a%0Ab', 'a%20b', '%22'])('names no metadata %s, which no header could', (name) => {
    expect(code(`PUT /data/k?x-amz-meta-${name}=1`)).toBe('InvalidArgument');
  });

  test('spells the signature’s parameters as AWS does', () => {
    expect(code('GET /data/k?x-amz-signature=s')).toBe('NotImplemented');
  });
});

describe('a query', () => {
  test.each(['a=%zz', 'a=%ff', 'a=é', '&', 'a=1&', '=1', 'prefix=a+b', 'prefix=a#b'])('%j is refused', (query) => {
    expect(code(`GET /data?${query}`)).toBe('InvalidURI');
  });

  test('beyond its bound is refused', () => {
    expect(code(`GET /data?prefix=${'x'.repeat(33_000)}`)).toBe('RequestHeaderSectionTooLarge');
  });

  test('with a header that stands several times is refused', () => {
    expect(code('PUT /data/k', { 'x-amz-meta-a': ['1', '2'] })).toBe('InvalidRequest');
    expect(code('PUT /data/k', { 'content-type': ['a', 'b'] })).toBe('InvalidRequest');
  });
});
