// What is asked of `POST /v1/token`: the bodies of Google's clients are taken, and each parameter is checked.
import { describe, expect, test } from 'vitest';
import type { Reason } from '../../base/core/reasons.ts';
import { readParameters } from './parameters.ts';
import { decodeGcpTokenRequest } from './token-request.ts';

const PROVIDER = '//iam.googleapis.com/projects/123456789/locations/global/workloadIdentityPools/ci/providers/gh';
const PLATFORM = 'https://www.googleapis.com/auth/cloud-platform';
const WHOLE = {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  audience: PROVIDER,
  scope: PLATFORM,
  requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  subject_token: 'a.b.c',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
};
const WANTED = { subjectToken: 'a.b.c', provider: PROVIDER, scopes: [PLATFORM] };

const decode = (changes: Readonly<Record<string, string | null>> = {}): unknown => {
  const parameters = Object.entries({ ...WHOLE, ...changes }).filter(([, value]) => value !== null);
  const decoded = decodeGcpTokenRequest(new Map(parameters as [string, string][]));
  return decoded.ok ? decoded.value : decoded.error.reason;
};

describe('an exchange at Google’s STS', () => {
  test('is what google-github-actions/auth posts', () => {
    const body = {
      audience: PROVIDER,
      grantType: WHOLE.grant_type,
      requestedTokenType: WHOLE.requested_token_type,
      scope: PLATFORM,
      subjectTokenType: WHOLE.subject_token_type,
      subjectToken: 'a.b.c',
    };
    const parameters = readParameters({
      query: '',
      headers: { 'content-type': 'application/json' },
      body: new TextEncoder().encode(JSON.stringify(body)),
    });
    expect(parameters.ok && decodeGcpTokenRequest(parameters.value)).toEqual({ ok: true, value: WANTED });
  });

  test('names its token a JWT or an ID token, and its provider with or without https:', () => {
    expect(decode()).toEqual(WANTED);
    expect(decode({ subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' })).toEqual(WANTED);
    expect(decode({ audience: `https:${PROVIDER}` })).toEqual(WANTED);
    expect(decode({ requested_token_type: null })).toEqual(WANTED);
    expect(decode({ subject_token: 'a.b.c\r\n' })).toEqual(WANTED);
    expect(decode({ scope: `openid  ${PLATFORM} ` })).toEqual({ ...WANTED, scopes: ['openid', PLATFORM] });
  });

  test.each(['{"userProject":"42"}', '%7B%22userProject%22%3A%20%2242%22%7D', '{}'])(
    'may name a project to bill, which is nobody’s business here: %s',
    (options) => {
      expect(decode({ options })).toEqual(WANTED);
    },
  );

  test.each<[string, Readonly<Record<string, string | null>>, Reason]>([
    ['no grant type', { grant_type: null }, 'request_malformed'],
    ['another grant type', { grant_type: 'client_credentials' }, 'grant_type_unsupported'],
    ['no audience', { audience: null }, 'request_malformed'],
    ['a pool for an audience', { audience: PROVIDER.replace('/providers/gh', '') }, 'target_malformed'],
    ['a role for an audience', { audience: 'urn:jobpass:role:main/publish-web' }, 'target_malformed'],
    ['a project’s id', { audience: PROVIDER.replace('123456789', 'acme') }, 'target_malformed'],
    ['no scope', { scope: null }, 'request_malformed'],
    ['a scope of spaces', { scope: '  ' }, 'request_malformed'],
    ['a scope beyond ASCII', { scope: 'é' }, 'request_malformed'],
    ['too many scopes', { scope: Array(101).fill('a').join(' ') }, 'request_malformed'],
    ['no token', { subject_token: null }, 'token_missing'],
    ['a token of white space', { subject_token: '\n' }, 'token_missing'],
    ['no token type', { subject_token_type: null }, 'request_malformed'],
    ['SAML', { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }, 'request_malformed'],
    ['an AWS request', { subject_token_type: 'urn:ietf:params:aws:token-type:aws4_request' }, 'request_malformed'],
    ['an access token', { subject_token_type: WHOLE.requested_token_type }, 'request_malformed'],
    ['an ID token wanted', { requested_token_type: WHOLE.subject_token_type }, 'request_malformed'],
    ['an actor', { actor_token: 'a.b.c' }, 'request_malformed'],
    ['an actor’s type', { actor_token_type: WHOLE.subject_token_type }, 'request_malformed'],
    ['a resource', { resource: 'https://x.example' }, 'request_malformed'],
    ['an access boundary', { options: '{"accessBoundary":{}}' }, 'request_malformed'],
    ['a hidden access boundary', { options: '%7B%22\\u0061ccessBoundary%22%3A%7B%7D%7D' }, 'request_malformed'],
    ['options that cannot be read', { options: '{' }, 'request_malformed'],
    ['options that cannot be decoded', { options: '%7B%' }, 'request_malformed'],
  ])('is refused with %s', (_what, changes, reason) => {
    expect(decode(changes)).toBe(reason);
  });
});
