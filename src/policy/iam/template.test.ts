import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ANY, asGlob, type Glob, matchesGlob, parseTemplate, STAR } from './template.ts';

const globOf = (text: string): Glob => {
  const parsed = parseTemplate(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return asGlob(parsed.value) ?? [];
};

it.each([
  `\${`,
  `\${}`,
  `\${claims.}`,
  `\${claims.a b}`,
  `\${x}`,
  `a\${*`,
  `\${aws:username}`,
  `\${claims.\${*}}`,
  `\${claims.-x}`,
])('refuses %s', (text) => {
  expect(parseTemplate(text).ok).toBe(false);
});

it('takes a dollar without a brace, and a brace without a dollar, as themselves', () => {
  expect(matchesGlob(globOf('a$b{c}$'), 'a$b{c}$')).toBe(true);
  expect(matchesGlob(globOf(`\${$}{x}`), `\${x}`)).toBe(true);
});

/** Follows every way, one symbol at a time. */
function naive(glob: Glob, value: readonly string[]): boolean {
  const [symbol, ...rest] = glob;
  if (symbol === undefined) return value.length === 0;
  if (symbol === STAR) return naive(rest, value) || (value.length > 0 && naive(glob, value.slice(1)));
  const [first, ...others] = value;
  return first !== undefined && (symbol === ANY || symbol === first.codePointAt(0)) && naive(rest, others);
}

it('matches as a naive matcher does, by code points', () => {
  let matched = 0;
  const text = (parts: readonly string[]) =>
    fc.array(fc.constantFrom(...parts), { maxLength: 8 }).map((all) => all.join(''));
  fc.assert(
    fc.property(
      text(['a', 'b', '*', '?', '😀', '/', `\${*}`]),
      text(['a', 'b', '😀', '/', '*', '\n']),
      (pattern, value) => {
        const answer = matchesGlob(globOf(pattern), value);
        matched += answer ? 1 : 0;
        expect(answer).toBe(naive(globOf(pattern), [...value]));
      },
    ),
    { numRuns: 20_000 },
  );
  expect(matched).toBeGreaterThan(100);
});

it('answers the worst patterns on the longest paths', () => {
  expect(matchesGlob(globOf(`${'*a'.repeat(1000)}b`), 'a'.repeat(16_384))).toBe(false);
  expect(matchesGlob(globOf(`*${'a'.repeat(1000)}b`), 'a'.repeat(16_384))).toBe(false);
});
