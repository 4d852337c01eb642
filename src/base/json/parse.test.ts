import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../../test/fakes/property-runs.ts';
import type { JsonValue } from '../core/json.ts';
import { canonicalJson, parseJson, parseJsonObject } from './parse.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string) => parseJson(bytes(text));
const problemOf = (text: string) => {
  const parsed = parse(text);
  return parsed.ok ? 'accepted' : `${parsed.error.problem} @${parsed.error.offset}`;
};

describe('strict JSON', () => {
  it('gives the value that JSON.parse gives', () => {
    const text = ' { "a" : [ 1 , -0.5e3 , "\\u00e9\\n\\/" , true , false , null , { } , [ ] ] , "" : "ü😀" } ';
    expect(parse(text)).toStrictEqual({ ok: true, value: JSON.parse(text) });
  });

  it.each([
    ['a duplicate name', '{"a":1,"a":1}', 'a name stands twice in one object @7'],
    ['a duplicate name spelt with an escape', '{"exp":1,"\\u0065xp":2}', 'a name stands twice in one object @9'],
    ['a duplicate name deeper down', '[{"é":{"b":1,"b":2}}]', 'a name stands twice in one object @14'],
    ['a duplicate __proto__', '{"__proto__":1,"__proto__":2}', 'a name stands twice in one object @15'],
    ['a number beyond the double range', '[1e400]', 'a number beyond the range of a double @1'],
    ['a lone surrogate', '"\\ud800"', 'a lone surrogate @0'],
    ['surrogates in the wrong order', '"\\udc00\\ud800"', 'a lone surrogate @0'],
    ['a lone surrogate in a name', '{"\\udfff":1}', 'a lone surrogate @1'],
    ['a byte order mark', '\ufeff{}', 'a value was expected @0'],
    ['NaN', 'NaN', 'a value was expected @0'],
    ['a leading zero', '[01]', 'a comma or "]" was expected @2'],
    ['a trailing comma', '[1,]', 'a value was expected @3'],
    ['a second value', '{} {}', 'something follows the value @3'],
    ['an unknown escape', '"\\x41"', 'an unknown escape @1'],
    ['an escape called like an inherited property', '"\\constructor"', 'an unknown escape @1'],
    ['a control character', '"a\u0001"', 'a control character inside a string @2'],
    ['a string without an end', '"abc', 'a string without an end @4'],
    ['nothing', '', 'a value was expected @0'],
  ])('refuses %s', (_, text, problem) => {
    expect(problemOf(text)).toBe(problem);
  });

  it.each([
    ['a broken sequence', [0x22, 0xc3, 0x28, 0x22], 1],
    ['a broken sequence behind a replacement character', [0x22, 0xef, 0xbf, 0xbd, 0xff, 0x22], 4],
    ['an overlong form', [0xc0, 0xaf], 0],
    ['an encoded surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22], 1],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00], 0],
  ])('refuses %s as not UTF-8 and says where', (_, values, offset) => {
    expect(parseJson(Uint8Array.from(values))).toEqual({
      ok: false,
      error: { problem: 'the text is not UTF-8', offset },
    });
  });

  it('accepts 16 levels and refuses the 17th, counting arrays and objects', () => {
    const nested = (levels: number) => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`;
    expect(parse(nested(16)).ok).toBe(true);
    expect(problemOf(`[${nested(16)}]`)).toBe('nested deeper than 16 levels @44');
    expect(parseJson(bytes('[[1]]'), { maxDepth: 1 }).ok).toBe(false);
    expect(problemOf('['.repeat(100_000))).toBe('nested deeper than 16 levels @16');
  });

  it('makes a member called __proto__ a member, not a prototype', () => {
    const parsed = parseJsonObject(bytes('{"__proto__":{"admin":true}}'));
    expect(parsed.ok && Object.getPrototypeOf(parsed.value)).toBe(Object.prototype);
    expect(parsed.ok && Object.hasOwn(parsed.value, '__proto__')).toBe(true);
    expect(parsed.ok && parsed.value.admin).toBe(undefined);
  });

  it('reads what JSON.stringify wrote as it reads the same with a space before it', () => {
    const escapes = fc.constantFrom('\ud800', '\u0000', 'é', '\u2028', '__proto__', '1');
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4, noUnicodeString: false }), escapes, (value, name) => {
        const text = JSON.stringify({ [name]: value, a: [value] });
        const [read, spaced] = [parse(text), parse(` ${text}`)];
        expect(read.ok).toBe(spaced.ok);
        if (read.ok && spaced.ok) expect(read.value).toStrictEqual(spaced.value);
      }),
      { numRuns: propertyRuns() },
    );
    const nested = `${'['.repeat(17)}${']'.repeat(17)}`;
    expect([parse(nested).ok, parse(` ${nested}`).ok]).toEqual([false, false]);
  });

  it('refuses what is not an object where an object is wanted', () => {
    for (const text of ['[]', 'null', '"{}"', '1']) expect(parseJsonObject(bytes(text)).ok).toBe(false);
    expect(parseJsonObject(bytes('{}'))).toEqual({ ok: true, value: {} });
  });

  it('gives back every value that JSON can write, but for its bounds', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6, noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value);
        const parsed = parse(text);
        if (parsed.ok) expect(parsed.value).toStrictEqual(JSON.parse(text));
        else expect(parsed.error.problem).toBe('a lone surrogate');
      }),
    );
  });

  it('never throws, and accepts nothing that JSON.parse refuses, whatever the bytes', () => {
    const tokens = fc.constantFrom(
      ...'{}[],:"\\u0e+-.1tfn \n',
      'true',
      'null',
      '"a"',
      '\\u0061',
      '1e5',
      '\ud83d\ude00',
    );
    const soup = fc.array(tokens, { maxLength: 24 }).map((parts) => new Uint8Array(bytes(parts.join(''))));
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof(soup, fc.uint8Array({ maxLength: 40 })), (input) => {
        const parsed = parseJson(input);
        if (!parsed.ok) return;
        accepted += 1;
        expect(parsed.value).toStrictEqual(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(input)));
      }),
      { numRuns: 5000 },
    );
    expect(accepted).toBeGreaterThan(0);
  });

  it('accepts a mutated text only with the value that JSON.parse gives', () => {
    const mutated = fc
      .tuple(fc.jsonValue({ maxDepth: 4 }), fc.nat(), fc.constantFrom('', '"', '\\', ',', '}', ']', '{', '0', 'e', ' '))
      .map(([value, at, char]) => {
        const text = JSON.stringify(value);
        const place = at % (text.length + 1);
        return text.slice(0, place) + char + text.slice(place + 1);
      });
    fc.assert(
      fc.property(mutated, (text) => {
        const parsed = parse(text);
        if (parsed.ok) expect(parsed.value).toStrictEqual(JSON.parse(text));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('canonical JSON', () => {
  it('sorts names by code unit at every level and writes no white space', () => {
    const value = { b: [{ z: 1, a: 'ü' }], a: null, '\u{1f600}': true, '\ufb33': false, 10: 1, 9: 2 };
    expect(canonicalJson(value)).toBe('{"10":1,"9":2,"a":null,"b":[{"a":"ü","z":1}],"😀":true,"\ufb33":false}');
  });

  it('is the same for equal values in any order, and different for different ones', () => {
    const reverse = (value: JsonValue): JsonValue => {
      if (Array.isArray(value)) return value.map(reverse);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, member]) => [name, reverse(member)]),
      );
    };
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = canonicalJson(value as JsonValue);
        expect(canonicalJson(reverse(value as JsonValue))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('throws on what JSON cannot carry', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, undefined, 1n]) {
      expect(() => canonicalJson(value as never)).toThrow(expect.objectContaining({ code: 'ERR_NOT_JSON' }));
    }
  });
});
