// RFC 8693: both directions agree, and what is not served is refused rather than ignored.
import { describe, expect, test } from 'vitest';
import { REASONS, type Reason } from '../../base/core/reasons.ts';
import { decodeTokenRefusal, encodeTokenRefusal } from './refusal.ts';
import {
  ACCESS_TOKEN_URN,
  decodeTokenRequest,
  encodeTokenRequest,
  JWT_BEARER_GRANT,
  parseRoleAudience,
  roleAudience,
} from './request.ts';
import { decodeTokenResponse, encodeTokenResponse } from './response.ts';
import { readTokenForm } from './token-form.ts';

const request = { subjectToken: 'a.b.c', role: { tenant: 'main', name: 'publish-web' }, askedSeconds: 600 };
const JWT_URN = 'urn:ietf:params:oauth:token-type:jwt';
const RESOURCE = 'https://artifacts.example.com';
const asked = {
  ...request,
  grant: 'token_exchange',
  issuedType: ACCESS_TOKEN_URN,
  scope: undefined,
  resources: [],
};
const decode = (body: string): unknown => {
  const form = readTokenForm(new TextEncoder().encode(body));
  if (!form.ok) return form.error.reason;
  const decoded = decodeTokenRequest(form.value);
  return decoded.ok ? decoded.value : decoded.error.reason;
};
const whole = encodeTokenRequest(request);
const bend = (changes: Readonly<Record<string, string | null>>): unknown => {
  const form = new URLSearchParams(whole);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) form.delete(name);
    else form.set(name, value);
  }
  return decode(form.toString());
};

