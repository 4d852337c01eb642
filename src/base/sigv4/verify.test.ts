// Verification with the key: what it covers, what it says of a mismatch, and the spellings of a path.
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  changeHeaders,
  EMPTY_HASH,
  headerSigned,
  keyFor,
  presigned,
  SESSION_TOKEN,
  SIGNED_AT,
} from '../../../test/fakes/signed-requests.ts';
import { readSignature } from './read.ts';
import type { SignableRequest } from './request.ts';
import { verifySignature } from './verify.ts';

/** Reads `signed`, then verifies its claim for `request`. */
function verify(signed: SignableRequest, request: SignableRequest = signed, payloadHash: string = EMPTY_HASH) {
  const claim = readSignature(signed, { service: 's3', region: null, nowSeconds: SIGNED_AT });
  if (!claim.ok) throw new Error(claim.error.detail);
  return verifySignature(request, claim.value, { key: keyFor('s3'), payloadHash, pathEncoding: 'single' });
}

const put = headerSigned('s3', {
  method: 'PUT',
  path: '/bucket/a%20b',
  query: 'x-id=PutObject&a=1&a=2',
  headers: new Map([
    ['host', ['h:9000']],
    ['content-type', ['text/plain']],
    ['x-two', ['1', '2']],
  ]),
});

describe('a verified signature', () => {
  it('covers the request as signed', () => {
    expect(verify(put)).toEqual({ ok: true, value: null });
    expect(verify(presigned('s3', { path: '/b/k' }), undefined, 'UNSIGNED-PAYLOAD').ok).toBe(true);
  });

  it.each<[string, SignableRequest]>([
    ['the method', { ...put, method: 'GET' }],
    ['the path', { ...put, path: '/bucket/a%20c' }],
    ['the query', { ...put, query: 'x-id=PutObject&a=1&a=3' }],
    ['the number of parameters', { ...put, query: 'x-id=PutObject&a=1' }],
    ['the host', changeHeaders(put, { host: ['h:9001'] })],
    ['a header', changeHeaders(put, { 'content-type': ['text/html'] })],
    ['the order of repeated headers', changeHeaders(put, { 'x-two': ['2', '1'] })],
    ['the session token', changeHeaders(put, { 'x-amz-security-token': ['other'] })],
  ])('does not cover another of %s', (_, request) => {
    expect(verify(put, request)).toMatchObject({ ok: false, error: { problem: 'signature_mismatch' } });
  });

  it('does not cover another payload hash', () => {
    expect(verify(put, put, 'UNSIGNED-PAYLOAD')).toMatchObject({ error: { problem: 'signature_mismatch' } });
  });

  it('tells what we signed, and prints no session token', () => {
    const mismatch = verify(put, { ...put, method: 'GET' });
    if (mismatch.ok) throw new Error('accepted');
    expect(mismatch.error.canonicalRequest?.reveal()).toMatch(/^GET\n\/bucket\/a%20b\na=1&a=2&x-id=PutObject\n/);
    expect(mismatch.error.stringToSign).toMatch(/^AWS4-HMAC-SHA256\n20261123T010203Z\n20261123\/us-east-1\/s3\//);
    expect(inspect(mismatch, { depth: 9 }) + JSON.stringify(mismatch)).not.toContain(SESSION_TOKEN);
  });

  it.each(['/b/%', '/b/%2', '/b/%zz', '/b/%2f', '/b/é', '/b/\t', '', 'b/k', 'http://h/b/k'])(
    'is of no request to the path "%s"',
    (path) => {
      expect(verify(put, { ...put, path })).toMatchObject({ ok: false, error: { problem: 'path_malformed' } });
    },
  );

  it.each(['a\nb', 'a\r', '\u0000', 'a\u0100'])('is of no request with a header %j', (value) => {
    const request = changeHeaders(put, { 'content-type': [value] });
    expect(verify(put, request)).toMatchObject({ ok: false, error: { problem: 'header_malformed' } });
  });
});

describe('an escaped slash in an S3 path', () => {
  it('is the slash of the key, as aws4 signs it', () => {
    const signed = headerSigned('s3', { path: '/b/a/c' });
    expect(verify(signed, { ...signed, path: '/b/a%2Fc' }).ok).toBe(true);
  });

  it('is taken as it is, too, as the AWS SDKs sign it, but never for the text "%2F" in a key', () => {
    const signed = headerSigned('s3', { path: '/b/a%252Fc' });
    expect(verify(signed).ok).toBe(true);
    expect(verify(signed, { ...signed, path: '/b/a%2Fc' })).toMatchObject({ error: { problem: 'signature_mismatch' } });
  });
});
