// Answers byte for byte as S3 writes them.
import { describe, expect, test } from 'vitest';
import { encodeListingToken } from '../listing-token.ts';
import type { ListBucketsCall, ListObjectsCall, ListObjectsV2Call, ReadObjectCall } from './call.ts';
import { s3Error } from './errors.ts';
import { encodeListing, type Listing } from './listing-result.ts';
import { type DescribedObject, notModifiedHead, readResponseHead, writeHeaders } from './object-headers.ts';
import {
  encodeBuckets,
  encodeCompletion,
  encodeCopy,
  encodeDeletions,
  encodeLocation,
  encodeParts,
  encodeS3Error,
  encodeUpload,
} from './results.ts';
import { encodeUrlName } from './xml-write.ts';

const PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
const OWNER = { id: 'jobpass', displayName: 'jobpass' };
const OWNER_XML = '<ID>jobpass</ID><DisplayName>jobpass</DisplayName>';
const AT = Date.parse('2025-06-01T12:34:56.789Z');
const conditionKeys = new Map<string, string>();
const target = { bucket: 'data', key: 'a&b', conditionKeys };

const LISTING: Listing = {
  objects: [
    { key: 'a b&<é>\u0001', size: 5, etag: 'e1', modifiedAt: AT, checksums: {} },
    { key: 'c', size: 0, etag: 'e2-2', modifiedAt: AT, checksums: { crc32: 'AAAAAA==-2' } },
  ],
  prefixes: ['d e/'],
  isTruncated: true,
  next: 'd e/',
};
const ALL_BUCKETS: ListBucketsCall = {
  operation: 'ListBuckets',
  maxBuckets: 10_000,
  prefix: '',
  after: '',
  conditionKeys,
};
const EMPTY: Listing = { objects: [], prefixes: [], isTruncated: false, next: null };
const shared = {
  bucket: 'data',
  prefix: '',
  delimiter: null,
  maxKeys: 1000,
  after: '',
  encodesUrls: false,
  conditionKeys,
};
const V1: ListObjectsCall = { operation: 'ListObjects', ...shared };
const V2: ListObjectsV2Call = {
  operation: 'ListObjectsV2',
  ...shared,
  startAfter: null,
  continuationToken: null,
  fetchesOwner: false,
};

