// What an adversary may cost: an author at load, a token at every decision. Cost is counted; bench/bounds.ts measures time.
import { describe, expect, it } from 'vitest';
import { MAX_COST } from './cost.ts';
import { compileExpression, evaluateExpression } from './expression.ts';

const LONG = 'a'.repeat(16_384);
const CLAIMS = {
  long: LONG,
  almost: `${LONG}b`,
  mixed: Array.from({ length: 16_384 }, (_, index) => (((index * 7919) >> 3) & 1 ? 'a' : 'b')).join(''),
  groups: Array.from({ length: 4000 }, (_, index) => `g${index}`),
  teams: Array.from({ length: 500 }, (_, index) => `team-${index}`),
  members: Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`k${index}`, `v${index}`])),
  matrix: Array.from({ length: 60 }, () => Array.from({ length: 60 }, (_, index) => index)),
};

const compile = (source: string, maxChars = 4096) =>
  compileExpression(source, { variables: ['claims'], maxChars, dialect: 'google' });

/** The outcome, and what is left of what an evaluation may cost. */
function run(source: string): { readonly outcome: unknown; readonly left: number } {
  const expression = compile(source);
  if (!expression.ok) throw new Error(expression.error.problem);
  const meter = { left: MAX_COST };
  const result = evaluateExpression(expression.value, { claims: CLAIMS }, meter);
  return { outcome: result.outcome === 'error' ? result.problem : result.outcome, left: meter.left };
}

const TOO_MUCH = 'the evaluation costs too much';

describe('an evaluation that would take long stops at its budget and denies:', () => {
  it.each([
    'claims.almost.matches("(a+)+$")',
    'claims.mixed.matches("(a|b)*a(a|b){12}$")',
    'claims.groups.exists(g, claims.almost.matches("^(a+)+$"))',
    'claims.groups.exists(g, g.matches(g + "(a+)+$"))',
    'claims.groups.exists(a, claims.groups.exists(b, a == b + "x"))',
    'claims.groups.all(a, claims.groups.all(b, claims.groups.all(c, true)))',
    'claims.groups.map(a, claims.groups.map(b, a + b)).size() > 0',
    'claims.groups.map(a, claims.groups).map(b, b + b).exists(c, c == [])',
    'claims.groups.map(a, a + claims.long).size() > 0',
    `[claims.long]${'.map(a, a + a)'.repeat(40)}.exists(a, a.contains("b"))`,
    `[claims.groups]${'.map(a, a + a)'.repeat(40)}.exists(a, a == [])`,
    'claims.groups.exists(g, g in claims.groups.map(a, a + "x"))',
    'claims.groups.exists(g, claims.groups == claims.groups.map(a, a + "x"))',
    'claims.matrix.exists(a, a.exists(b, claims.matrix.exists(c, c == [b])))',
    'claims.members.all(k, claims.members[k] != k && claims.members.size() > 1)',
    'claims.groups.exists(g, claims.long.contains("b" + claims.long))',
    'claims.groups.exists(g, claims.long.contains(g))',
    'claims.long.contains("b" + claims.long.split("", 8000).join(""))',
    'claims.groups.exists(g, claims.long.split("").size() == 1)',
    'claims.groups.exists(g, claims.long.extract("{x}b") == "c")',
    'claims.groups.exists(g, claims.long.upperAscii() == "A")',
    'claims.groups.exists(g, size(claims.long) == 1)',
    'claims.groups.exists(g, claims.almost > claims.long + g)',
    'claims.groups.exists(g, bytes(claims.long) == bytes(claims.almost))',
    'claims.groups.exists(g, timestamp(0).getHours("Australia/Sydney") == 77)',
  ])('%s', (source) => {
    const { outcome, left } = run(source);
    expect(outcome).toBe(TOO_MUCH);
    expect(left).toBeLessThan(0);
  });

  it.each([
    'claims.groups.exists(g, int(claims.long) == 1)',
    'claims.groups.exists(g, duration(claims.long) == duration("1s"))',
    'claims.groups.exists(g, timestamp(claims.long) == timestamp(0))',
    'claims.groups.exists(g, g.absent == 1 || g.other == 1)',
    'claims.groups.exists(g, 1 / 0 == 1)',
  ])('errors are counted: %s', (source) => {
    const { outcome, left } = run(source);
    expect(outcome).toEqual(expect.any(String));
    expect(left).toBeLessThan(MAX_COST);
  });
});

describe('nothing turns an evaluation that costs too much into a yes:', () => {
  const costly = 'claims.groups.all(a, claims.groups.all(b, true))';
  it.each([
    `${costly} || true`,
    `true && (false || ${costly} || true)`,
    `!(${costly} && false)`,
    `[1].exists(x, ${costly} || true)`,
    `(${costly} ? true : true) || true`,
  ])('%s', (source) => {
    expect(run(source).outcome).toBe(TOO_MUCH);
  });
});

describe('what is reasonable is within the bounds:', () => {
  it.each([
    ['claims.groups.exists(g, g == "g3999")', true],
    ['"g3999" in claims.groups', true],
    ['claims.groups.filter(g, g.startsWith("g1")).map(g, g + "!").size() == 1111', true],
    ['claims.teams.all(g, g.matches("^team-[0-9]+$"))', true],
    ['claims.long.contains("b")', false],
    ['claims.matrix.all(row, row.exists(cell, cell == 59))', true],
  ])('%s', (source, outcome) => {
    expect(run(source).outcome).toBe(outcome);
  });
});

describe('4096 characters are answered at load:', () => {
  const filled = (unit: string, end: string): string =>
    unit.repeat(Math.floor((4096 - end.length) / unit.length)) + end;
  const nested = (open: string, middle: string, close: string, depth: number): string =>
    open.repeat(depth) + middle + close.repeat(depth);
  it.each([
    ['brackets', filled('(', '')],
    ['closed brackets', nested('(', '1', ')', 2000)],
    ['lists', nested('[', '1', ']', 2000)],
    ['maps', nested('{"a":', '1', '}', 600)],
    ['conditions', filled('true?true:', 'true')],
    ['alternatives', filled('claims.a||', 'true')],
    ['sums', filled('1+', '1')],
    ['fields', `claims${filled('.a', '').slice(6)}`],
    ['indexes', `claims${filled('[0]', '').slice(6)}`],
    ['methods', `claims${filled('.size()', '').slice(7)}`],
    ['macros', nested('claims.all(x,', 'true', ')', 290)],
    ['chained macros', `claims${filled('.map(x,x)', '').slice(9)}`],
    ['negations', filled('!', 'true')],
    ['patterns', filled(String.raw`"a".matches("\\pL\\pN\\pL\\pN\\pL\\pN\\pL\\pN")||`, 'true')],
    ['one pattern', `"a".matches("${'x*'.repeat(2000)}")`],
    ['digits', filled('9', '')],
    ['quotes', filled('"', '')],
    ['triple quotes', filled('"""', 'a')],
    ['escapes', `"${filled('\\n', '"').slice(2)}`],
    ['comments', filled('// a\n', '1')],
    ['strange brackets', nested('-(!(claims.all(x,[', 'a b', '])))', 7)],
    ['calls in lists', filled(`${nested('[size(', '"a"', ')]', 14)}==`, '1')],
  ])('%s', (_, source) => {
    expect(source.length).toBeLessThanOrEqual(4096);
    const expression = compile(source);
    expect(expression.ok || expression.error.problem).toBeTruthy();
  });
});
