// Answers byte for byte: what is told of blobs, how listings and errors are written.
import { describe, expect, test } from 'vitest';
import { REASONS, type Reason } from '../../base/core/reasons.ts';
import { encodeListingToken } from '../listing-token.ts';
import type { ListBlobsCall } from './call.ts';
import { challenge, commonHeaders } from './common-headers.ts';
import { type BlobErrorCode, blobError } from './errors.ts';
import { encodeListing, type Listing } from './listing.ts';
import { BlobPayloadError } from './payload.ts';
import { refuseReason, refuseStored, type StoreFailure } from './refusals.ts';
import { readBlobCall } from './request.ts';
import { encodeError, readHead, writeHeaders } from './results.ts';

const BLOB = {
  key: 'a',
  size: 5,
  etag: '5d41402abc4b2a76b9719d911017c592',
  modifiedAt: 1_790_000_000_500,
  contentType: 'text/plain',
  metadata: { commit: 'abc' },
};
const MODIFIED = 'Mon, 21 Sep 2026 14:13:20 GMT';
const MD5 = 'XUFAKrxLKna5cZ2REBfFkg==';
const TOLD = {
  etag: `"${BLOB.etag}"`,
  'last-modified': MODIFIED,
  'content-type': 'text/plain',
  'x-ms-meta-commit': 'abc',
  'accept-ranges': 'bytes',
  'x-ms-blob-type': 'BlockBlob',
  'x-ms-lease-state': 'available',
  'x-ms-lease-status': 'unlocked',
};

describe('the head of a read', () => {
  test('tells all of a blob', () => {
    expect(readHead(BLOB, null)).toEqual({
      status: 200,
      headers: { ...TOLD, 'content-length': '5', 'content-md5': MD5 },
    });
  });

  test('tells the MD5 of the whole under its own name when a range follows', () => {
    expect(readHead(BLOB, { first: 1, last: 3 })).toEqual({
      status: 206,
      headers: { ...TOLD, 'content-length': '3', 'content-range': 'bytes 1-3/5', 'x-ms-blob-content-md5': MD5 },
    });
  });

  test('tells no MD5 of what came in parts, and nothing that no header can hold', () => {
    const { headers } = readHead(
      { ...BLOB, etag: 'ab-2', cacheControl: 'é', metadata: { 'a b': 'x', ok: 'line\r\nbreak', 'with-dash': 'y' } },
      null,
    );
    expect(headers).not.toHaveProperty('content-md5');
    expect(Object.keys(headers).filter((name) => /meta|cache/.test(name))).toEqual(['x-ms-meta-with-dash']);
  });
});

test('a write is answered with the digest that was heeded', () => {
  expect(writeHeaders(BLOB, null)).toEqual({ etag: `"${BLOB.etag}"`, 'last-modified': MODIFIED });
  expect(writeHeaders(BLOB, { algorithm: 'crc64', value: 'x' })).toMatchObject({ 'x-ms-content-crc64': 'x' });
  expect(writeHeaders(BLOB, { algorithm: 'md5', value: 'x' })).toMatchObject({ 'content-md5': 'x' });
});