describe('a listing', () => {
  test('of version 1', () => {
    expect(encodeListing({ ...V1, delimiter: '/', prefix: 'a"' }, LISTING, OWNER)).toBe(
      `${PROLOG}<ListBucketResult ${NS}><Name>data</Name><Prefix>a&quot;</Prefix><Marker></Marker><NextMarker>d e/</NextMarker>` +
        '<MaxKeys>1000</MaxKeys><Delimiter>/</Delimiter><IsTruncated>true</IsTruncated>' +
        '<Contents><Key>a b&amp;&lt;é&gt;&#x1;</Key><LastModified>2025-06-01T12:34:56.000Z</LastModified>' +
        `<ETag>&quot;e1&quot;</ETag><Size>5</Size><Owner>${OWNER_XML}</Owner><StorageClass>STANDARD</StorageClass></Contents>` +
        '<Contents><Key>c</Key><LastModified>2025-06-01T12:34:56.000Z</LastModified><ETag>&quot;e2-2&quot;</ETag>' +
        '<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType><Size>0</Size>' +
        `<Owner>${OWNER_XML}</Owner><StorageClass>STANDARD</StorageClass></Contents>` +
        '<CommonPrefixes><Prefix>d e/</Prefix></CommonPrefixes></ListBucketResult>',
    );
  });

  test('of version 1 without a delimiter has no NextMarker', () => {
    expect(encodeListing(V1, LISTING, OWNER)).not.toContain('NextMarker');
  });

  test('of version 2, names escaped as in a URL', () => {
    const call: ListObjectsV2Call = {
      ...V2,
      encodesUrls: true,
      delimiter: '/',
      prefix: 'ü/',
      startAfter: 'ü/ a',
      continuationToken: 'MQ',
    };
    expect(encodeListing(call, LISTING, OWNER)).toBe(
      `${PROLOG}<ListBucketResult ${NS}><Name>data</Name><Prefix>%C3%BC/</Prefix><ContinuationToken>MQ</ContinuationToken>` +
        `<NextContinuationToken>${encodeListingToken('d e/')}</NextContinuationToken><StartAfter>%C3%BC/+a</StartAfter>` +
        '<KeyCount>3</KeyCount><MaxKeys>1000</MaxKeys><Delimiter>/</Delimiter><EncodingType>url</EncodingType>' +
        '<IsTruncated>true</IsTruncated><Contents><Key>a+b%26%3C%C3%A9%3E%01</Key>' +
        '<LastModified>2025-06-01T12:34:56.000Z</LastModified><ETag>&quot;e1&quot;</ETag><Size>5</Size>' +
        '<StorageClass>STANDARD</StorageClass></Contents><Contents><Key>c</Key>' +
        '<LastModified>2025-06-01T12:34:56.000Z</LastModified><ETag>&quot;e2-2&quot;</ETag>' +
        '<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType><Size>0</Size>' +
        '<StorageClass>STANDARD</StorageClass></Contents>' +
        '<CommonPrefixes><Prefix>d+e/</Prefix></CommonPrefixes></ListBucketResult>',
    );
  });

  test('of nothing', () => {
    expect(encodeListing(V2, EMPTY, OWNER)).toBe(
      `${PROLOG}<ListBucketResult ${NS}><Name>data</Name><Prefix></Prefix><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys>` +
        '<IsTruncated>false</IsTruncated></ListBucketResult>',
    );
  });

  test('of version 2 tells the owner to whoever wants it', () => {
    expect(encodeListing({ ...V2, fetchesOwner: true }, LISTING, OWNER)).toContain(`<Owner>${OWNER_XML}</Owner>`);
  });

  test('escapes names as Java’s form encoding does, but for slashes', () => {
    expect(encodeUrlName("test_file(3)*~!'/ +é-.\ud800")).toBe('test_file%283%29*%7E%21%27/+%2B%C3%A9-.%EF%BF%BD');
  });
});

