// The last look before signing: each rule alone stops a token, and a sound one passes.
import { expect, test } from 'vitest';
import { JobpassError } from '../base/core/errors.ts';
import type { Claims } from '../base/core/json.ts';
import { lintIdToken } from './id-token-lint.ts';

const NOW = 1_800_000_000;
const bounds = {
  issuer: 'https://ci.example.com',
  audience: 'a',
  nowSeconds: NOW,
  deadline: NOW + 300,
  maxLifetimeSeconds: 200,
};
const sound: Claims = {
  iss: 'https://ci.example.com',
  sub: 'owner:acme@42',
  aud: 'a',
  iat: NOW,
  nbf: NOW,
  exp: NOW + 200,
  jti: 'x'.repeat(22),
  ref: 'refs/heads/main',
  'https://aws.amazon.com/tags': { principal_tags: { ref: ['refs/heads/main'] } },
};

const lint = (changes: Claims, bound: Partial<typeof bounds> = {}): string => {
  try {
    lintIdToken({ ...sound, ...changes }, { ...bounds, ...bound });
    return 'sound';
  } catch (error) {
    return error instanceof JobpassError && error.code === 'ERR_ID_TOKEN_UNSOUND' ? error.message : 'other';
  }
};

test('a sound token passes', () => {
  expect(lint({})).toBe('sound');
});

test.each<[string, Claims, string]>([
  ['another issuer', { iss: 'https://ci.example.com/' }, 'iss'],
  ['another audience', { aud: 'b' }, 'aud'],
  ['several audiences', { aud: ['a'] }, 'aud'],
  ['a long subject', { sub: 'x'.repeat(256) }, 'sub'],
  ['an empty subject', { sub: '' }, 'sub'],
  ['a subject beyond ASCII', { sub: 'é' }, 'sub'],
  ['a guessable id', { jti: '1' }, 'jti'],
  ['an expiry beyond the lifetime', { exp: NOW + 201 }, 'lifetime'],
  ['an expiry now', { exp: NOW }, 'future'],
  ['half a second', { exp: NOW + 0.5 }, 'exp'],
  ['an expiry in words', { exp: '1' }, 'exp'],
  ['another time of issue', { iat: NOW - 1 }, 'iat'],
  ['a claim that is no string', { ref_protected: true }, 'ref_protected'],
  ['tags of another shape', { 'https://aws.amazon.com/tags': { principal_tags: { ref: 'x' } } }, 'tags'],
  ['transitive tags', { 'https://aws.amazon.com/tags': { principal_tags: {}, transitive_tag_keys: [] } }, 'tags'],
])('%s stops it', (_what, changes, problem) => {
  expect(lint(changes)).toContain(problem);
});

test('an expiry beyond the deadline stops it', () => {
  expect(lint({}, { deadline: NOW + 199 })).toContain('deadline');
});
