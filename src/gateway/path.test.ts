// The path rules: what is accepted reads the same for everybody, and every known trick is refused.
import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_PATH_CHARS, readTarget } from './path.ts';

const reasonOf = (raw: string) => {
  const read = readTarget(raw);
  return read.ok ? 'accepted' : read.error.reason;
};

describe('a plain target', () => {
  test.each([
    ['/', '', ''],
    ['/web/release-1.tar.gz', 'web/release-1.tar.gz', ''],
    ['/web/', 'web/', ''],
    ['/a%20b/%C3%A9', 'a b/é', ''],
    ['/100%25', '100%', ''],
    ['/~me/(1)!*&=+,@:x', '~me/(1)!*&=+,@:x', ''],
    ['/.well-known/a..b/...x', '.well-known/a..b/...x', ''],
    ['/a?', 'a', ''],
    ['/a?list-type=2&prefix=x%2Fy', 'a', 'list-type=2&prefix=x%2Fy'],
    ['/a?next=/b/../c//d?e', 'a', 'next=/b/../c//d?e'],
  ])('%s names %s', (raw, pathForPolicy, query) => {
    expect(readTarget(raw)).toEqual({ ok: true, value: { raw, path: raw.split('?')[0], query, pathForPolicy } });
  });

  test('is forwarded as the very text that came, escapes unchanged', () => {
    const read = readTarget('/%61%62?x=%7E');
    expect(read.ok && [read.value.raw, read.value.pathForPolicy]).toEqual(['/%61%62?x=%7E', 'ab']);
  });
});

describe('a target that two readers could understand differently is refused:', () => {
  test.each([
    ['no leading slash', 'a'],
    ['empty', ''],
    ['only a query', '?a=b'],
    ['absolute-form', 'http://other.example/a'],
    ['absolute-form in capitals', 'HTTP://other.example/a'],
    ['authority-form', 'other.example:443'],
    ['asterisk-form', '*'],
    ['network-path reference', '//other.example/a'],
    ['empty segment', '/a//b'],
    ['empty segment at the end', '/a//'],
    ['encoded slash', '/a%2fb'],
    ['encoded slash in capitals', '/a%2Fb'],
    ['backslash', '/a\\b'],
    ['encoded backslash', '/a%5cb'],
    ['encoded backslash in capitals', '/a%5Cb'],
    ['dot segment', '/a/./b'],
    ['double dot segment', '/a/../b'],
    ['dot segment at the end', '/a/..'],
    ['encoded dot segment', '/a/%2e%2e/b'],
    ['half encoded dot segment', '/a/.%2E/b'],
    ['dot segment with a space', '/a/..%20/b'],
    ['three dots alone', '/a/.../b'],
    ['segment that ends in a space', '/a%20/b'],
    ['segment that begins with a space', '/a/%20b'],
    ['NUL', '/a\u0000b'],
    ['encoded NUL', '/a%00b'],
    ['encoded line break', '/a%0d%0ab'],
    ['encoded delete', '/a%7f'],
    ['encoded C1 control', '/a%C2%85b'],
    ['raw tab', '/a\tb'],
    ['raw space', '/a b'],
    ['raw non-ASCII', '/é'],
    ['percent sign alone', '/a%'],
    ['escape of one digit', '/a%4'],
    ['escape of other letters', '/a%zz'],
    ['non-standard escape', '/a%u002f'],
    ['invalid UTF-8', '/a%ff'],
    ['overlong slash', '/a%c0%afb'],
    ['lone surrogate', '/a%ed%a0%80'],
    ['double encoding of a slash', '/a%252fb'],
    ['double encoding of dots', '/a/%252e%252e/b'],
    ['double encoding of double encoding', '/a%25252fb'],
    ['double encoding made of single letters', '/a%25%32%66b'],
    ['path parameter', '/a;v=1/b'],
    ['dot segment with a path parameter', '/a/..;/b'],
    ['encoded path parameter', '/a%3bv=1'],
    ['encoded question mark', '/a%3Fb'],
    ['encoded number sign', '/a%23b'],
    ['fragment', '/a#b'],
    ['fragment after the query', '/a?b#c'],
    ['characters that URLs do not hold', '/a<b>"{|}^`'],
    ['too long', `/${'a'.repeat(MAX_PATH_CHARS)}`],
    ['method override', '/a?_method=DELETE'],
    ['method override, escaped', '/a?x=1&%5fMeThOd=DELETE'],
  ])('%s', (_what, raw) => {
    expect(reasonOf(raw)).toBe('path_refused');
  });

  test.each([
    ['broken escape in the query', '/a?b=%zz'],
    ['invalid UTF-8 in the query', '/a?b=%ff'],
    ['raw control character in the query', '/a?b=\u0001'],
  ])('%s', (_what, raw) => {
    expect(reasonOf(raw)).toBe('request_malformed');
  });
});

/** Targets that are accepted often enough to mean something: pieces of both kinds in any order. */
const pieces = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('a', 'b1', '.', '-', '~', '%61', '%20', '%C3%A9', '%25', '/x', '/') },
    {
      weight: 1,
      arbitrary: fc.constantFrom('..', '%2e', '%2f', '%5c', ';', '%3f', '?', '&', '=', '#', '\\', '%', '2f'),
    },
    { weight: 1, arbitrary: fc.string({ maxLength: 3 }) },
  ),
  { maxLength: 12 },
);

describe('whatever is accepted', () => {
  test('reaches the same path through every common way to normalise a URL', () => {
    let accepted = 0;
    fc.assert(
      fc.property(pieces, (parts) => {
        const raw = `/${parts.join('')}`;
        const read = readTarget(raw);
        if (!read.ok) return;
        accepted += 1;
        const wanted = `/${read.value.pathForPolicy}`;
        const url = new URL(raw, 'http://upstream.invalid');
        expect(url.host).toBe('upstream.invalid');
        // WHATWG parse, then decode; decode, then parse; normalise before and after decoding; decode twice.
        expect(decodeURIComponent(url.pathname)).toBe(wanted);
        expect(decodeURIComponent(new URL(wanted.replaceAll('%', '%25'), url).pathname)).toBe(wanted);
        expect(decodeURIComponent(posix.normalize(read.value.path))).toBe(wanted);
        expect(posix.normalize(wanted)).toBe(wanted);
        expect(decodedAgain(wanted)).toBe(wanted);
        expect(url.pathname).toBe(read.value.path);
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(300);
  });
});

/** A second decoding as a careless upstream would do it, which leaves what it cannot decode. */
function decodedAgain(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