describe('a listing', () => {
  const CALL: ListBlobsCall = {
    operation: 'ListBlobs',
    container: 'web',
    prefix: '',
    delimiter: null,
    marker: null,
    after: '',
    maxResults: null,
    conditionKeys: new Map(),
  };
  const written = (over: Partial<ListBlobsCall>, listing: Listing) =>
    encodeListing({ ...CALL, ...over }, listing, 'https://blob.example.com/acme/');

  test('is written as Azure does, blobs and prefixes in one order', () => {
    const marker = encodeListingToken('0');
    const call = { prefix: 'a&', delimiter: '/', marker, maxResults: 2 };
    const { contentType: _, ...untyped } = BLOB;
    const listing = { objects: [BLOB, { ...untyped, key: 'c', etag: 'e-1' }], prefixes: ['b/'], next: 'c' };
    const lease = '<BlobType>BlockBlob</BlobType><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>';
    expect(written(call, listing)).toBe(
      '<?xml version="1.0" encoding="utf-8"?>' +
        '<EnumerationResults ServiceEndpoint="https://blob.example.com/acme/" ContainerName="web"><Prefix>a&amp;</Prefix>' +
        `<Marker>${marker}</Marker><MaxResults>2</MaxResults><Delimiter>/</Delimiter><Blobs>` +
        `<Blob><Name>a</Name><Properties><Last-Modified>${MODIFIED}</Last-Modified><Etag>${BLOB.etag}</Etag>` +
        `<Content-Length>5</Content-Length><Content-Type>text/plain</Content-Type><Content-MD5>${MD5}</Content-MD5>${lease}</Properties></Blob>` +
        '<BlobPrefix><Name>b/</Name></BlobPrefix>' +
        `<Blob><Name>c</Name><Properties><Last-Modified>${MODIFIED}</Last-Modified><Etag>e-1</Etag>` +
        `<Content-Length>5</Content-Length>${lease}</Properties></Blob>` +
        `</Blobs><NextMarker>${encodeListingToken('c')}</NextMarker></EnumerationResults>`,
    );
  });

  test('of nothing ends there', () => {
    const text = written({}, { objects: [], prefixes: [], next: null });
    expect(text).toContain('<Prefix></Prefix><Blobs></Blobs><NextMarker></NextMarker>');
  });

  test.each([
    ['a<b>&"', '<Name>a&lt;b&gt;&amp;&quot;</Name>'],
    ['a\u0001<', '<Name Encoded="true">a%01%3C</Name>'],
    ['a\uffff', '<Name Encoded="true">a%EF%BF%BF</Name>'],
    ['a\rb', '<Name>a&#xD;b</Name>'],
  ])('tells %j so that it can be read back', (key, element) => {
    expect(written({}, { objects: [{ ...BLOB, key }], prefixes: [], next: null })).toContain(element);
  });
});

describe('an error', () => {
  const CONTEXT = { requestId: 'D1', nowMs: 1_790_000_000_000, isHead: false };

  test('is written with the id of the decision and the time', () => {
    const error = blobError('InvalidHeaderValue', 'no <b>', [['HeaderName', 'x&y']]);
    expect(encodeError(error, CONTEXT)).toEqual({
      status: 400,
      headers: { 'x-ms-error-code': 'InvalidHeaderValue', 'content-type': 'application/xml' },
      body:
        '<?xml version="1.0" encoding="utf-8"?><Error><Code>InvalidHeaderValue</Code>' +
        '<Message>no &lt;b&gt;\nRequestId:D1\nTime:2026-09-21T14:13:20.000Z</Message><HeaderName>x&amp;y</HeaderName></Error>',
    });
  });

  test('has no body for HEAD, nor with 304, and says when to come again', () => {
    const busy = { ...blobError('ServerBusy'), retryAfterSeconds: 1 };
    expect(encodeError(busy, { ...CONTEXT, isHead: true })).toEqual({
      status: 503,
      headers: { 'x-ms-error-code': 'ServerBusy', 'retry-after': '1' },
      body: null,
    });
    expect(encodeError({ ...busy, status: 304 }, CONTEXT).body).toBeNull();
  });
});

describe('every answer', () => {
  const common = (version?: string, clientRequestId?: string) =>
    commonHeaders({ requestId: 'D1', nowSeconds: 1_790_000_000, version, clientRequestId });

  test('repeats the version and the id of the client', () => {
    expect(common('2024-11-04', 'my id')).toEqual({
      date: MODIFIED,
      'x-ms-request-id': 'D1',
      'x-ms-version': '2024-11-04',
      'x-ms-client-request-id': 'my id',
    });
  });

  test.each([undefined, '2099-01-01', '2019-02-02', 'x'])('tells the last version to a client of %s', (version) => {
    expect(common(version)).toMatchObject({ 'x-ms-version': '2026-10-06' });
  });

  test.each([undefined, '', 'a\r\nb', 'x'.repeat(1025)])('does not repeat the client’s id %j', (id) => {
    expect(common('2026-10-06', id)).not.toHaveProperty('x-ms-client-request-id');
  });

  test('a challenge is a URL that the SDKs can read, and names no tenant', () => {
    const [, url = ''] =
      /^Bearer authorization_uri=(\S+) resource_id=https:\/\/storage\.azure\.com$/.exec(
        challenge('https://sts.example.com'),
      ) ?? [];
    expect(new URL(url).pathname.split('/')[1]).toBe('common');
  });
});

