// The table of what is served, as the real clients send it, and a negative for each check.
import { describe, expect, test } from 'vitest';
import type { GcsCall } from './call.ts';
import { readGcsCall } from './request.ts';

interface Asked {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

const read = (request: string, { headers = {} }: Asked = {}) => {
  const [method = '', target = ''] = request.split(' ');
  const [path = '', query = ''] = target.split(/\?(.*)/s);
  const all = Object.entries(headers).map(([name, value]): [string, readonly string[]] => [name, [value].flat()]);
  return readGcsCall({ method, path, query, headers: new Map(all) });
};
const call = (request: string, asked?: Asked): GcsCall | string => {
  const result = read(request, asked);
  return result.ok ? result.value : `${result.error.status} ${result.error.reason}`;
};

const GO = 'alt=json&prettyPrint=false&projection=full';
const RELATED = { 'content-type': 'multipart/related; boundary=82fd801e' };

describe('what the clients send is served', () => {
  test.each<[string, string, object]>([
    [
      'node getBuckets',
      'GET /storage/v1/b?project=42',
      { operation: 'ListBuckets', prefix: '', maxResults: 1000, after: '' },
    ],
    [
      'gcloud ls',
      'GET /storage/v1/b?alt=json&fields=items%2Fname&maxResults=1000&project=p42&projection=noAcl',
      { operation: 'ListBuckets' },
    ],
    ['node bucket.exists', 'GET /storage/v1/b/web?', { operation: 'GetBucket', bucket: 'web' }],
    ['gcloud rm -r', 'GET /storage/v1/b/web/storageLayout?alt=json', { operation: 'GetStorageLayout', bucket: 'web' }],
    [
      'node getFiles',
      'GET /storage/v1/b/web/o?prefix=a%2F&delimiter=%2F&maxResults=1',
      { operation: 'ListObjects', bucket: 'web', prefix: 'a/', delimiter: '/', maxResults: 1 },
    ],
    [
      'terraform workspaces',
      `GET /storage/v1/b/web/o?alt=json&delimiter=%2F&endOffset=&includeTrailingDelimiter=false&pageToken=&prefix=state%2F&prettyPrint=false&projection=full&startOffset=&versions=false`,
      { operation: 'ListObjects', prefix: 'state/', after: '' },
    ],
    [
      'gcloud ls of a bucket',
      'GET /storage/v1/b/web/o?alt=json&fields=prefixes&delimiter=%2F&includeFoldersAsPrefixes=True&maxResults=1000&projection=noAcl&versions=True',
      { operation: 'ListObjects', delimiter: '/' },
    ],
    [
      'node getMetadata',
      'GET /storage/v1/b/web/o/a%2Fb%20c%2Bd%20%C3%A9.txt?',
      { operation: 'GetObject', bucket: 'web', key: 'a/b c+d é.txt', generation: null },
    ],
    ['node download', 'GET /storage/v1/b/web/o/big?alt=media', { operation: 'ReadObject', key: 'big' }],
    [
      'gcloud cp',
      'GET /download/storage/v1/b/web/o/big?generation=1700000000000009&alt=media',
      { operation: 'ReadObject', key: 'big', generation: 1_700_000_000_000_009 },
    ],
    [
      'terraform state',
      'GET /web/state/default.tfstate',
      { operation: 'ReadObject', bucket: 'web', key: 'state/default.tfstate', generation: null },
    ],
    [
      'terraform unlock',
      `DELETE /storage/v1/b/web/o/l?${GO}&ifGenerationMatch=16`,
      { operation: 'DeleteObject', key: 'l', conditions: { ifGenerationMatch: 16 } },
    ],
    [
      'gcloud rm',
      'DELETE /storage/v1/b/web/o/x?alt=json&generation=9',
      { operation: 'DeleteObject', generation: 9, conditions: {} },
    ],
    ['node deleteFiles', 'DELETE /storage/v1/b/web/o/res2?prefix=re', { operation: 'DeleteObject', key: 'res2' }],
    [
      'node copy',
      'POST /storage/v1/b/web/o/crc/rewriteTo/b/other/o/copied%2Fto?',
      {
        operation: 'RewriteObject',
        bucket: 'other',
        key: 'copied/to',
        source: { bucket: 'web', key: 'crc' },
        sourceGeneration: null,
      },
    ],
    [
      'gcloud cp between buckets',
      'POST /storage/v1/b/web/o/a/rewriteTo/b/web/o/b?alt=json&maxBytesRewrittenPerCall=104857600',
      { operation: 'RewriteObject' },
    ],
  ])('%s', (_client, request, expected) => {
    expect(call(request)).toMatchObject(expected);
  });

  test.each<[string, string, Asked, object]>([
    [
      'a range',
      'GET /storage/v1/b/web/o/big?alt=media',
      { headers: { range: 'bytes=3-9' } },
      { range: { first: 3, last: 9 } },
    ],
    [
      'node save',
      'POST /upload/storage/v1/b/web/o?uploadType=multipart&name=a%2Fb',
      { headers: RELATED },
      { operation: 'InsertObject', bucket: 'web', key: 'a/b', conditions: {}, boundary: '82fd801e' },
    ],
    [
      'terraform lock',
      `POST /upload/storage/v1/b/web/o?${GO}&ifGenerationMatch=0&name=l&uploadType=multipart`,
      { headers: RELATED },
      { operation: 'InsertObject', key: 'l', conditions: { ifGenerationMatch: 0 } },
    ],
    [
      'gcloud cp',
      'POST /upload/storage/v1/b/web/o?alt=json&uploadType=multipart',
      { headers: { 'content-type': "multipart/related; boundary='==1=='" } },
      { operation: 'InsertObject', key: null, boundary: '==1==' },
    ],
    [
      'gcloud cp of much',
      'POST /resumable/upload/storage/v1/b/web/o?alt=json&uploadType=resumable',
      { headers: { 'x-upload-content-type': 'a/b', 'x-upload-content-length': '9' } },
      { operation: 'StartUpload', key: null, contentType: 'a/b' },
    ],
    [
      'node upload',
      'POST /upload/storage/v1/b/web/o?name=res&uploadType=resumable',
      {},
      { operation: 'StartUpload', key: 'res', contentType: null },
    ],
    [
      'a piece',
      'PUT /upload/storage/v1/b/web/o?uploadType=resumable&name=x&upload_id=U',
      { headers: { 'content-range': 'bytes 0-9/*' } },
      { operation: 'ContinueUpload', key: 'x', uploadId: 'U', span: { kind: 'bytes', first: 0, last: 9, total: null } },
    ],
    [
      'announced hashes',
      'POST /upload/storage/v1/b/web/o?uploadType=multipart&name=a',
      { headers: { ...RELATED, 'x-goog-hash': ['crc32c=yZRlqg==', 'md5=XUFAKrxLKna5cZ2REBfFkg=='] } },
      { hashes: { crc32c: 'yZRlqg==', md5: 'XUFAKrxLKna5cZ2REBfFkg==' } },
    ],
    [
      'what clients say of themselves',
      'GET /storage/v1/b/web',
      { headers: { 'x-goog-api-client': 'a', 'x-goog-gcs-idempotency-token': 'b', 'x-goog-user-project': 'c' } },
      { operation: 'GetBucket' },
    ],
  ])('%s', (_what, request, asked, expected) => {
    expect(call(request, asked)).toMatchObject(expected);
  });
});

describe('everything else is not implemented', () => {
  test.each([
    ['making a bucket', 'POST /storage/v1/b?project=42'],
    ['changing metadata', 'PATCH /storage/v1/b/web/o/a'],
    ['ACLs', 'GET /storage/v1/b/web/o/a/acl'],
    ['a bucket’s policy', 'GET /storage/v1/b/web/iam'],
    ['composing', 'POST /storage/v1/b/web/o/a/compose'],
    ['uploads without metadata', 'POST /upload/storage/v1/b/web/o?uploadType=media&name=a'],
    ['giving an upload up', 'DELETE /upload/storage/v1/b/web/o?uploadType=resumable&upload_id=U'],
    ['batches', 'POST /batch/storage/v1'],
    ['writing through the XML API', 'PUT /web/a'],
    ['listing through the XML API', 'GET /web/'],
    ['heads through the XML API', 'HEAD /web/a'],
    ['the root', 'GET /'],
    ['an unknown parameter', 'GET /storage/v1/b/web/o?matchGlob=*'],
    ['a token in the query', 'GET /storage/v1/b/web/o/a?access_token=x'],
    ['other conditions', 'GET /storage/v1/b/web/o/a?ifMetagenerationMatch=1'],
    ['a condition on a read', 'GET /storage/v1/b/web/o/a?alt=media&ifGenerationMatch=1'],
    ['older generations', 'GET /storage/v1/b/web/o?softDeleted=true'],
    ['trailing delimiters', 'GET /storage/v1/b/web/o?includeTrailingDelimiter=true'],
    ['a window of a listing', 'GET /storage/v1/b/web/o?startOffset=a'],
    ['another form of answer', 'GET /storage/v1/b/web/o?alt=xml'],
    ['predefined ACLs', 'POST /upload/storage/v1/b/web/o?uploadType=resumable&name=a&predefinedAcl=publicRead'],
    ['keys', 'POST /upload/storage/v1/b/web/o?uploadType=resumable&name=a&kmsKeyName=k'],
    ['an escaped slash before the object', 'GET /storage/v1/b/web%2Fo/a/x'],
  ])('%s', (_what, request) => {
    expect(call(request)).toBe('501 notImplemented');
  });

  test.each([
    ['a customer’s key', 'x-goog-encryption-key'],
    ['a condition of the XML API', 'x-goog-if-generation-match'],
    ['a copy', 'x-goog-copy-source'],
    ['a condition of HTTP', 'if-none-match'],
    ['another method', 'x-http-method-override'],
    ['a digest of the transfer', 'content-md5'],
    ['compression of the transfer', 'content-encoding'],
  ])('%s in a header', (_what, name) => {
    expect(call('GET /storage/v1/b/web/o/a', { headers: { [name]: 'x' } })).toBe('501 notImplemented');
    expect(call('POST /upload/storage/v1/b/web/o?uploadType=resumable&name=a', { headers: { [name]: 'x' } })).toBe(
      '501 notImplemented',
    );
  });
});

describe('a name is one name, whoever reads it', () => {
  const keyOf = (raw: string): unknown => {
    const found = call(`GET /storage/v1/b/web/o/${raw}`);
    return typeof found === 'object' && 'key' in found ? found.key : found;
  };

  test.each([
    ['a%2Fb', 'a/b'],
    ['a%252Fb', 'a%2Fb'],
    ['a+b%20c', 'a+b c'],
    ['..%2F..%2Fetc', '../../etc'],
    ['a%2F.%2F..%2F%2Fb', 'a/./..//b'],
    ['%C3%A9', 'é'],
    ['e%CC%81', 'e\u0301'],
  ])('%s in a path is %s: decoded once, nothing more', (raw, key) => {
    expect(keyOf(raw)).toBe(key);
  });

  test('a plus in a query is a space, as Go’s client writes it', () => {
    expect(call('GET /storage/v1/b/web/o?prefix=a+b%2Bc')).toMatchObject({ prefix: 'a b+c' });
    expect(call('POST /upload/storage/v1/b/web/o?uploadType=resumable&name=a+b%2Bc')).toMatchObject({ key: 'a b+c' });
  });

  test('a slash of the XML path may be written either way', () => {
    expect(call('GET /web/a/b')).toMatchObject({ key: 'a/b' });
    expect(call('GET /web/a%2Fb')).toMatchObject({ key: 'a/b' });
    expect(call('GET /web/a//../b')).toMatchObject({ key: 'a//../b' });
  });

  test.each([
    ['broken escapes', 'GET /storage/v1/b/web/o/a%2'],
    ['broken UTF-8', 'GET /storage/v1/b/web/o/%ff'],
    ['overlong UTF-8', 'GET /storage/v1/b/web/o/%c0%af'],
    ['NUL', 'GET /storage/v1/b/web/o/a%00'],
    ['a line break', 'GET /storage/v1/b/web/o/a%0a'],
    ['a dot', 'GET /storage/v1/b/web/o/.'],
    ['two dots', 'GET /storage/v1/b/web/o/%2e%2e'],
    ['1025 bytes', `GET /storage/v1/b/web/o/${'a'.repeat(1025)}`],
    ['a bucket in capitals', 'GET /storage/v1/b/Web/o/a'],
    ['an escaped bucket', 'GET /storage/v1/b/w%65b/o/a'],
    ['a raw space', 'GET /storage/v1/b/web/o/a\tb'],
    ['a repeated parameter', 'GET /storage/v1/b/web/o?prefix=a&prefix=b'],
    ['a repeated parameter in another spelling', 'GET /storage/v1/b/web/o?prefix=a&pref%69x=b'],
    ['a broken query', 'GET /storage/v1/b/web/o?prefix=%zz'],
    ['a bad number', 'GET /storage/v1/b/web/o?maxResults=0'],
    ['a token of somebody else', 'GET /storage/v1/b/web/o?pageToken=abc'],
    ['a bad generation', 'GET /storage/v1/b/web/o/a?generation=-1'],
    ['a bad precondition', 'DELETE /storage/v1/b/web/o/a?ifGenerationMatch=0x1'],
    ['an empty name', 'POST /upload/storage/v1/b/web/o?uploadType=resumable&name='],
  ])('%s is refused', (_what, request) => {
    expect(call(request)).toBe('400 invalid');
  });

  test.each([
    ['a Content-Range', { 'content-range': ['bytes 0-1/2', 'bytes 0-1/3'] }],
    ['a type', { 'content-type': ['multipart/related; boundary=a', 'multipart/related; boundary=b'] }],
    ['a boundary without an end', { 'content-type': 'multipart/related; boundary="a' }],
    ['another type', { 'content-type': 'multipart/form-data; boundary=a' }],
    ['a hash that is none', { ...RELATED, 'x-goog-hash': 'crc32c=AAAA' }],
    ['a hash in two spellings', { ...RELATED, 'x-goog-hash': ['crc32c=yZRlqg==', 'crc32c=AAAAAA=='] }],
    ['a hash of another kind', { ...RELATED, 'x-goog-hash': 'sha256=AAAA' }],
  ])('%s is refused', (_what, headers) => {
    expect(call('POST /upload/storage/v1/b/web/o?uploadType=multipart&name=a', { headers })).toBe('400 invalid');
  });

  test('a type that no header can have is refused', () => {
    const headers = { 'x-upload-content-type': 'text/\xe9' };
    expect(call('POST /upload/storage/v1/b/web/o?uploadType=resumable&name=a', { headers })).toBe('400 invalid');
  });

  test('an upload without its id is not there', () => {
    expect(call('PUT /upload/storage/v1/b/web/o?uploadType=resumable&name=a')).toBe('404 notFound');
    expect(call('PUT /upload/storage/v1/b/web/o?uploadType=resumable&upload_id=U')).toBe('404 notFound');
  });
});
