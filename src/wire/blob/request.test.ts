// Which requests are which calls: what @azure/storage-blob 12.34 sends, recorded, and one refusal for each thing beside it.
import { describe, expect, test } from 'vitest';
import { encodeListingToken } from '../listing-token.ts';
import type { BlobOperation } from './call.ts';
import { OPERATIONS } from './operations.ts';
import { permissionsFor } from './permissions.ts';
import { readBlobCall } from './request.ts';

type Extra = Readonly<Record<string, string>>;

/** What the SDK sends with everything. */
const EVERYWHERE = {
  accept: 'application/xml',
  'user-agent': 'azsdk-js-azure-storage-blob/12.34.0 core-rest-pipeline/1.24.0 Node/24.21.0 (Linux; x64)',
  'x-ms-version': '2026-10-06',
  'x-ms-client-request-id': '82ff4d2e-8fcb-4f7c-af3d-bed3396f5524',
  authorization: 'Bearer x',
  host: '127.0.0.1:8444',
  connection: 'keep-alive',
};

function read(line: string, headers: Extra = {}, account = 'acme') {
  const [, method = '', path = '', query = ''] = /^(\S+) ([^?]*)\??(.*)$/.exec(line) ?? [];
  const all = new Map(Object.entries({ ...EVERYWHERE, ...headers }).map(([name, value]) => [name, [value]]));
  return readBlobCall({ method, path, query, headers: all }, account);
}

const codeOf = (line: string, headers?: Extra): string => {
  const call = read(line, headers);
  return call.ok ? call.value.operation : call.error.code;
};

const callOf = (line: string, headers?: Extra) => {
  const call = read(line, headers);
  if (!call.ok) throw new Error(call.error.code);
  return call.value;
};

const BLOCK = 'YmUzMzgxMzQtMDAxMS00ZGY5LWJhYjAtMjdmZmY1NmUzZDIwMDAwMDAwMDAwMDAx';
const BODY = { 'content-type': 'application/octet-stream', 'content-length': '5' };
const PUT = { ...BODY, 'x-ms-blob-type': 'BlockBlob' };

/** One good request of each row. */
const RECORDED: Readonly<Record<BlobOperation, readonly [line: string, headers: Extra]>> = {
  GetContainerProperties: ['GET /acme/web?restype=container', {}],
  ListBlobs: ['GET /acme/web?comp=list&prefix=a%2F&maxresults=2&restype=container&delimiter=%2F', {}],
  GetBlob: ['GET /acme/web/dir/a%20b%2Bc%25%C3%A9.txt', { 'x-ms-range': 'bytes=1-3', 'if-match': '"e"' }],
  GetBlobProperties: ['HEAD /acme/web/a', {}],
  PutBlob: ['PUT /acme/web/a', { ...PUT, 'x-ms-meta-foo': 'bar', 'x-ms-blob-content-type': 'text/plain' }],
  PutBlock: [`PUT /acme/web/a?comp=block&blockid=${BLOCK}`, BODY],
  PutBlockList: ['PUT /acme/web/a?comp=blocklist', { 'content-type': 'application/xml', 'if-none-match': '*' }],
  DeleteBlob: ['DELETE /acme/web/a', { 'x-ms-delete-snapshots': 'include' }],
};

describe.each(OPERATIONS)('$operation', ({ operation, headers }) => {
  const [line, sent] = RECORDED[operation];

  test('is what the SDK sends', () => {
    expect(codeOf(line, sent)).toBe(operation);
  });

  test('takes no parameter and no header that it does not list', () => {
    expect(codeOf(`${line}${line.includes('?') ? '&' : '?'}timeout=30`, sent)).toBe('UnsupportedQueryParameter');
    expect(codeOf(line, { ...sent, 'x-ms-lease-id': 'x' })).toBe('UnsupportedHeader');
    expect(codeOf(line, { ...sent, range: 'bytes=0-1' })).toBe('UnsupportedHeader');
    const isRead = headers.includes('if-modified-since');
    const since = { ...sent, 'if-modified-since': 'Mon, 23 Nov 2026 08:00:00 GMT' };
    expect(codeOf(line, since)).toBe(isRead ? operation : 'ConditionHeadersNotSupported');
  });

  test('is refused when something about it stands twice', () => {
    const [, method = '', path = '', query = ''] = /^(\S+) ([^?]*)\??(.*)$/.exec(line) ?? [];
    const values = new Map<string, string[]>(
      Object.entries({ ...EVERYWHERE, ...sent }).map(([name, value]) => [name, [value]]),
    );
    values.set('x-ms-client-request-id', ['a', 'a']);
    expect(readBlobCall({ method, path, query, headers: values }, 'acme')).toMatchObject({
      error: { code: 'InvalidInput' },
    });
  });
});