describe('a refusal of the gateway', () => {
  test.each<[Reason, BlobErrorCode, number]>([
    ['credential_missing', 'NoAuthenticationInformation', 401],
    ['token_malformed', 'InvalidAuthenticationInfo', 401],
    ['group_mismatch', 'InvalidAuthenticationInfo', 401],
    ['session_expired', 'InvalidAuthenticationInfo', 401],
    ['session_ended', 'InvalidAuthenticationInfo', 401],
    ['permission_denied', 'AuthorizationPermissionMismatch', 403],
    ['role_unknown', 'AuthorizationPermissionMismatch', 403],
    ['feed_stale', 'ServerBusy', 503],
    ['upstream_busy', 'ServerBusy', 503],
    ['request_malformed', 'InvalidInput', 400],
    ['internal_failure', 'InternalError', 500],
  ])('%s is %s', (reason, code, status) => {
    expect(refuseReason(reason)).toMatchObject({ code, status });
  });

  test('is never a success, and asks to be repeated only when that may help', () => {
    for (const reason of Object.keys(REASONS) as Reason[]) {
      const error = refuseReason(reason);
      expect(error.status).toBeGreaterThanOrEqual(400);
      expect(error.retryAfterSeconds !== undefined).toBe(error.status === 503);
    }
  });
});

describe('a refusal of the store', () => {
  const call = (line: string, headers: Readonly<Record<string, string>> = {}) => {
    const [, method = '', path = '', query = ''] = /^(\S+) ([^?]*)\??(.*)$/.exec(line) ?? [];
    const all = new Map(
      Object.entries({ 'x-ms-version': '2026-10-06', ...headers }).map(([name, value]) => [name, [value]]),
    );
    const read = readBlobCall({ method, path: `/acme${path}`, query, headers: all }, 'acme');
    if (!read.ok) throw new Error(read.error.code);
    return read.value;
  };
  const GET = call('GET /web/a');
  const PUT = call('PUT /web/a', { 'x-ms-blob-type': 'BlockBlob' });
  const CREATE = call('PUT /web/a', { 'x-ms-blob-type': 'BlockBlob', 'if-none-match': '*' });
  const LIST = call('PUT /web/a?comp=blocklist');

  test.each<[StoreFailure['problem'], typeof GET, BlobErrorCode, number]>([
    ['bucket_unknown', GET, 'ContainerNotFound', 404],
    ['key_unknown', GET, 'BlobNotFound', 404],
    ['key_unknown', PUT, 'ConditionNotMet', 412],
    ['precondition_failed', GET, 'ConditionNotMet', 412],
    ['precondition_failed', PUT, 'ConditionNotMet', 412],
    ['precondition_failed', CREATE, 'BlobAlreadyExists', 409],
    ['not_modified', GET, 'ConditionNotMet', 304],
    ['conflict', PUT, 'ServerBusy', 503],
    ['range_unsatisfiable', GET, 'InvalidRange', 416],
    ['upload_unknown', LIST, 'InvalidBlockList', 400],
    ['part_invalid', LIST, 'InvalidBlockList', 400],
    ['part_order', LIST, 'InvalidBlockList', 400],
    ['part_too_small', LIST, 'InvalidBlockList', 400],
    ['too_large', PUT, 'RequestBodyTooLarge', 413],
    ['quota_exceeded', PUT, 'ContainerQuotaExceeded', 403],
    ['payload_refused', PUT, 'InvalidInput', 400],
    ['aborted', PUT, 'OperationTimedOut', 500],
    ['storage_unavailable', GET, 'ServerBusy', 503],
    ['not_supported', PUT, 'NotImplemented', 501],
  ])('%s at %o is %s', (problem, asked, code, status) => {
    expect(refuseStored({ problem }, asked)).toMatchObject({ code, status });
  });

  test('tells what the body was refused for', () => {
    const cause = new BlobPayloadError(blobError('Md5Mismatch'));
    expect(refuseStored({ problem: 'payload_refused', cause }, PUT).code).toBe('Md5Mismatch');
  });

  test('tells how blocks get large enough', () => {
    expect(refuseStored({ problem: 'part_too_small' }, LIST).message).toContain('blockSize');
  });
});
