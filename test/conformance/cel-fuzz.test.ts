// Any text is an expression or a problem with a place, and any expression is a yes, a no or an error: never a throw.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/base/core/json.ts';
import { compileExpression, evaluateExpression, evaluateToValue } from '../../src/policy/expression/expression.ts';

const MAX_CHARS = 4096;
const CLAIMS: JsonValue = {
  s: 'refs/heads/main',
  n: 1,
  l: ['a', 'b'],
  o: { a: null },
  long: 'a'.repeat(16_000),
  many: new Array(2000).fill('x'),
};

/** What every text must come to, and whether it was an expression. */
function check(source: string): boolean {
  const result = compileExpression(source, { variables: ['claims'], maxChars: MAX_CHARS, dialect: 'google' });
  if (!result.ok) {
    expect(result.error.problem).not.toBe('');
    expect(result.error.offset).toBeGreaterThanOrEqual(0);
    expect(result.error.offset).toBeLessThanOrEqual(source.length);
    return false;
  }
  for (const bindings of [{ claims: CLAIMS }, { claims: null }, {}]) {
    const { outcome } = evaluateExpression(result.value, bindings);
    expect([true, false, 'error']).toContain(outcome);
    expect(['value', 'error']).toContain(evaluateToValue(result.value, bindings).outcome);
  }
  return true;
}

const WORDS = [
  ...['claims', 'claims.s', 'claims.n', 'claims.l', 'claims.o', 'claims.long', 'claims.many', 'x', 'constructor'],
  ...['true', 'false', 'null', '1', '-1', '1.5', '2u', '0x1F', '"a"', "'b'", 'r"\\"', 'b"\\377"', '"""c"""', '"💩"'],
  ...['(', ')', '[', ']', '{', '}', '.', ',', ':', '?', ' ', '\n', '// c\n', '!', '-', '@', '`', '\\', '$'],
  ...['==', '!=', '<', '<=', '>', '>=', '+', '*', '/', '%', '&&', '||', ' in ', '=', '&', '|'],
  ...['size(', 'has(', 'int(', 'string(', 'type(', 'timestamp(', 'duration(', 'bytes(', 'double(', 'dyn('],
  ...['.all(x,', '.exists(x,', '.map(x,', '.filter(x,', '.exists_one(x,', '.matches(', '.contains(', '.split('],
  ...['.extract(', '.join(', '.lowerAscii()', '.getHours(', '.constructor', '.__proto__', '["__proto__"]', '_&&_'],
];

describe('any text', () => {
  it('of bytes is answered', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        check(Buffer.from(bytes).toString('utf8'));
        check(Buffer.from(bytes).toString('latin1'));
        check(Buffer.from(bytes).toString('utf16le'));
      }),
      { numRuns: 3000 },
    );
  });

  it('of CEL words is answered', () => {
    let expressions = 0;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...WORDS), { maxLength: 14 }), (words) => {
        if (check(words.join(''))) expressions += 1;
      }),
      { numRuns: 20_000 },
    );
    expect(expressions).toBeGreaterThan(100);
  });

  it('that was an expression before one change is answered', () => {
    const seed =
      'has(claims.s) && claims.l.exists(x, x.matches("^[a-z]+$")) || {"a": [1, 2u, 3.0]}["a"][0] == size("b")';
    expect(check(seed)).toBe(true);
    fc.assert(
      fc.property(fc.nat(seed.length), fc.nat(5), fc.constantFrom(...WORDS, ''), (at, cut, word) => {
        check(seed.slice(0, at) + word + seed.slice(at + cut));
      }),
      { numRuns: 10_000 },
    );
  });

  it('of a few words over and over is answered', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 5 }), (words) => {
        const unit = words.join('');
        const source = unit.repeat(Math.floor(MAX_CHARS / unit.length)) + (words.length > 2 ? 'claims' : '');
        check(source.slice(0, MAX_CHARS));
      }),
      { numRuns: 500 },
    );
  });

  it('with lone surrogates is refused', () => {
    expect(compileExpression('"\ud800" == ""', { variables: [], maxChars: 100 })).toMatchObject({ ok: false });
  });
});
