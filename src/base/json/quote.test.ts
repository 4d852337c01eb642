import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../core/json.ts';
import { quote } from './quote.ts';

describe('quoting untrusted values', () => {
  it.each<[JsonValue | undefined, string]>([
    ['RS256', '"RS256"'],
    [undefined, 'nothing'],
    [null, 'null'],
    [{ a: 1 }, '{"a":1}'],
    ['a\nb\u001b[31m\u2028é', '"a\\nb\\u001b[31m\\u2028\\u00e9"'],
    ['x'.repeat(200), `"${'x'.repeat(79)}…`],
  ])('writes %j as %s', (value, text) => {
    expect(quote(value)).toBe(text);
  });

  it('is one short line of printable characters whatever was sent', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(quote(value as JsonValue)).toMatch(/^[\x20-\x7e]{1,80}…?$/);
      }),
    );
  });
});
