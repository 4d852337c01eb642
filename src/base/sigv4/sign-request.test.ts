// Signing for an upstream: what is added, what is covered, and what cannot be signed.
import { describe, expect, it } from 'vitest';
import { EMPTY_HASH, headerSigned, keyFor, SIGNED_AT, unsignedRequest } from '../../../test/fakes/signed-requests.ts';
import { formatAmzDate, parseAmzDate } from './amz-date.ts';
import type { SignableRequest } from './request.ts';
import { signRequest } from './sign-request.ts';

const options = {
  accessKeyId: 'AKIDUPSTREAM',
  key: keyFor('s3'),
  scope: { date: '20261123', region: 'us-east-1', service: 's3' },
  amzDate: '20261123T010203Z',
  payloadHash: 'UNSIGNED-PAYLOAD',
  pathEncoding: 'single',
} as const;

describe('a request signed for an upstream', () => {
  it('covers every header that it was given', () => {
    const headers = new Map([
      ['host', ['upstream']],
      ['content-type', ['text/plain']],
    ]);
    const added = signRequest(unsignedRequest({ headers }), options);
    expect(Object.keys(added).sort()).toEqual(['authorization', 'x-amz-content-sha256', 'x-amz-date']);
    expect(added.authorization).toContain('SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date,');
    expect(added['x-amz-content-sha256']).toBe('UNSIGNED-PAYLOAD');
  });

  it('has no payload hash in a header for services other than S3, and a session token where there is one', () => {
    const signed = headerSigned('sts');
    expect([...signed.headers.keys()].sort()).toEqual(['authorization', 'host', 'x-amz-date', 'x-amz-security-token']);
  });

  it.each<[string, Partial<SignableRequest>]>([
    ['it has no host', { headers: new Map() }],
    ['its path is broken', { path: '/%' }],
    ['its query is broken', { query: 'a=%' }],
    ['a header is broken', { headers: new Map([['host', ['a\n']]]) }],
  ])('does not exist when %s', (_, changes) => {
    expect(() => signRequest(unsignedRequest(changes), { ...options, payloadHash: EMPTY_HASH })).toThrow(
      expect.objectContaining({ code: 'ERR_SIGNING' }),
    );
  });
});

describe('the time of a signature', () => {
  it('is the same read and written', () => {
    expect(formatAmzDate(SIGNED_AT)).toBe('20261123T010203Z');
    expect(parseAmzDate('20261123T010203Z')).toBe(SIGNED_AT);
    expect(parseAmzDate('20280229T235959Z')).toBe(Date.UTC(2028, 1, 29, 23, 59, 59) / 1000);
  });

  it.each(['20260229T000000Z', '20261301T000000Z', '20261123T006000Z', '20261123t010203z', '20261123T010203Z\n'])(
    'is not %j',
    (text) => {
      expect(parseAmzDate(text)).toBeUndefined();
    },
  );
});
