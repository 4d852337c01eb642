// The answers of Google's APIs, byte for byte as clients read them.
import { describe, expect, test } from 'vitest';
import { REASONS, type Reason } from '../../base/core/reasons.ts';
import { encodeApiRefusal, encodeGeneratedToken, encodeUnreachedApi } from './api-answer.ts';
import { decodeGcpIntrospection, encodeGcpIntrospection } from './introspection.ts';
import { encodeGcpToken, encodeOAuthRefusal, encodeUnreachedOAuth } from './token-answer.ts';

const decisionId = 'D9XM40KQZ7HT8';
const HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' };

describe('an answer of the STS', () => {
  test('is the token, for as long as it lasts', () => {
    const answer = encodeGcpToken({ accessToken: 'a.b.c', expiresInSeconds: 1800, decisionId });
    expect(answer).toEqual({
      status: 200,
      headers: HEADERS,
      body: `{"access_token":"a.b.c","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":1800,"decision_id":"${decisionId}"}`,
    });
  });

  test.each<[Reason, number, string]>([
    ['request_malformed', 400, 'invalid_request'],
    ['target_malformed', 400, 'invalid_request'],
    ['token_missing', 400, 'invalid_grant'],
    ['grant_type_unsupported', 400, 'unsupported_grant_type'],
    ['signature_invalid', 400, 'invalid_grant'],
    ['issuer_unknown', 400, 'invalid_grant'],
    ['token_expired', 400, 'invalid_grant'],
    ['role_unknown', 400, 'unauthorized_client'],
    ['no_rule_matched', 400, 'unauthorized_client'],
    ['job_ended', 400, 'unauthorized_client'],
    ['too_many_request_tokens', 429, 'temporarily_unavailable'],
    ['issuer_unreachable', 503, 'temporarily_unavailable'],
    ['store_unavailable', 503, 'temporarily_unavailable'],
  ])('to %s is %i %s', (reason, status, error) => {
    const answer = encodeOAuthRefusal({ reason, decisionId });
    expect([answer.status, JSON.parse(String(answer.body)).error]).toEqual([status, error]);
    expect(answer.headers['retry-after']).toBe(status === 503 || status === 429 ? '1' : undefined);
  });

  test('tells an unknown provider and a refused condition apart for nobody', () => {
    const reasons: readonly Reason[] = ['role_unknown', 'no_rule_matched', 'claim_missing', 'lifetime_exhausted'];
    const [unknown, refused, , nothingLeft] = reasons.map((reason) => encodeOAuthRefusal({ reason, decisionId }));
    expect(refused).toEqual(unknown);
    expect(nothingLeft).toEqual(unknown);
    expect(unknown?.body).toBe(
      `{"error":"unauthorized_client","error_description":"The given credential is not accepted for this provider, or there is no such provider. The operator sees why with: jobpass decisions show ${decisionId}","decision_id":"${decisionId}"}`,
    );
  });

  test('tells what is wrong with the request itself', () => {
    const answer = encodeOAuthRefusal({ reason: 'request_malformed', decisionId, open: 'scope is missing' });
    expect(JSON.parse(String(answer.body))).toMatchObject({ error_description: 'scope is missing' });
    expect(JSON.parse(String(encodeUnreachedOAuth(413, 'too large').body))).toEqual({
      error: 'invalid_request',
      error_description: 'too large',
    });
    expect(encodeUnreachedOAuth(503, 'later')).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(encodeUnreachedOAuth(413, 'x').status).toBe(413);
  });
});

describe('an answer of the IAM Credentials API', () => {
  test('is the token with the time of its end', () => {
    expect(encodeGeneratedToken({ accessToken: 'a.b.c', expiresAt: 1_800_000_000 })).toEqual({
      status: 200,
      headers: HEADERS,
      body: '{"accessToken":"a.b.c","expireTime":"2027-01-15T08:00:00Z"}',
    });
  });

  test.each<[Reason, number, string]>([
    ['request_malformed', 400, 'INVALID_ARGUMENT'],
    ['duration_invalid', 400, 'INVALID_ARGUMENT'],
    ['grant_type_unsupported', 501, 'UNIMPLEMENTED'],
    ['credential_missing', 401, 'UNAUTHENTICATED'],
    ['token_replayed', 401, 'UNAUTHENTICATED'],
    ['session_expired', 401, 'UNAUTHENTICATED'],
    ['session_ended', 403, 'PERMISSION_DENIED'],
    ['role_unknown', 403, 'PERMISSION_DENIED'],
    ['no_rule_matched', 403, 'PERMISSION_DENIED'],
    ['job_status_unknown', 503, 'UNAVAILABLE'],
    ['too_many_request_tokens', 429, 'RESOURCE_EXHAUSTED'],
  ])('to %s is %i %s', (reason, code, status) => {
    const answer = encodeApiRefusal({ reason, decisionId });
    expect(answer.status).toBe(code);
    expect(JSON.parse(String(answer.body)).error).toMatchObject({ code, status, details: [{ requestId: decisionId }] });
    expect(answer.headers['www-authenticate']).toBe(
      code === 401 ? 'Bearer realm="jobpass", error="invalid_token"' : undefined,
    );
  });

  test('tells an unknown account and a refused condition apart for nobody', () => {
    const denied = encodeApiRefusal({ reason: 'no_rule_matched', decisionId });
    expect(encodeApiRefusal({ reason: 'role_unknown', decisionId })).toEqual(denied);
    expect(denied.body).toBe(
      `{"error":{"code":403,"message":"Permission 'iam.serviceAccounts.getAccessToken' denied on the resource, or it does not exist. The operator sees why with: jobpass decisions show ${decisionId}","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.RequestInfo","requestId":"${decisionId}"}]}}`,
    );
    expect(encodeUnreachedApi(413, 'too large')).toMatchObject({
      status: 413,
      body: '{"error":{"code":413,"message":"too large","status":"INVALID_ARGUMENT"}}',
    });
  });
});

test('every reason has an answer in both forms', () => {
  for (const reason of Object.keys(REASONS) as Reason[]) {
    for (const answer of [encodeOAuthRefusal({ reason, decisionId }), encodeApiRefusal({ reason, decisionId })]) {
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.body).not.toContain(REASONS[reason][1]);
    }
  }
});

describe('introspection', () => {
  test('says of an active token whose it is, and of another nothing', () => {
    const token = {
      username: 'principal://iam.googleapis.com/projects/42/…/subject/me',
      issuer: 'https://sts.example.com',
      subject: 'me',
      issuedAt: 1,
      expiresAt: 2,
    };
    expect(JSON.parse(String(encodeGcpIntrospection(token).body))).toEqual({
      active: true,
      username: token.username,
      token_type: 'Bearer',
      iss: token.issuer,
      sub: 'me',
      iat: 1,
      exp: 2,
    });
    expect(encodeGcpIntrospection(null)).toEqual({ status: 200, headers: HEADERS, body: '{"active":false}' });
  });

  test('asks about one token', () => {
    expect(decodeGcpIntrospection(new Map([['token', 'a.b.c\n']]))).toEqual({ ok: true, value: 'a.b.c' });
    expect(decodeGcpIntrospection(new Map())).toMatchObject({ ok: false, error: { reason: 'request_malformed' } });
  });
});