describe('other answers', () => {
  test('ListAllMyBucketsResult', () => {
    expect(encodeBuckets([{ name: 'data', createdAt: AT }], OWNER, ALL_BUCKETS)).toBe(
      `${PROLOG}<ListAllMyBucketsResult ${NS}><Owner>${OWNER_XML}</Owner><Buckets><Bucket><Name>data</Name>` +
        '<CreationDate>2025-06-01T12:34:56.000Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>',
    );
  });

  test('ListAllMyBucketsResult, page by page', () => {
    const buckets = ['a-1', 'a-2', 'a-3', 'b-1'].map((name) => ({ name, createdAt: AT }));
    const page = encodeBuckets(buckets, OWNER, { ...ALL_BUCKETS, prefix: 'a-', maxBuckets: 2 });
    const token = encodeListingToken('a-2');
    expect(page).toContain(`</Buckets><ContinuationToken>${token}</ContinuationToken><Prefix>a-</Prefix></ListAll`);
    expect(page.match(/<Name>[^<]*/g)).toEqual(['<Name>a-1', '<Name>a-2']);
    const last = encodeBuckets(buckets, OWNER, { ...ALL_BUCKETS, prefix: 'a-', maxBuckets: 2, after: 'a-2' });
    expect(last.match(/<Name>[^<]*|<ContinuationToken>/g)).toEqual(['<Name>a-3']);
  });

  test('LocationConstraint', () => {
    expect(encodeLocation('eu-west-1')).toBe(`${PROLOG}<LocationConstraint ${NS}>eu-west-1</LocationConstraint>`);
    expect(encodeLocation('us-east-1')).toBe(`${PROLOG}<LocationConstraint ${NS}/>`);
  });

  test('CopyObjectResult and CopyPartResult', () => {
    const copied = { etag: 'e', modifiedAt: AT, checksums: { sha1: 's' } };
    const content =
      '<LastModified>2025-06-01T12:34:56.000Z</LastModified><ETag>&quot;e&quot;</ETag><ChecksumSHA1>s</ChecksumSHA1>';
    expect(encodeCopy('CopyObjectResult', copied)).toBe(
      `${PROLOG}<CopyObjectResult ${NS}>${content}</CopyObjectResult>`,
    );
    expect(encodeCopy('CopyPartResult', copied)).toContain(`<CopyPartResult ${NS}>`);
  });

  test('InitiateMultipartUploadResult', () => {
    expect(encodeUpload(target, 'u')).toBe(
      `${PROLOG}<InitiateMultipartUploadResult ${NS}><Bucket>data</Bucket><Key>a&amp;b</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>`,
    );
  });

  test('CompleteMultipartUploadResult', () => {
    const call = { operation: 'CompleteMultipartUpload', ...target, uploadId: 'u', conditions: {} } as const;
    expect(encodeCompletion(call, { etag: 'e-2', checksums: { crc64nvme: 'c' } }, 'http://h/data/a%26b')).toBe(
      `${PROLOG}<CompleteMultipartUploadResult ${NS}><Location>http://h/data/a%26b</Location><Bucket>data</Bucket>` +
        '<Key>a&amp;b</Key><ETag>&quot;e-2&quot;</ETag><ChecksumCRC64NVME>c</ChecksumCRC64NVME>' +
        '<ChecksumType>FULL_OBJECT</ChecksumType></CompleteMultipartUploadResult>',
    );
  });

  test('ListPartsResult', () => {
    const call = { operation: 'ListParts', ...target, uploadId: 'u', after: 1, maxParts: 1 } as const;
    const part = { part: 2, size: 7, etag: 'e', modifiedAt: AT, checksums: {} };
    expect(encodeParts(call, { parts: [part], isTruncated: true, next: 2 }, OWNER)).toBe(
      `${PROLOG}<ListPartsResult ${NS}><Bucket>data</Bucket><Key>a&amp;b</Key><UploadId>u</UploadId>` +
        `<Initiator>${OWNER_XML}</Initiator><Owner>${OWNER_XML}</Owner><StorageClass>STANDARD</StorageClass>` +
        '<PartNumberMarker>1</PartNumberMarker><NextPartNumberMarker>2</NextPartNumberMarker><MaxParts>1</MaxParts>' +
        '<IsTruncated>true</IsTruncated><Part><PartNumber>2</PartNumber>' +
        '<LastModified>2025-06-01T12:34:56.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>7</Size></Part></ListPartsResult>',
    );
  });

  test('DeleteResult, whole and quiet', () => {
    const deletions = [
      { key: 'a', error: null },
      { key: 'b', error: s3Error('AccessDenied') },
    ];
    const error = '<Error><Key>b</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error>';
    expect(encodeDeletions(deletions, { isQuiet: false })).toBe(
      `${PROLOG}<DeleteResult ${NS}><Deleted><Key>a</Key></Deleted>${error}</DeleteResult>`,
    );
    expect(encodeDeletions(deletions, { isQuiet: true })).toBe(`${PROLOG}<DeleteResult ${NS}>${error}</DeleteResult>`);
  });
});

