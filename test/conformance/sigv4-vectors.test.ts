// AWS's published cases of Signature Version 4, in both forms: our canonicalisation, signer, reader and verifier.
import { hash } from 'node:crypto';
import { expect, it } from 'vitest';
import { parseAmzDate } from '../../src/base/sigv4/amz-date.ts';
import type { SigV4Problem } from '../../src/base/sigv4/problem.ts';
import { readSignature } from '../../src/base/sigv4/read.ts';
import { signRequest } from '../../src/base/sigv4/sign-request.ts';
import { signingKey } from '../../src/base/sigv4/signature.ts';
import { verifySignature } from '../../src/base/sigv4/verify.ts';
import { readRequestText, remade, type SigV4Case, sigV4Cases } from './sigv4-cases.ts';
import { describeVectors } from './vectors.ts';

const amzDateOf = (one: SigV4Case): string => one.context.timestamp.replace(/[-:]/g, '');
const scopeOf = (one: SigV4Case) => ({
  date: amzDateOf(one).slice(0, 8),
  region: one.context.region,
  service: one.context.service,
});
const keyOf = (one: SigV4Case): Uint8Array => signingKey(one.context.credentials.secret_access_key, scopeOf(one));

/** Reads and verifies the signed text of a case at its own time; the scope's service is the vectors', not one of ours. */
function judge(one: SigV4Case, text: string): 'accepted' | SigV4Problem {
  const { request, body } = readRequestText(text);
  const claim = readSignature(request, {
    service: one.context.service,
    region: one.context.region,
    nowSeconds: parseAmzDate(amzDateOf(one)) ?? 0,
  });
  if (!claim.ok) return claim.error.problem;
  const verified = verifySignature(request, claim.value, {
    key: keyOf(one),
    payloadHash: hash('sha256', body, 'hex'),
    pathEncoding: one.context.normalize ? 'double' : 'single',
  });
  return verified.ok ? 'accepted' : verified.error.problem;
}

/** The session token added after signing is what we never take: unsigned, it could be exchanged for another. */
const TOKEN_AFTER_SIGNING = 'post-sts-header-after';

describeVectors('AWS Signature Version 4 cases', () => {
  const cases = sigV4Cases();

  it('has 24 cases', () => {
    expect(cases).toHaveLength(24);
  });

  it.each(cases)('$name: the signed header form has the published texts', (one) => {
    const { request, body } = readRequestText(one.header_signed_request);
    const signedHeaders = (/SignedHeaders=([^,]*),/.exec(one.header_signed_request)?.[1] ?? '').split(';');
    const ours = remade(one, { request, signedHeaders, body });
    expect(ours.canonical).toBe(one.header_canonical_request);
    expect(ours.text).toBe(one.header_string_to_sign);
    expect(ours.signature).toBe(one.header_signature);
  });

  it.each(cases)('$name: the presigned form has the published texts', (one) => {
    const { request, body } = readRequestText(one.query_signed_request);
    const signedHeaders = (/X-Amz-SignedHeaders=([^&]*)&/.exec(request.query)?.[1] ?? '').split('%3B');
    const query =
      one.context.omit_session_token === true
        ? request.query.replace(/&X-Amz-Security-Token=[^&]*/, '')
        : request.query;
    const ours = remade(one, { request: { ...request, query }, signedHeaders, body });
    expect(ours.canonical).toBe(one.query_canonical_request);
    expect(ours.text).toBe(one.query_string_to_sign);
    expect(ours.signature).toBe(one.query_signature);
  });

  it.each(cases)('$name: our signer makes the published Authorization header', (one) => {
    const { request, body } = readRequestText(one.request);
    const { credentials, omit_session_token: isAfter } = one.context;
    const payloadHash = hash('sha256', body, 'hex');
    const headers = new Map(request.headers);
    if (body !== '') headers.set('x-amz-content-sha256', [payloadHash]);
    const added = signRequest(
      { ...request, headers },
      {
        accessKeyId: credentials.access_key_id,
        key: keyOf(one),
        scope: scopeOf(one),
        amzDate: amzDateOf(one),
        ...(credentials.token === undefined || isAfter === true ? {} : { securityToken: credentials.token }),
        payloadHash,
        pathEncoding: one.context.normalize ? 'double' : 'single',
      },
    );
    expect(one.header_signed_request).toContain(`Authorization:${added.authorization}\n`);
  });

  it.each(cases)('$name: the header form is accepted, unless its token was added after signing', (one) => {
    expect(judge(one, one.header_signed_request)).toBe(
      one.name === TOKEN_AFTER_SIGNING ? 'headers_unsigned' : 'accepted',
    );
  });

  it.each(cases)('$name: the presigned form is accepted, unless its token was added after signing', (one) => {
    expect(judge(one, one.query_signed_request)).toBe(
      one.name === TOKEN_AFTER_SIGNING ? 'signature_mismatch' : 'accepted',
    );
  });
});