describe('a token request', () => {
  test('comes back as it was written, with and without a lifetime', () => {
    expect(decode(whole)).toEqual(asked);
    expect(bend({ requested_lifetime: null })).toEqual({ ...asked, askedSeconds: undefined });
  });

  test('may say that its subject token is a JWT, ask for no type, and carry parameters of others', () => {
    const changes = { subject_token_type: JWT_URN, requested_token_type: null, options: '{}', actor_token: '' };
    expect(bend(changes)).toEqual(asked);
  });

  test('may call what it wants an access token or a JWT', () => {
    expect(bend({ requested_token_type: JWT_URN })).toEqual({ ...asked, issuedType: JWT_URN });
    expect(bend({ requested_token_type: ACCESS_TOKEN_URN })).toEqual(asked);
  });

  test('carries a scope as it is, and any number of resources', () => {
    expect(bend({ scope: 's3:GetObject http:PUT' })).toEqual({ ...asked, scope: 's3:GetObject http:PUT' });
    expect(bend({ scope: '' })).toEqual(asked);
    expect(decode(`${whole}&resource=${RESOURCE}&resource=urn:x:y&resource=&resource=${RESOURCE}`)).toEqual({
      ...asked,
      resources: [RESOURCE, 'urn:x:y'],
    });
  });

  test('loses the white space at the end of its token, and nothing else', () => {
    expect(bend({ subject_token: 'a.b.c \t\r\n' })).toEqual(asked);
    expect(bend({ subject_token: ' a.b.c' })).toEqual({ ...asked, subjectToken: ' a.b.c' });
    expect(bend({ subject_token: 'a.b.c\u00a0' })).toEqual({ ...asked, subjectToken: 'a.b.c\u00a0' });
  });

  test.each<[string, Readonly<Record<string, string | null>>, Reason]>([
    ['no grant type', { grant_type: null }, 'request_malformed'],
    ['another grant type', { grant_type: 'client_credentials' }, 'grant_type_unsupported'],
    ['no subject token', { subject_token: null }, 'token_missing'],
    ['a subject token of white space', { subject_token: '\n' }, 'token_missing'],
    ['no subject token type', { subject_token_type: null }, 'request_malformed'],
    [
      'a subject token of another type',
      { subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
      'request_malformed',
    ],
    [
      'a refresh token wanted',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      'request_malformed',
    ],
    ['an actor token', { actor_token: 'a.b.c' }, 'request_malformed'],
    ['an actor token type', { actor_token_type: 'urn:ietf:params:oauth:token-type:jwt' }, 'request_malformed'],
    ['an assertion beside its subject token', { assertion: 'a.b.c' }, 'request_malformed'],
    ['an ID token wanted', { requested_token_type: 'urn:ietf:params:oauth:token-type:id_token' }, 'request_malformed'],
    ['SAML wanted', { requested_token_type: 'urn:ietf:params:oauth:token-type:saml2' }, 'request_malformed'],
    ['the lifetime under the name it has in answers', { expires_in: '60' }, 'request_malformed'],
    ['a relative resource', { resource: '/artifacts' }, 'target_malformed'],
    ['a resource with a fragment', { resource: 'https://artifacts.example.com#a' }, 'target_malformed'],
    ['a resource with a space', { resource: 'https://artifacts.example.com/ x' }, 'target_malformed'],
    ['no audience', { audience: null }, 'target_malformed'],
    ['an audience that is no role', { audience: 'https://sts.example.com' }, 'target_malformed'],
    ['a role without tenant', { audience: 'urn:jobpass:role:publish-web' }, 'target_malformed'],
    ['a role with a path', { audience: 'urn:jobpass:role:main/../other/publish-web' }, 'target_malformed'],
    ['a role with capitals', { audience: 'urn:jobpass:role:main/Publish' }, 'target_malformed'],
    ['a role and a line end', { audience: 'urn:jobpass:role:main/publish-web\n' }, 'target_malformed'],
    ['no lifetime left', { requested_lifetime: '0' }, 'duration_invalid'],
    ['a negative lifetime', { requested_lifetime: '-1' }, 'duration_invalid'],
    ['half a second', { requested_lifetime: '0.5' }, 'duration_invalid'],
    ['an exponent', { requested_lifetime: '1e3' }, 'duration_invalid'],
    ['a lifetime beyond counting', { requested_lifetime: '9999999999' }, 'duration_invalid'],
  ])('is refused with %s', (_what, changes, reason) => {
    expect(bend(changes)).toBe(reason);
  });

  test('names a role that is found again in its audience', () => {
    expect(parseRoleAudience(roleAudience(request.role))).toEqual(request.role);
  });
});

describe('a JWT bearer grant', () => {
  const bearer = { grant_type: JWT_BEARER_GRANT, subject_token: null, subject_token_type: null };
  const own = { ...bearer, requested_token_type: null, assertion: 'a.b.c\n' };

  test('has its token in `assertion`, and the rest where an exchange has it', () => {
    expect(bend(own)).toEqual({ ...asked, grant: 'jwt_bearer' });
    expect(bend({ ...own, scope: 's3:GetObject', requested_lifetime: null })).toMatchObject({
      scope: 's3:GetObject',
      askedSeconds: undefined,
    });
  });

  test.each<[string, Readonly<Record<string, string | null>>, Reason]>([
    ['no assertion', { assertion: null }, 'token_missing'],
    ['no role', { audience: null }, 'target_malformed'],
    ['a subject token', { subject_token: 'a.b.c' }, 'request_malformed'],
    ['a subject token type', { subject_token_type: JWT_URN }, 'request_malformed'],
    ['a token type wanted', { requested_token_type: ACCESS_TOKEN_URN }, 'request_malformed'],
    ['an actor token', { actor_token: 'a.b.c' }, 'request_malformed'],
  ])('is refused with %s', (_what, changes, reason) => {
    expect(bend({ ...own, ...changes })).toBe(reason);
  });
});

describe('an answer', () => {
  const told = { grant: 'token_exchange', issuedType: ACCESS_TOKEN_URN, scope: undefined } as const;
  const response = { accessToken: 'x.y.z', expiresInSeconds: 599, sessionId: 'S1', decisionId: 'D1', jobBound: true };

  test('that grants comes back as it was written, and is never kept', () => {
    const http = encodeTokenResponse(response, told);
    const body = JSON.parse(String(http.body));
    expect(decodeTokenResponse(body)).toEqual({ ok: true, value: response });
    expect(body).toMatchObject({
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
    });
    expect(body).not.toHaveProperty('scope');
    expect(body).not.toHaveProperty('job_bound');
    expect(http.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' });
  });

  test('says of a session that it does not end with its job', () => {
    const unbound = { ...response, jobBound: false };
    const body = JSON.parse(String(encodeTokenResponse(unbound, told).body));
    expect(body).toMatchObject({ job_bound: false, expires_in: 599 });
    expect(decodeTokenResponse(body)).toEqual({ ok: true, value: unbound });
  });

  test('names the type that was asked for, and a scope that is another than was asked for', () => {
    const body = (o: Partial<Parameters<typeof encodeTokenResponse>[1]>) =>
      JSON.parse(String(encodeTokenResponse(response, { ...told, ...o }).body));
    expect(body({ issuedType: JWT_URN })).toMatchObject({ issued_token_type: JWT_URN, token_type: 'Bearer' });
    expect(body({ scope: 's3:GetObject' })).toMatchObject({ scope: 's3:GetObject' });
    expect(body({ grant: 'jwt_bearer' })).not.toHaveProperty('issued_token_type');
  });

  test.each([{}, { error: 'x' }, { access_token: 'a', token_type: 'N_A', expires_in: 1 }])(
    'that is no token response is not taken for one',
    (body) => {
      expect(decodeTokenResponse(body).ok).toBe(false);
    },
  );

  const refuse = (reason: Reason) => {
    const http = encodeTokenRefusal({ reason, decisionId: 'D1' });
    return { http, body: JSON.parse(String(http.body)) };
  };

  test.each<[Reason, number, string]>([
    ['request_malformed', 400, 'invalid_request'],
    ['target_malformed', 400, 'invalid_target'],
    ['grant_type_unsupported', 400, 'unsupported_grant_type'],
    ['token_malformed', 400, 'invalid_request'],
    ['issuer_unknown', 400, 'invalid_request'],
    ['token_expired', 400, 'invalid_request'],
    ['client_unknown', 401, 'invalid_client'],
    ['role_unknown', 400, 'invalid_target'],
    ['no_rule_matched', 400, 'invalid_target'],
    ['resource_unknown', 400, 'invalid_target'],
    ['job_ended', 400, 'invalid_target'],
    ['scope_malformed', 400, 'invalid_scope'],
    ['scope_exceeded', 400, 'invalid_scope'],
    ['store_unavailable', 503, 'temporarily_unavailable'],
  ])('that refuses for %s has status %i and error %s', (reason, status, error) => {
    const { http, body } = refuse(reason);
    expect([http.status, body.error]).toEqual([status, error]);
    expect(http.headers['retry-after']).toBe(status === 503 ? '1' : undefined);
    expect(http.headers['www-authenticate'] !== undefined).toBe(status === 401);
    expect(decodeTokenRefusal(body)).toEqual({ error, reason: REASONS[reason][0], decisionId: 'D1' });
  });

  test.each(Object.keys(REASONS) as Reason[])('that refuses tells of %s no more than the safe reason', (reason) => {
    const { http, body } = refuse(reason);
    expect(Object.keys(body)).toEqual(['error', 'error_description', 'decision_id', 'reason']);
    expect(body.reason).toBe(REASONS[reason][0]);
    expect(http.status).toBeGreaterThanOrEqual(400);
    expect(http.status).not.toBe(500);
  });

  test('that refuses is one and the same for unknown role and failed condition', () => {
    expect(refuse('role_unknown').http).toEqual(refuse('no_rule_matched').http);
  });

  test('that refuses an assertion has the code of RFC 7523 for it', () => {
    const errorOf = (reason: Reason) =>
      JSON.parse(String(encodeTokenRefusal({ reason, decisionId: 'D1', grant: 'jwt_bearer' }).body)).error;
    expect(['token_malformed', 'token_expired', 'no_rule_matched'].map((reason) => errorOf(reason as Reason))).toEqual([
      'invalid_grant',
      'invalid_grant',
      'invalid_target',
    ]);
  });

  test('that refuses says what is wrong with the request itself, in the characters of RFC 6749, and of nothing else', () => {
    const textOf = (reason: Reason) => {
      const detail = 'scope "a\\b…é"\n';
      return JSON.parse(String(encodeTokenRefusal({ reason, decisionId: 'D1', detail }).body)).error_description;
    };
    expect(textOf('request_malformed')).toBe("scope 'a?b...?'?");
    expect(textOf('no_rule_matched')).toBe('access denied');
    expect(textOf('token_malformed')).not.toContain('scope');
  });
});
