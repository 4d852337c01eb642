import { describe, expect, it } from 'vitest';
import { decodeCopy, decodeListing, decodeParts, decodeUploadId, encodeCompletion, errorCodeOf } from './documents.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`);

const object = (key: string): string =>
  `<Contents><Key>${key}</Key><LastModified>2026-11-23T02:28:04.000Z</LastModified><ETag>"abc"</ETag><Size>3</Size></Contents>`;

const listing = (inside: string, encoding = '<EncodingType>url</EncodingType>'): Uint8Array =>
  bytes(`<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${encoding}${inside}</ListBucketResult>`);

describe('a listing', () => {
  it('gives keys and prefixes unescaped, and where it goes on', () => {
    const prefix = '<CommonPrefixes><Prefix>b%2F</Prefix></CommonPrefixes>';
    const told = decodeListing(listing(`<IsTruncated>true</IsTruncated>${object('a+b%2Bc')}${prefix}`));
    expect(told).toMatchObject({ isTruncated: true, prefixes: ['b/'], next: 'b/' });
    expect(told?.objects).toMatchObject([{ key: 'a b+c', size: 3, etag: 'abc', modifiedAt: 1_795_400_884_000 }]);
  });

  it.each([
    ['an answer that goes on after nothing', listing('<IsTruncated>true</IsTruncated>')],
    ['keys that are not escaped as was asked', listing(object('a'), '')],
    ['an object without its size', listing(object('a').replace('<Size>3</Size>', ''))],
    ['a size that is none', listing(object('a').replace('<Size>3', '<Size>-3'))],
    ['a broken escape', listing(object('%zz'))],
    ['another document', bytes('<ListAllMyBucketsResult/>')],
    ['no XML', bytes('ok')],
  ])('is refused: %s', (_what, document) => {
    expect(decodeListing(document)).toBeUndefined();
  });
});

it('parts are listed with their numbers', () => {
  const part =
    '<Part><PartNumber>2</PartNumber><LastModified>2026-11-23T02:28:04Z</LastModified><ETag>"e"</ETag><Size>5</Size></Part>';
  const told = decodeParts(bytes(`<ListPartsResult><IsTruncated>false</IsTruncated>${part}</ListPartsResult>`));
  expect(told).toMatchObject({ isTruncated: false, next: null, parts: [{ part: 2, size: 5, etag: 'e' }] });
  expect(decodeParts(bytes(`<ListPartsResult>${part.replace('5', 'x')}</ListPartsResult>`))).toBeUndefined();
});

it('an error is an error whatever the status was', () => {
  expect(errorCodeOf(bytes('<Error><Code>SlowDown</Code><Message>x</Message></Error>'))).toBe('SlowDown');
  expect(errorCodeOf(bytes('<Error/>'))).toBe('');
  expect(errorCodeOf(bytes('<CopyObjectResult/>'))).toBeNull();
});

it('copies and uploads are named', () => {
  expect(decodeCopy(bytes('<CopyObjectResult><ETag>&quot;e&quot;</ETag></CopyObjectResult>'))).toEqual({ etag: 'e' });
  expect(decodeCopy(bytes('<CopyObjectResult/>'))).toBeUndefined();
  const upload = '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>';
  expect(decodeUploadId(bytes(upload))).toEqual({ uploadId: 'u' });
  expect(decodeUploadId(bytes(upload.replace('>u<', '><')))).toBeUndefined();
});

it('a completion holds nothing but numbers and ETags', () => {
  expect(encodeCompletion([{ part: 1, etag: 'ab-2"</ETag><x>' }])).toBe(
    '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"ab-2ETagx"</ETag></Part></CompleteMultipartUpload>',
  );
});
