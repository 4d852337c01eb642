import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compilePattern,
  isWildcardOnly,
  matchesButForCase,
  matchesPattern,
  type Pattern,
  patternPrefix,
} from './pattern.ts';

const compiled = (source: string): Pattern => {
  const outcome = compilePattern(source);
  if (!outcome.ok) throw new Error(outcome.error);
  return outcome.value;
};
const matches = (source: string, value: string): boolean => matchesPattern(compiled(source), value);

describe('a pattern', () => {
  it.each([
    ['release-*', 'release-1', true],
    ['release-*', 'release-', true],
    ['release-*', 'release', false],
    ['release-*', 'release-1/x', false],
    ['release-*', 'release-1:x', false],
    ['release-*', 'prerelease-1', false],
    ['refs/heads/**', 'refs/heads/a/b', true],
    ['refs/heads/**', 'refs/heads/a:b', false],
    ['refs/heads/**', 'refs/heads/', true],
    ['refs/**/main', 'refs/heads/main', true],
    ['refs/**/main', 'refs/main', false],
    ['refs/*/main', 'refs/heads/x/main', false],
    ['*', 'a', true],
    ['*', '', true],
    ['*', 'a/b', false],
    ['**', 'a/b', true],
    ['**', 'a:b', false],
    ['*.*', 'a.b', true],
    ['*.*', 'ab', false],
    ['**x*', 'a/x', true],
    ['**x*', 'a/x/b', false],
    ['owner:acme@42:pipeline:*@7:ref:refs/heads/*', 'owner:acme@42:pipeline:web@7:ref:refs/heads/main', true],
    ['owner:acme@42:**', 'owner:acme@42:pipeline:web@7', false],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['a\\\\b', 'a\\b', true],
    ['a\\**', 'a*zz', true],
    ['a.c', 'abc', false],
    ['a?c', 'abc', false],
    ['a[bc]', 'ab', false],
    ['a', 'A', false],
    ['ab*ba', 'aba', false],
    ['\u00e9*', '\u00e91', true],
    ['\u00e9*', 'e\u03011', false],
  ])('%s on %s: %s', (source, value, wanted) => {
    expect(matches(source, value)).toBe(wanted);
  });

  it.each([
    ['', 'wanted text that is not empty'],
    ['***', 'wanted at most two stars in a row'],
    ['a****', 'wanted at most two stars in a row'],
    ['a\\', 'wanted \\* or \\\\ after a backslash'],
    ['a\\n', 'wanted \\* or \\\\ after a backslash'],
    ['x'.repeat(1025), 'wanted at most 1024 characters'],
  ])('%s is refused', (source, problem) => {
    expect(compilePattern(source)).toEqual({ ok: false, error: problem });
  });

  it('has a wildcard in the policy only, never in the value', () => {
    expect(matches('main', '*')).toBe(false);
    expect(matches('\\*', '*')).toBe(true);
  });

  it('says of itself what others need to know', () => {
    expect(['*', '**', '**:**', '*/*'].map((source) => isWildcardOnly(compiled(source)))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['\\*', 'a*', ':', '*a'].map((source) => isWildcardOnly(compiled(source)))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(['fork:*', 'fork\\*:x', '*a'].map((source) => patternPrefix(compiled(source)))).toEqual([
      'fork:',
      'fork*:x',
      '',
    ]);
    expect(matchesButForCase(compiled('refs/heads/*'), 'refs/Heads/x')).toBe(true);
    expect(matchesButForCase(compiled('Main'), 'mAIN')).toBe(true);
    expect(matchesButForCase(compiled('Main'), 'other')).toBe(false);
  });
});

/** The comment of the design, followed one character at a time, with backtracking. */
function naive(source: string, value: string): boolean {
  if (source === '') return value === '';
  if (source.startsWith('**')) {
    return naive(source.slice(2), value) || (value !== '' && value[0] !== ':' && naive(source, value.slice(1)));
  }
  if (source.startsWith('*')) {
    return naive(source.slice(1), value) || (/^[^:/]/s.test(value) && naive(source, value.slice(1)));
  }
  const [literal, rest] = source.startsWith('\\') ? [source[1], source.slice(2)] : [source[0], source.slice(1)];
  return value[0] === literal && naive(rest, value.slice(1));
}

describe('the matcher', () => {
  it('agrees with a naive one', () => {
    const part = fc.constantFrom('a', 'b', ':', '/', '*', '**', '\\*', '\\\\', 'ab');
    const source = fc.array(part, { minLength: 1, maxLength: 9 }).map((parts) => parts.join(''));
    const value = fc
      .array(fc.constantFrom('a', 'b', ':', '/', '*', '\\'), { maxLength: 10 })
      .map((parts) => parts.join(''));
    let matched = 0;
    fc.assert(
      fc.property(source, value, (text, presented) => {
        const outcome = compilePattern(text);
        fc.pre(outcome.ok);
        const answer = outcome.ok && matchesPattern(outcome.value, presented);
        matched += answer ? 1 : 0;
        expect(answer).toBe(naive(text, presented));
      }),
      { numRuns: 20_000 },
    );
    expect(matched).toBeGreaterThan(100);
  });

  it('answers the worst patterns on the largest token', () => {
    expect(matches('**a*b'.repeat(200), 'ab'.repeat(1024))).toBe(true);
    expect(matches('**a*b'.repeat(200), 'ab'.repeat(8192))).toBe(false);
    expect(matches(`${'*a'.repeat(500)}b`, 'a'.repeat(2048))).toBe(false);
  });
});
