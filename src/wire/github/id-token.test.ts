// GitHub's wire: what real clients send is read, and nothing is guessed.
import { describe, expect, test } from 'vitest';
import { Secret } from '../../base/core/secret.ts';
import { decodeIdTokenRequest, decodeIdTokenResponse, encodeIdTokenRequest, idTokenRequestUrl } from './id-token.ts';

const read = (query: string, authorization = 'Bearer abc') => {
  const request = decodeIdTokenRequest(query, { authorization });
  return request.ok ? request.value.audience : request.error.reason;
};

describe('an ID token request', () => {
  test('is what our own client sends', () => {
    const url = idTokenRequestUrl('https://ci.example.com/v1/jobs/J1/id-token');
    const sent = encodeIdTokenRequest(url, { requestToken: new Secret('abc'), audience: 'https://x.example/?a=b&c' });
    const request = decodeIdTokenRequest(new URL(sent.url).search.slice(1), sent.headers);
    expect(request.ok && request.value.audience).toBe('https://x.example/?a=b&c');
    expect(request.ok && request.value.requestToken.reveal()).toBe('abc');
  });

  test('has a URL that already carries a non-empty parameter', () => {
    expect(idTokenRequestUrl('https://ci.example.com/x')).toBe('https://ci.example.com/x?v=1');
  });

  test.each(['Bearer abc', 'bearer abc', 'BEARER abc'])('may spell the scheme %s', (authorization) => {
    expect(read('v=1&audience=a', authorization)).toBe('a');
  });

  test('may leave its audience unescaped', () => {
    expect(read('v=1&audience=https://sts.example.com')).toBe('https://sts.example.com');
  });

  test.each([
    ['no audience', 'v=1', 'request_malformed'],
    ['an empty audience', 'v=1&audience=', 'request_malformed'],
    ['two audiences', 'v=1&audience=a&audience=b', 'request_malformed'],
    ['a broken query', 'v=1&audience=%', 'request_malformed'],
  ])('with %s is refused', (_what, query, reason) => {
    expect(read(query)).toBe(reason);
  });

  test.each(['', 'abc', 'Basic abc', 'Bearer', 'Bearer a b', 'Bearer abc, Bearer abc', 'Bearer  '])(
    'with the header %j is refused',
    (authorization) => {
      expect(read('v=1&audience=a', authorization)).toBe('token_missing');
    },
  );
});

test('an answer without a token is no token', () => {
  expect(decodeIdTokenResponse({ value: 'x.y.z', count: 1 })).toBe('x.y.z');
  for (const body of [{}, { value: '' }, { value: 1 }, { message: 'no' }, [], null]) {
    expect(decodeIdTokenResponse(body)).toBeUndefined();
  }
});
