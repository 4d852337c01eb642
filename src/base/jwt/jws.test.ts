import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBase64url as encode } from './base64url.ts';
import { parseCompactJws, parseJws } from './jws.ts';

const HEADER = { alg: 'ES256', kid: 'k1' };
const token = (header: unknown, payload: unknown = { sub: 'a' }): string =>
  `${[header, payload].map((part) => encode(typeof part === 'string' ? part : JSON.stringify(part))).join('.')}.c2ln`;
const reasonOf = (text: string): string => {
  const parsed = parseJws(text);
  return parsed.ok ? 'accepted' : parsed.error.reason;
};

describe('parsing a JWT', () => {
  it('gives header and claims of a well-formed token', () => {
    const parsed = parseJws(token({ ...HEADER, typ: 'JWT', x5t: 'ignored' }, { sub: 'a', n: 1 }));
    expect(parsed.ok && parsed.value.header).toEqual({ alg: 'ES256', kid: 'k1', typ: 'JWT' });
    expect(parsed.ok && parsed.value.claims).toEqual({ sub: 'a', n: 1 });
  });

  it('needs neither "kid" nor "typ"', () => {
    const parsed = parseJws(token({ alg: 'ES256' }));
    expect(parsed.ok && parsed.value.header).toEqual({ alg: 'ES256' });
  });

  it.each(['crit', 'b64', 'jku', 'jwk', 'x5u', 'x5c', 'enc', 'zip'])(
    'refuses a header with "%s", whatever its value',
    (name) => {
      for (const value of [null, true, false, '', [], {}, ['exp']]) {
        expect(reasonOf(token({ ...HEADER, [name]: value }))).toBe('token_malformed');
      }
    },
  );

  it.each([
    ['no alg', { kid: 'k1' }],
    ['an alg that is a number', { alg: 1 }],
    ['an alg that is an array', { alg: ['ES256'] }],
    ['a kid that is a number', { alg: 'ES256', kid: 1 }],
    ['a kid that is null', { alg: 'ES256', kid: null }],
    ['a kid that is an object', { alg: 'ES256', kid: {} }],
    ['a typ that is an array', { alg: 'ES256', typ: ['JWT'] }],
    ['a header that is an array', [HEADER]],
    ['a header that is a string', '"ES256"'],
    ['a header with a duplicate name', '{"alg":"none","alg":"ES256"}'],
    ['a header with a duplicate name by an escape', '{"alg":"none","\\u0061lg":"ES256"}'],
    ['a header with a byte order mark', '\ufeff{"alg":"ES256"}'],
    ['an alg that only the prototype has', '{"__proto__":{"alg":"ES256"}}'],
  ])('refuses %s', (_, header) => {
    expect(reasonOf(token(header))).toBe('token_malformed');
  });

  it.each([
    ['an array', []],
    ['a string', '"a"'],
    ['null', 'null'],
    ['nothing', ''],
    ['a duplicate claim', '{"sub":"a","sub":"b"}'],
    ['another token', token(HEADER)],
  ])('refuses a payload that is %s', (_, payload) => {
    expect(reasonOf(token(HEADER, payload))).toBe('token_malformed');
  });

  it.each([
    ['nothing', ''],
    ['two parts', 'e30.e30'],
    ['four parts', `${token(HEADER)}.`],
    ['five parts', 'e30.e30.e30.e30.e30'],
    ['a leading space', ` ${token(HEADER)}`],
    ['a trailing line break', `${token(HEADER)}\n`],
    ['a padded signature', `${token(HEADER).slice(0, -4)}QQ==`],
    ['a signature with unused bits', `${token(HEADER).slice(0, -4)}QR`],
    [
      'the JSON serialization',
      JSON.stringify({ payload: 'e30', protected: encode('{"alg":"ES256"}'), signature: 'c2ln' }),
    ],
  ])('refuses %s', (_, text) => {
    expect(reasonOf(text)).toBe('token_malformed');
  });

  it('takes a token of exactly 16 KiB and refuses one more byte, before anything is decoded', () => {
    const payloadOf = (bytes: number) => ({ pad: 'x'.repeat(bytes) });
    const sizes = [12_244, 12_245, 12_246, 12_247, 12_248].map((bytes) => token(HEADER, payloadOf(bytes)));
    const fitting = sizes.filter((text) => text.length <= 16_384);
    expect(Math.max(...fitting.map((text) => text.length))).toBeGreaterThan(16_380);
    expect(fitting.map(reasonOf)).toEqual(fitting.map(() => 'accepted'));
    expect(reasonOf('x'.repeat(16_384))).toBe('token_malformed');
    expect(reasonOf('x'.repeat(16_385))).toBe('token_too_large');
  });

  it('takes a longer message only where the caller says how long', () => {
    const long = token(HEADER, { pad: 'x'.repeat(20_000) });
    expect(reasonOf(long)).toBe('token_too_large');
    expect(parseJws(long, { maxBytes: 32_768 }).ok).toBe(true);
  });

  it('keeps the token out of logs, JSON and messages', () => {
    const text = token(HEADER);
    const parsed = parseJws(text);
    expect(parsed.ok && parsed.value.compact.reveal()).toBe(text);
    for (const shown of [inspect(parsed, { depth: 9 }), JSON.stringify(parsed)]) {
      expect(shown).not.toContain(text);
      expect(shown).not.toContain(text.split('.')[1]);
    }
    const secret = 'c2VjcmV0LXNlY3JldA';
    for (const bad of [
      `${secret}.${secret}.${secret}`,
      `${secret}.${secret}`,
      token(HEADER, `{"${secret}":1,"${secret}":2}`),
    ]) {
      expect(JSON.stringify(parseJws(bad))).not.toContain(secret);
    }
  });

  it('never throws, and what it accepts is spelt in the one canonical way', () => {
    const part = fc.oneof(
      fc.base64String(),
      fc.json().map(encode),
      fc.constant(encode('{"alg":"ES256"}')),
      fc.string(),
    );
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const text = parts.join('.');
        const parsed = parseCompactJws(text);
        if (!parsed.ok) return;
        accepted += 1;
        expect(
          text
            .split('.')
            .map((each) => encode(Buffer.from(each, 'base64url')))
            .join('.'),
        ).toBe(text);
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(0);
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: 'binary' }), (text) => {
        expect(parseJws(text).ok).toBe(false);
      }),
    );
  });
});
