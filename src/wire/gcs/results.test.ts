// Answers, byte for byte, as the clients read them.
import { expect, test } from 'vitest';
import { gcsError } from './errors.ts';
import { mediaHead } from './media-headers.ts';
import { bucketListing, errorBody, objectListing, objectResource, rewriteResult } from './results.ts';

const PLACE = { url: 'https://storage.example.com' };
const OBJECT = {
  key: 'a/é',
  size: 5,
  etag: '5d41402abc4b2a76b9719d911017c592',
  modifiedAt: Date.parse('2026-11-23T08:05:50.123Z'),
  generation: 7,
  checksums: { crc32c: 'mnG7TA==' },
  contentType: 'text/x',
  metadata: { job: '7' },
};
const RESOURCE =
  '{"kind":"storage#object","id":"web/a/é/7","selfLink":"https://storage.example.com/storage/v1/b/web/o/a%2F%C3%A9",' +
  '"mediaLink":"https://storage.example.com/download/storage/v1/b/web/o/a%2F%C3%A9?generation=7&alt=media","name":"a/é","bucket":"web",' +
  '"generation":"7","metageneration":"1","contentType":"text/x","size":"5","md5Hash":"XUFAKrxLKna5cZ2REBfFkg==","crc32c":"mnG7TA==",' +
  '"etag":"NWQ0MTQwMmFiYzRiMmE3NmI5NzE5ZDkxMTAxN2M1OTIvNw==","timeCreated":"2026-11-23T08:05:50.123Z","updated":"2026-11-23T08:05:50.123Z","metadata":{"job":"7"}}';

test('an object is told with both its digests', () => {
  expect(JSON.stringify(objectResource(PLACE, 'web', OBJECT))).toBe(RESOURCE);
});

test('a digest that is not of all the bytes is not told', () => {
  const composite = { ...OBJECT, etag: '5d41402abc4b2a76b9719d911017c592-2', checksums: { crc32c: 'mnG7TA==-2' } };
  const resource = objectResource(PLACE, 'web', composite);
  expect([resource.md5Hash, resource.crc32c]).toEqual([undefined, undefined]);
  expect(mediaHead(composite, null).headers).not.toHaveProperty('x-goog-hash');
});

test('a listing has only what there is', () => {
  expect(JSON.stringify(objectListing(PLACE, 'web', { objects: [], prefixes: [], next: null }))).toBe(
    '{"kind":"storage#objects"}',
  );
  expect(JSON.stringify(objectListing(PLACE, 'web', { objects: [OBJECT], prefixes: ['b/'], next: 'b/' }))).toBe(
    `{"kind":"storage#objects","nextPageToken":"MWIv","prefixes":["b/"],"items":[${RESOURCE}]}`,
  );
  expect(JSON.stringify(bucketListing(PLACE, { names: ['web'], next: null }))).toBe(
    '{"kind":"storage#buckets","items":[{"kind":"storage#bucket","id":"web","name":"web","selfLink":"https://storage.example.com/storage/v1/b/web","metageneration":"1"}]}',
  );
});

test('a copy is complete', () => {
  expect(JSON.stringify(rewriteResult(PLACE, { bucket: 'web', key: 'a/é' }, OBJECT))).toBe(
    `{"kind":"storage#rewriteResponse","totalBytesRewritten":"5","objectSize":"5","done":true,"resource":${RESOURCE}}`,
  );
});

test('an error has Google’s form, and the id of the decision', () => {
  expect(JSON.stringify(errorBody(gcsError('forbidden'), 'D000000000001'))).toBe(
    '{"error":{"code":403,"message":"The caller may not do this, or the resource does not exist. (D000000000001)",' +
      '"errors":[{"message":"The caller may not do this, or the resource does not exist. (D000000000001)","domain":"global","reason":"forbidden"}]}}',
  );
});

test('the head of a part tells the digests of the whole, and nothing can end a header', () => {
  expect(mediaHead({ ...OBJECT, contentDisposition: 'a\r\nb: c' }, { first: 1, last: 3 })).toEqual({
    status: 206,
    headers: {
      'accept-ranges': 'bytes',
      'content-disposition': 'a%0D%0Ab:%20c',
      'content-length': '3',
      'content-range': 'bytes 1-3/5',
      'content-type': 'text/x',
      etag: '"5d41402abc4b2a76b9719d911017c592"',
      'last-modified': 'Mon, 23 Nov 2026 08:05:50 GMT',
      'x-goog-generation': '7',
      'x-goog-hash': 'crc32c=mnG7TA==,md5=XUFAKrxLKna5cZ2REBfFkg==',
      'x-goog-metageneration': '1',
      'x-goog-stored-content-encoding': 'identity',
      'x-goog-stored-content-length': '5',
    },
  });
});