describe('an error', () => {
  const error = s3Error('NoSuchKey', undefined, [['Key', '<k>']]);

  test('has no wrapper and no namespace', () => {
    expect(encodeS3Error(error, { requestId: 'd1', isHead: false })).toEqual({
      status: 404,
      headers: { 'content-type': 'application/xml' },
      body: `${PROLOG}<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>&lt;k&gt;</Key><RequestId>d1</RequestId><HostId>jobpass</HostId></Error>`,
    });
  });

  test('has no body for HEAD, nor when nothing was modified', () => {
    expect(encodeS3Error(error, { requestId: 'd1', isHead: true })).toEqual({ status: 404, headers: {}, body: '' });
    expect(encodeS3Error(s3Error('NotModified'), { requestId: 'd1', isHead: false }).body).toBe('');
  });

  test('that may pass says when to ask again', () => {
    const busy = { ...s3Error('SlowDown'), retryAfterSeconds: 1 };
    expect(encodeS3Error(busy, { requestId: 'd1', isHead: true })).toEqual({
      status: 503,
      headers: { 'retry-after': '1' },
      body: '',
    });
  });
});

describe('the head of a read', () => {
  const OBJECT: DescribedObject = {
    size: 10,
    etag: 'e',
    modifiedAt: AT,
    checksums: { crc32: 'AAAAAA==' },
    contentType: 'text/plain',
    cacheControl: 'no-store',
    metadata: { job: '7', 'naïve name': 'x', note: 'café' },
  };
  const call = (more: Partial<ReadObjectCall> = {}) => ({ wantsChecksums: false, overrides: {}, ...more });

  test('tells everything that was stored, and counts names that no header can have', () => {
    expect(readResponseHead(call({ wantsChecksums: true }), OBJECT, null)).toEqual({
      status: 200,
      headers: {
        'accept-ranges': 'bytes',
        'cache-control': 'no-store',
        'content-length': '10',
        'content-type': 'text/plain',
        etag: '"e"',
        'last-modified': 'Sun, 01 Jun 2025 12:34:56 GMT',
        'x-amz-checksum-crc32': 'AAAAAA==',
        'x-amz-checksum-type': 'FULL_OBJECT',
        'x-amz-meta-job': '7',
        'x-amz-meta-note': '=?UTF-8?B?Y2Fmw6k=?=',
        'x-amz-missing-meta': '1',
      },
    });
  });

  test('of a range tells where it is and no checksum of the whole', () => {
    const { status, headers } = readResponseHead(call({ wantsChecksums: true }), OBJECT, { first: 2, last: 4 });
    expect(status).toBe(206);
    expect(headers).toMatchObject({ 'content-length': '3', 'content-range': 'bytes 2-4/10' });
    expect(headers).not.toHaveProperty('x-amz-checksum-crc32');
  });

  test('tells no checksum that was not asked for', () => {
    expect(readResponseHead(call(), OBJECT, null).headers).not.toHaveProperty('x-amz-checksum-crc32');
  });

  test('has what the reader wants in place of what was stored, but not its framing', () => {
    const overrides = { 'content-type': 'text/html', 'content-length': '1' };
    expect(readResponseHead(call({ overrides }), OBJECT, null).headers).toMatchObject({
      'content-type': 'text/html',
      'content-length': '10',
    });
  });

  test('says what S3 says of an object without a type', () => {
    const { contentType: _none, ...untyped } = OBJECT;
    expect(readResponseHead(call(), untyped, null).headers['content-type']).toBe('binary/octet-stream');
  });

  test('of an object that the reader has tells which one', () => {
    expect(notModifiedHead(OBJECT)).toEqual({
      status: 304,
      headers: { etag: '"e"', 'last-modified': 'Sun, 01 Jun 2025 12:34:56 GMT' },
    });
  });

  test('never holds a line break, whatever was stored', () => {
    const evil = { ...OBJECT, contentType: 'a\r\nset-cookie: b', metadata: { 'a\r\nb': 'c', d: 'e\nf' } };
    for (const [name, value] of Object.entries(readResponseHead(call(), evil, null).headers)) {
      expect(`${name}${value}`).not.toMatch(/[\r\n]/);
    }
  });

  test('of a write tells ETag and checksum', () => {
    expect(writeHeaders({ etag: 'e', checksums: { sha256: 's' } })).toEqual({
      etag: '"e"',
      'x-amz-checksum-sha256': 's',
      'x-amz-checksum-type': 'FULL_OBJECT',
    });
  });
});
