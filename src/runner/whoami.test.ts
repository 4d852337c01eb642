import { expect, it } from 'vitest';
import { describeIdentity } from './whoami.ts';

it('tells what people ask for first, then the rest in order, and registered claims apart', () => {
  const identity = describeIdentity(
    {
      zebra: 'z',
      iss: 'http://ci.test',
      sub: 'owner:acme@42',
      aud: 'http://sts.test',
      exp: 99,
      jti: 'x',
      ref: 'refs/heads/main',
      owner: 'acme',
      apple: 'a',
    },
    99,
  );
  expect(identity).toEqual({
    subject: 'owner:acme@42',
    issuer: 'http://ci.test',
    audience: 'http://sts.test',
    expiresAt: 99,
    claims: [
      { name: 'owner', value: 'acme' },
      { name: 'ref', value: 'refs/heads/main' },
      { name: 'apple', value: 'a' },
      { name: 'zebra', value: 'z' },
    ],
  });
});

it('shows no control characters and copes with claims of any type', () => {
  const identity = describeIdentity({ sub: 'a\u001b[31mb', aud: ['x', 'y'], owner: null, deep: { n: 1 } }, 0);
  expect(identity.subject).toBe('a\\u{1b}[31mb');
  expect(identity.audience).toBe('["x","y"]');
  expect(identity.claims).toContainEqual({ name: 'deep', value: '{"n":1}' });
});