test('what a client stores with is what a blob has', () => {
  const headers = {
    ...PUT,
    'x-ms-blob-cache-control': 'no-cache',
    'x-ms-blob-content-encoding': 'gzip',
    'x-ms-blob-content-language': 'de',
    'x-ms-blob-content-disposition': 'inline',
    'x-ms-meta-foo': 'bar',
    'if-none-match': '*',
    'content-md5': 'XUFAKrxLKna5cZ2REBfFkg==',
  };
  expect(callOf('PUT /acme/web/a/b', headers)).toEqual({
    operation: 'PutBlob',
    container: 'web',
    blob: 'a/b',
    attributes: {
      contentType: 'application/octet-stream',
      cacheControl: 'no-cache',
      contentEncoding: 'gzip',
      contentLanguage: 'de',
      contentDisposition: 'inline',
      metadata: { foo: 'bar' },
    },
    conditions: { ifNoneMatch: '*' },
    digest: { algorithm: 'md5', value: 'XUFAKrxLKna5cZ2REBfFkg==' },
    conditionKeys: new Map([['s3:if-none-match', '*']]),
  });
});

test('the type of a list of blocks is not that of the blob', () => {
  const [line, headers] = RECORDED.PutBlockList;
  expect(callOf(line, headers)).toMatchObject({ attributes: { contentType: 'application/octet-stream' } });
});

test('a listing tells conditions what it asks for, and goes on where its marker says', () => {
  const marker = encodeListingToken('a/b');
  expect(callOf(`GET /acme/web?restype=container&comp=list&prefix=a%2F&marker=${marker}&maxresults=9000`)).toEqual({
    operation: 'ListBlobs',
    container: 'web',
    prefix: 'a/',
    delimiter: null,
    marker,
    after: 'a/b',
    maxResults: 5000,
    conditionKeys: new Map([
      ['s3:prefix', 'a/'],
      ['s3:max-keys', '9000'],
    ]),
  });
});

describe('a part of a request is refused', () => {
  const LIST = 'GET /acme/web?restype=container&comp=list';
  test.each<[string, string, Extra, string]>([
    ['a marker that is none', `${LIST}&marker=x`, {}, 'InvalidQueryParameterValue'],
    ['a number that is none', `${LIST}&maxresults=-1`, {}, 'InvalidQueryParameterValue'],
    ['no result at all', `${LIST}&maxresults=0`, {}, 'OutOfRangeQueryParameterValue'],
    ['a prefix that no blob can have', `${LIST}&prefix=${'a'.repeat(1025)}`, {}, 'InvalidQueryParameterValue'],
    ['a raw plus', `${LIST}&prefix=a+b`, {}, 'InvalidUri'],
    ['a broken escape', `${LIST}&prefix=%zz`, {}, 'InvalidUri'],
    ['NUL', `${LIST}&prefix=%00`, {}, 'InvalidUri'],
    ['another restype', 'GET /acme/web?restype=directory&comp=list', {}, 'NotImplemented'],
    ['comp alone', 'GET /acme/web?comp=list', {}, 'NotImplemented'],
    ['a suffix range', 'GET /acme/web/a', { 'x-ms-range': 'bytes=-3' }, 'InvalidHeaderValue'],
    ['several ranges', 'GET /acme/web/a', { 'x-ms-range': 'bytes=0-1,3-4' }, 'InvalidHeaderValue'],
    ['a range that runs backwards', 'GET /acme/web/a', { 'x-ms-range': 'bytes=4-3' }, 'InvalidHeaderValue'],
    ['a range of other units', 'GET /acme/web/a', { 'x-ms-range': 'items=0-1' }, 'InvalidHeaderValue'],
    ['several tags', 'GET /acme/web/a', { 'if-match': '"a", "b"' }, 'InvalidHeaderValue'],
    ['a weak tag', 'GET /acme/web/a', { 'if-match': 'W/"a"' }, 'InvalidHeaderValue'],
    ['a date that is none', 'GET /acme/web/a', { 'if-modified-since': 'yesterday' }, 'InvalidHeaderValue'],
    [
      'a tag that must not be there',
      'PUT /acme/web/a',
      { ...PUT, 'if-none-match': '"a"' },
      'ConditionHeadersNotSupported',
    ],
    ['no type of blob', 'PUT /acme/web/a', BODY, 'MissingRequiredHeader'],
    ['a page blob', 'PUT /acme/web/a', { ...PUT, 'x-ms-blob-type': 'PageBlob' }, 'InvalidHeaderValue'],
    ['snapshots only', 'DELETE /acme/web/a', { 'x-ms-delete-snapshots': 'only' }, 'InvalidHeaderValue'],
    ['a line break in a type', 'PUT /acme/web/a', { ...PUT, 'x-ms-blob-content-type': 'a\r\nb' }, 'InvalidHeaderValue'],
    ['Latin-1 in metadata', 'PUT /acme/web/a', { ...PUT, 'x-ms-meta-a': '\xe9' }, 'InvalidMetadata'],
    ['a name of metadata that is none', 'PUT /acme/web/a', { ...PUT, 'x-ms-meta-a-b': 'x' }, 'InvalidMetadata'],
    ['metadata without a name', 'PUT /acme/web/a', { ...PUT, 'x-ms-meta-': 'x' }, 'InvalidMetadata'],
    ['too much metadata', 'PUT /acme/web/a', { ...PUT, 'x-ms-meta-a': 'x'.repeat(2048) }, 'MetadataTooLarge'],
    ['Content-Encoding of the request', 'PUT /acme/web/a', { ...PUT, 'content-encoding': 'gzip' }, 'UnsupportedHeader'],
    ['a block without an id', 'PUT /acme/web/a?comp=block', BODY, 'InvalidBlockId'],
    [
      'a condition on a block',
      `PUT /acme/web/a?comp=block&blockid=${BLOCK}`,
      { ...BODY, 'if-match': '"a"' },
      'ConditionHeadersNotSupported',
    ],
    ['no version', 'GET /acme/web/a', { 'x-ms-version': '' }, 'InvalidHeaderValue'],
    ['a version before the first', 'GET /acme/web/a', { 'x-ms-version': '2021-02-11' }, 'InvalidHeaderValue'],
    ['a version after the last', 'GET /acme/web/a', { 'x-ms-version': '2026-10-07' }, 'InvalidHeaderValue'],
  ])('%s', (_what, line, headers, code) => {
    expect(codeOf(line, headers)).toBe(code);
  });

  test('a request of no version, which Azure would take for a version of long ago', () => {
    const headers = new Map(
      Object.entries(EVERYWHERE)
        .filter(([name]) => name !== 'x-ms-version')
        .map(([name, value]) => [name, [value]]),
    );
    const call = readBlobCall({ method: 'GET', path: '/acme/web/a', query: '', headers }, 'acme');
    expect(call).toMatchObject({ error: { code: 'MissingRequiredHeader' } });
  });
});

