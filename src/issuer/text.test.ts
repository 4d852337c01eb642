// Facts and audiences: what is refused, and that the naughtiest harmless ones are not.
import { expect, test } from 'vitest';
import { extraClaimProblem } from './extra-claims.ts';
import { audienceProblem, MAX_FACT_CHARS, textProblem } from './text.ts';

test.each([
  ['nothing', ''],
  ['a space in front', ' a'],
  ['a no-break space behind', 'a\u00a0'],
  ['a newline', 'a\nb'],
  ['a NUL', 'a\u0000'],
  ['a C1 control', 'a\u0085b'],
  ['a paragraph separator', 'a\u2029b'],
  ['half a surrogate pair', 'a\udc00'],
  ['one character too many', 'x'.repeat(MAX_FACT_CHARS + 1)],
])('%s is no fact', (_what, value) => {
  expect(textProblem(value)).toBeTypeOf('string');
});

test.each(['a', 'release/1.x @ 50% *', 'Ünïcödé 💥', 'x'.repeat(MAX_FACT_CHARS)])('%j is a fact', (value) => {
  expect(textProblem(value)).toBeUndefined();
});

test.each(['*', '**', '?*', 'https://ci.example.com', 'https://ci.example.com//', ' a', ''])(
  '%j is no audience',
  (value) => {
    expect(audienceProblem(value, 'https://ci.example.com')).toBeTypeOf('string');
  },
);

test('an audience may contain a star', () => {
  expect(audienceProblem('npm:*.example.com', 'https://ci.example.com')).toBeUndefined();
});

test.each(['azp', 'amr', 'nonce', 'groups', 'ref', 'sub', 'environment', 'https://aws.amazon.com/tags', '__proto__'])(
  'no prefix makes %s an extra claim',
  (name) => {
    for (const prefix of [name.slice(0, 1), name.slice(0, 2), name, '']) {
      expect(extraClaimProblem(name, prefix)).toBeTypeOf('string');
    }
  },
);

test('an extra claim under the prefix is one', () => {
  expect(extraClaimProblem('acme.example/team', 'acme.example/')).toBeUndefined();
});
