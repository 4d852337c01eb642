// The Authorization header: what we send is what a server of ours reads.
import { expect, test } from 'vitest';
import { Secret } from '../base/core/secret.ts';
import { authorizationToken, basicAuthorization } from './authorization.ts';

test('a client’s name and secret are form-encoded before they are joined (RFC 6749 §2.3.1)', () => {
  const header = basicAuthorization('gateway store', new Secret('a:b+c & ü~'));
  const token = authorizationToken(header, 'basic')?.reveal() ?? '';
  expect(atob(token)).toBe('gateway+store:a%3Ab%2Bc+%26+%C3%BC%7E');
});