describe('a tag may stand', () => {
  test.each<[string, string, unknown]>([
    ['in quotes', '"0x1"', ['0x1']],
    ['without, as listings tell it', '0x1', ['0x1']],
    ['for any', '*', '*'],
  ])('%s', (_what, value, ifMatch) => {
    expect(callOf('GET /acme/web/a', { 'if-match': value })).toMatchObject({ conditions: { ifMatch } });
  });
});

describe('a call needs', () => {
  const WEB = 'arn:aws:s3:::web';
  const readAndWrite = { 'if-match': '"x"' };
  test.each<[BlobOperation, Extra, readonly string[]]>([
    ['GetContainerProperties', {}, [`s3:ListBucket ${WEB}`]],
    ['ListBlobs', {}, [`s3:ListBucket ${WEB}`]],
    ['GetBlobProperties', {}, ['s3:GetObject arn:aws:s3:::web/a']],
    ['PutBlob', {}, ['s3:PutObject arn:aws:s3:::web/a']],
    ['PutBlob', readAndWrite, ['s3:PutObject arn:aws:s3:::web/a', 's3:GetObject arn:aws:s3:::web/a']],
    ['PutBlock', {}, ['s3:PutObject arn:aws:s3:::web/a']],
    ['PutBlockList', {}, ['s3:PutObject arn:aws:s3:::web/a']],
    ['DeleteBlob', {}, ['s3:DeleteObject arn:aws:s3:::web/a']],
    ['DeleteBlob', readAndWrite, ['s3:DeleteObject arn:aws:s3:::web/a', 's3:GetObject arn:aws:s3:::web/a']],
  ])('%s %j', (operation, more, needed) => {
    const [line, headers] = RECORDED[operation];
    const permissions = permissionsFor(callOf(line, { ...headers, ...more }));
    expect(permissions.map(({ action, resource }) => `${action} ${resource}`)).toEqual(needed);
  });

  test('the name as it was decoded, once', () => {
    const [permission] = permissionsFor(callOf('GET /acme/web/a%252F..%2Fb'));
    expect(permission.resource).toBe('arn:aws:s3:::web/a%2F../b');
  });
});
