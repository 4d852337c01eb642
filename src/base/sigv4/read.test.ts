// Reading signatures: what a good one says. What is refused is in read-refusals.test.ts.
import { describe, expect, it } from 'vitest';
import {
  ACCESS_KEY_ID,
  AMZ_DATE,
  changeAuthorization,
  changeHeaders,
  EMPTY_HASH,
  headerSigned,
  presigned,
  SESSION_TOKEN,
  SIGNED_AT,
} from '../../../test/fakes/signed-requests.ts';
import { readSignature } from './read.ts';
import type { SignableRequest } from './request.ts';

const read = (request: SignableRequest, nowSeconds: number = SIGNED_AT) =>
  readSignature(request, { service: 's3', region: 'us-east-1', nowSeconds });

const header = headerSigned('s3');
const query = presigned('s3');
const ALL = ['host', 'x-amz-content-sha256', 'x-amz-date', 'x-amz-security-token'];

describe('a good signature', () => {
  it('in the header form says whose it is, what it covers and what it claims of the body', () => {
    const claim = read(header);
    expect(claim).toEqual({
      ok: true,
      value: {
        form: 'header',
        accessKeyId: ACCESS_KEY_ID,
        date: '20261123',
        region: 'us-east-1',
        service: 's3',
        signedAt: SIGNED_AT,
        amzDate: AMZ_DATE,
        expiresSeconds: null,
        signedHeaders: ALL,
        signature: expect.stringMatching(/^[0-9a-f]{64}$/),
        securityToken: SESSION_TOKEN,
        payloadHash: EMPTY_HASH,
      },
    });
  });

  it('in the query form says how long it is good, and holds to its last second', () => {
    expect(read(query, SIGNED_AT + 299)).toMatchObject({
      ok: true,
      value: { form: 'query', expiresSeconds: 300, securityToken: SESSION_TOKEN, payloadHash: null },
    });
    expect(read(presigned('s3', {}, '604800'), SIGNED_AT + 604_799).ok).toBe(true);
  });

  it('may be presigned by a clock up to 15 minutes ahead', () => {
    expect(read(query, SIGNED_AT - 900).ok).toBe(true);
  });

  it.each(['X-Amz-Content-Sha256', 'x-amz-content-sha256'])('may have its payload hash in the parameter %s', (name) => {
    const claim = read(presigned('s3', { query: `${name}=UNSIGNED-PAYLOAD` }));
    expect(claim).toMatchObject({ ok: true, value: { payloadHash: 'UNSIGNED-PAYLOAD' } });
  });

  it('is of any region where none is asked for', () => {
    const claim = readSignature(header, { service: 's3', region: null, nowSeconds: SIGNED_AT });
    expect(claim.ok).toBe(true);
  });

  it('for STS may leave unsigned what STS never reads, and such a payload hash counts for nothing', () => {
    const request = changeHeaders(headerSigned('sts'), { 'x-amz-content-sha256': ['x'], 'x-amz-tagging': ['a=b'] });
    const claim = readSignature(request, { service: 'sts', region: null, nowSeconds: SIGNED_AT });
    expect(claim).toMatchObject({ ok: true, value: { payloadHash: null } });
  });

  it.each(['x-amz-date', 'x-amz-security-token'])('for STS must cover %s', (name) => {
    const request = changeAuthorization(headerSigned('sts'), `;${name}`, '');
    const claim = readSignature(request, { service: 'sts', region: null, nowSeconds: SIGNED_AT });
    expect(claim).toMatchObject({ ok: false, error: { problem: 'headers_unsigned', component: name } });
  });
});
