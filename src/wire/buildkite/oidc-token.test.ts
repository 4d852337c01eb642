// Buildkite's wire: what the agent sends is read; what is malformed is refused.
import { expect, test } from 'vitest';
import { decodeOidcTokenRequest } from './oidc-token.ts';

test('empty members mean omitted ones', () => {
  const request = decodeOidcTokenRequest({ audience: 'a', lifetime: 0, claims: [], subject_claim: '', newer: true });
  expect(request.ok && request.value).toEqual({
    audience: 'a',
    lifetimeSeconds: undefined,
    claims: [],
    awsSessionTags: undefined,
    subjectClaim: undefined,
  });
});

test.each([
  ['no audience', {}, 'request_malformed'],
  ['an audience list', { audience: ['a'] }, 'request_malformed'],
  ['a negative lifetime', { audience: 'a', lifetime: -1 }, 'duration_invalid'],
  ['half a second', { audience: 'a', lifetime: 0.5 }, 'duration_invalid'],
  ['a lifetime in words', { audience: 'a', lifetime: '60' }, 'duration_invalid'],
  ['claims that are no names', { audience: 'a', claims: [1] }, 'request_malformed'],
  ['tags that are no list', { audience: 'a', aws_session_tags: 'ref' }, 'request_malformed'],
  ['a subject claim that is no name', { audience: 'a', subject_claim: 1 }, 'request_malformed'],
])('%s is refused', (_what, body, reason) => {
  const request = decodeOidcTokenRequest(body);
  expect(!request.ok && request.error.reason).toBe(reason);
});
