// Our evaluator against the libraries' own, on expressions that nobody wrote by hand.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/core/json.ts';
import { propertyRuns } from '../fakes/property-runs.ts';
import { bufbuild, marcbachmann, type Question } from './cel-oracles.ts';
import { isError, outcomeOf, vectorValueOfJson } from './cel-values.ts';

const RUNS = propertyRuns();

const TEXTS = ['', 'a', 'ab', 'main', 'refs/heads/main', 'Ä', '💩', '1', '42'];
const NUMBERS = [0, 1, -1, 2, 42, 1.5, -0.5, 2 ** 53 - 1];

const text = fc.constantFrom(...TEXTS);
const claims: fc.Arbitrary<JsonObject> = fc.record({
  s: text,
  t: text,
  n: fc.constantFrom(...NUMBERS),
  m: fc.constantFrom(...NUMBERS),
  b: fc.boolean(),
  l: fc.array(text, { maxLength: 3 }),
  k: fc.array(fc.constantFrom(...NUMBERS), { maxLength: 3 }),
  o: fc.dictionary(fc.constantFrom('a', 'b', 's'), text, { maxKeys: 2 }),
});

const joined = (...parts: (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string> =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((all) => all.join(''));

const textLiteral = text.map((value) => JSON.stringify(value));
const numberLiteral = fc.constantFrom('0', '1', '-1', '2', '42', '1.5', '3u', '0.0', '9223372036854775807', '1e300');
const absent = fc.constantFrom('claims.absent', 'claims.o.zz', 'claims.l[9]', 'claims.s.x', '(1 / 0)');
const comparison = fc.constantFrom(' == ', ' != ', ' < ', ' <= ', ' > ', ' >= ');
const arithmetic = fc.constantFrom(' + ', ' - ', ' * ', ' / ', ' % ');

/** Never null: `@bufbuild/cel` takes a key whose value is null for one that is not there. */
const mapValue = fc.oneof(textLiteral, numberLiteral);

/** Expressions that are mostly of the type they are named for; every tenth is not, so that errors meet logic. */
const { bool } = fc.letrec<Record<'bool' | 'string' | 'number' | 'list' | 'map' | 'any', string>>((tie) => {
  const { bool, string, number, list, map, any } = {
    bool: tie('bool'),
    string: tie('string'),
    number: tie('number'),
    list: tie('list'),
    map: tie('map'),
    any: tie('any'),
  };
  const options = { depthSize: 'small', withCrossShrink: true } as const;
  return {
    bool: fc.oneof(
      options,
      fc.constantFrom('true', 'false', 'claims.b', 'has(claims.s)', 'has(claims.absent)', 'has(claims.o.a)'),
      joined('(', bool, fc.constantFrom(' && ', ' || '), bool, ')'),
      joined('!', bool),
      joined('(', bool, ' ? ', bool, ' : ', bool, ')'),
      joined('(', string, comparison, string, ')'),
      joined('(', number, comparison, number, ')'),
      joined('(', any, fc.constantFrom(' == ', ' != '), any, ')'),
      joined('(', any, ' in ', list, ')'),
      joined('(', fc.oneof(textLiteral, fc.constantFrom('claims.s', 'claims.absent')), ' in ', map, ')'),
      joined(string, fc.constantFrom('.startsWith(', '.endsWith(', '.contains('), string, ')'),
      joined(string, '.matches(', fc.constantFrom('"^a"', '"m.*n$"', '"[0-9]+"', '"(a|b)*$"', '""'), ')'),
      joined(list, fc.constantFrom('.all(', '.exists(', '.exists_one('), 'x, x', comparison, any, ')'),
      joined(list, fc.constantFrom('.all(', '.exists(', '.exists_one('), 'x, ', bool, ')'),
      any,
    ),
    string: fc.oneof(
      options,
      textLiteral,
      fc.constantFrom('claims.s', 'claims.t', 'claims.o.a', 'claims["s"]', 'claims.l[0]'),
      joined('(', string, ' + ', string, ')'),
      joined('(', bool, ' ? ', string, ' : ', string, ')'),
      joined('string(', fc.constantFrom('claims.b', 'claims.s', '42', '7u', 'true'), ')'),
      any,
    ),
    number: fc.oneof(
      options,
      numberLiteral,
      fc.constantFrom('claims.n', 'claims.m', 'claims.k[0]'),
      joined('(', number, arithmetic, number, ')'),
      joined('(-', number, ')'),
      joined('size(', fc.oneof(string, list, map), ')'),
      // Not of any text: where `int("")` is 0, as in @bufbuild/cel, whole expressions differ.
      joined('int(', fc.oneof(numberLiteral, fc.constantFrom('claims.n', 'claims.m', '"42"', '"x"')), ')'),
      any,
    ),
    list: fc.oneof(
      options,
      fc.constantFrom('claims.l', 'claims.k', '[]'),
      joined('[', any, ', ', any, ']'),
      joined('(', list, ' + ', list, ')'),
      joined(list, '.map(x, ', fc.oneof(fc.constant('x'), any), ')'),
      joined(list, '.filter(x, ', fc.oneof(joined('x', comparison, any), bool), ')'),
    ),
    map: fc.oneof(options, fc.constantFrom('claims.o', '{}', 'claims'), joined('{', textLiteral, ': ', mapValue, '}')),
    any: fc.oneof(
      { ...options, maxDepth: 3 },
      { weight: 4, arbitrary: fc.oneof(textLiteral, numberLiteral, fc.constantFrom('claims.s', 'claims.n', 'null')) },
      { weight: 1, arbitrary: absent },
      { weight: 2, arbitrary: fc.oneof(bool, string, number, list, map) },
    ),
  };
});

const question = (expression: string, value: JsonObject): Question => ({
  expression,
  container: '',
  bindings: new Map([['claims', vectorValueOfJson(value)]]),
});

/** How often each thing happened: a comparison that never saw a yes has compared nothing. */
const tally = (outcomes: readonly string[], outcome: (each: string) => boolean): number =>
  outcomes.filter(outcome).length;

/** It does not bound how deep macros nest. */
const NOT_COMPARED = /^error: macros nest deeper/;

it('comes to what the evaluator of @bufbuild/cel comes to, errors included', () => {
  const seen: string[] = [];
  fc.assert(
    fc.property(bool, claims, (expression, value) => {
      const ours = outcomeOf(expression, { claims: value });
      const theirs = bufbuild(question(expression, value));
      if (NOT_COMPARED.test(ours)) return;
      seen.push(ours);
      expect(isError(ours) ? 'error' : ours).toBe(isError(theirs) ? 'error' : theirs);
    }),
    { numRuns: RUNS },
  );
  expect(tally(seen, (each) => each === 'true')).toBeGreaterThan(RUNS / 20);
  expect(tally(seen, (each) => each === 'false')).toBeGreaterThan(RUNS / 20);
  expect(tally(seen, isError)).toBeGreaterThan(RUNS / 20);
});

// It checks types before it evaluates, calls errors what is none, and lets pass what is one: only a yes against a no counts.
it('never says yes where @marcbachmann/cel-js says no, nor no where it says yes', () => {
  const seen: string[] = [];
  fc.assert(
    fc.property(bool, claims, (expression, value) => {
      const theirs = marcbachmann(question(expression, value));
      if (theirs !== 'true' && theirs !== 'false') return;
      const ours = outcomeOf(expression, { claims: value });
      if (isError(ours)) return;
      seen.push(ours);
      expect(ours).toBe(theirs);
    }),
    { numRuns: RUNS },
  );
  expect(tally(seen, (each) => each === 'true')).toBeGreaterThan(RUNS / 20);
  expect(tally(seen, (each) => each === 'false')).toBeGreaterThan(RUNS / 20);
});
