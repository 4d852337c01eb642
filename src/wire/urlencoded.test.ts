// Forms and query strings: what is decoded, and what is refused instead of guessed.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseForm } from './form.ts';
import { MAX_QUERY_CHARS, parseQuery } from './query.ts';
import { MAX_PARAMETERS } from './urlencoded.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const form = (text: string) => parseForm(bytes(text));
const query = (text: string) => {
  const parsed = parseQuery(text);
  return parsed.ok ? Object.fromEntries(parsed.value) : parsed.error.reason;
};

describe('a form body', () => {
  test('is decoded once, with plus as space', () => {
    const parsed = form('grant_type=urn%3Aietf%3Aparams&scope=a+b&empty=&bare&twice=%2525');
    expect(parsed.ok && Object.fromEntries(parsed.value)).toEqual({
      grant_type: 'urn:ietf:params',
      scope: 'a b',
      empty: '',
      bare: '',
      twice: '%25',
    });
  });

  test('may be empty', () => {
    const parsed = form('');
    expect(parsed.ok && parsed.value.size).toBe(0);
  });

  test('agrees with every URLSearchParams', () => {
    const pairs = fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' }), {
      maxKeys: 20,
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(pairs, (values) => {
        const parsed = form(new URLSearchParams(values).toString());
        if (Object.entries(values).some((pair) => pair.some((part) => part.startsWith('\uFEFF')))) return;
        expect(parsed.ok && [...parsed.value]).toEqual(Object.entries(values));
      }),
    );
  });

  test.each([
    ['a name twice', 'a=1&a=1'],
    ['a name twice, once escaped', 'a=1&%61=2'],
    ['a percent sign without digits', 'a=%'],
    ['a percent sign with one digit', 'a=%4'],
    ['a percent sign with other letters', 'a=%4g'],
    ['escaped broken UTF-8', 'a=%ff'],
    ['an escaped overlong encoding', 'a=%c0%af'],
    ['an escaped lone surrogate', 'a=%ed%a0%80'],
    ['a byte order mark', 'a=%ef%bb%bfx'],
    ['a value without a name', '=1'],
    ['an empty pair', 'a=1&&b=2'],
    ['a trailing ampersand', 'a=1&'],
    ['too many parameters', Array.from({ length: MAX_PARAMETERS + 1 }, (_, at) => `p${at}=`).join('&')],
  ])('with %s is refused', (_what, text) => {
    const parsed = form(text);
    expect(!parsed.ok && parsed.error.reason).toBe('request_malformed');
  });

  test('with raw broken UTF-8 is refused', () => {
    const parsed = parseForm(new Uint8Array([0x61, 0x3d, 0xff]));
    expect(!parsed.ok && parsed.error.reason).toBe('request_malformed');
  });

  test('names no value in a refusal', () => {
    const parsed = form('subject_token=hush&subject_token=hush');
    expect(!parsed.ok && parsed.error.detail).not.toContain('hush');
  });
});

describe('a query string', () => {
  test('keeps repeated names for the route to judge', () => {
    expect(query('v=1&audience=a&audience=b')).toEqual({ v: ['1'], audience: ['a', 'b'] });
  });

  test('takes an audience that the client did not escape', () => {
    expect(query('v=1&audience=https://sts.example.com/x?y=z')).toEqual({
      v: ['1'],
      audience: ['https://sts.example.com/x?y=z'],
    });
  });

  test.each([
    ['a space', 'a=b c'],
    ['raw non-ASCII', 'a=é'],
    ['a control character', 'a=\u0001'],
    ['a broken escape', 'a=%zz'],
    ['too many characters', `a=${'x'.repeat(MAX_QUERY_CHARS)}`],
  ])('with %s is refused', (_what, text) => {
    expect(query(text)).toBe('request_malformed');
  });
});
