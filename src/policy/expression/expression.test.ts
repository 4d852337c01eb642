import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../base/core/json.ts';
import { compileExpression, type Expression, evaluateExpression, evaluateToValue } from './expression.ts';
import type { Dialect } from './functions.ts';

const CLAIMS: JsonValue = {
  ref: 'refs/heads/main',
  run_attempt: '1',
  attempts: 1,
  ratio: 1.5,
  protected: true,
  nothing: null,
  groups: ['release', 'web'],
  job: { id: 'J1', tags: { team: 'acme' } },
  long: 2 ** 60,
};

function compiled(source: string, dialect: Dialect = 'standard'): Expression {
  const expression = compileExpression(source, { variables: ['claims'], maxChars: 1000, dialect });
  if (!expression.ok) throw new Error(`${expression.error.problem} at ${expression.error.offset}`);
  return expression.value;
}

const outcomeOf = (source: string): boolean | string => {
  const result = evaluateExpression(compiled(source), { claims: CLAIMS });
  return result.outcome === 'error' ? result.problem : result.outcome;
};

describe('an expression', () => {
  it.each([
    'claims.run_attempt == "1"',
    'claims.ref.startsWith("refs/heads/") && claims.ref.endsWith("main") && claims.ref.contains("/heads/")',
    'claims.ref.matches("^refs/heads/(main|release-[0-9]+)$")',
    'matches(claims.ref, "heads")',
    '"web" in claims.groups && !("admin" in claims.groups)',
    'claims.groups.exists(group, group == "release")',
    'has(claims.job.tags.team) && !has(claims.job.tags.owner)',
    'claims["job"]["id"] == "J1"',
    'claims.protected ? claims.attempts < 2 : false',
    'size(claims.groups) == 2 && claims.ref.size() == 15',
    'claims.groups.map(group, group + "!") == ["release!", "web!"]',
    'claims.groups.filter(group, group.startsWith("w")) == ["web"]',
    '{"a": claims.attempts}["a"] == 1',
    String.raw`r"\d" == "\\d" && "\x41\101\u0041\U00000041" == "AAAA"`,
    'timestamp("2009-02-13T23:31:30Z") == timestamp(1234567890)',
  ])('holds: %s', (source) => {
    expect(outcomeOf(source)).toBe(true);
  });

  it('sees whole numbers as int, others as double, and numbers in quotes as strings', () => {
    expect(outcomeOf('type(claims.attempts) == int && type(claims.ratio) == double')).toBe(true);
    expect(outcomeOf('type(claims.run_attempt) == string && type(claims.long) == double')).toBe(true);
    expect(outcomeOf('claims.attempts == 1.0 && claims.attempts + 1 == 2')).toBe(true);
    expect(outcomeOf('claims.run_attempt == 1')).toBe(false);
  });

  it('sees a claim that is null as one that is there', () => {
    expect(outcomeOf('has(claims.nothing) && claims.nothing == null && "nothing" in claims')).toBe(true);
  });

  it('reads no property that the claims do not own', () => {
    expect(outcomeOf('has(claims.constructor) || "toString" in claims || "__proto__" in claims')).toBe(false);
    expect(outcomeOf('claims.constructor == claims.constructor')).toBe('there is no field constructor');
  });

  it('is evaluated anew each time', () => {
    const expression = compiled('claims.groups.map(group, group).size() == 2');
    const outcomes = [1, 2, 3].map(() => evaluateExpression(expression, { claims: CLAIMS }).outcome);
    expect(outcomes).toEqual([true, true, true]);
    expect(evaluateExpression(expression, { claims: { groups: [] } }).outcome).toBe(false);
  });
});

describe('an error is no yes', () => {
  it.each([
    ['claims.absent == "1"', 'there is no field absent'],
    ['claims.absent != "1"', 'there is no field absent'],
    ['!(claims.absent == "1")', 'there is no field absent'],
    ['claims.ref', 'wanted a bool, got string'],
    ['claims.attempts', 'wanted a bool, got int'],
    ['claims.groups', 'wanted a bool, got list'],
    ['claims.nothing', 'wanted a bool, got null_type'],
    ['claims.ref < 1', 'there is no string < int'],
    ['claims.attempts.startsWith("1")', 'there is no int.startsWith(string)'],
    ['claims.attempts.matches("1")', 'there is no int.matches(string)'],
    ['"x" in claims.ref', 'there is no string in string'],
    ['claims.groups[2] == ""', 'there is no such index'],
    ['claims.groups[-1] == ""', 'there is no such index'],
    ['claims["absent"] == ""', 'there is no such key'],
    ['1 / 0 == 1', 'division by zero'],
    ['9223372036854775807 + 1 > 0', 'the int is out of range'],
    ['int("") == 0', 'the text is no int'],
    ['int("0x10") == 16', 'the text is no int'],
    ['double("") == 0.0', 'the text is no double'],
    ['claims.ref && true', 'wanted a bool, got string'],
    ['claims.ref ? true : true', 'wanted a bool, got string'],
    ['{"a": 1, "a": 1} == {}', 'a key is there twice'],
    ['claims.groups.all(group, group.id == "1")', 'a string has no fields'],
    ['claims.groups.filter(group, 1) == []', 'wanted a bool, got int'],
    ['claims.ref.exists(letter, true)', 'a string is no list and no map'],
    ['"a".matches(claims.ref + "(")', 'the pattern is no pattern of RE2'],
  ])('%s: %s', (source, problem) => {
    expect(outcomeOf(source)).toBe(problem);
  });

  it('but is absorbed where the other side of && or || decides', () => {
    expect(outcomeOf('claims.absent == "1" || true')).toBe(true);
    expect(outcomeOf('true || claims.absent == "1"')).toBe(true);
    expect(outcomeOf('claims.absent == "1" && false')).toBe(false);
    expect(outcomeOf('claims.absent == "1" || false')).toBe('there is no field absent');
  });

  it('says where it arose', () => {
    const result = evaluateExpression(compiled('true && claims.absent == "1"'), { claims: CLAIMS });
    expect(result).toEqual({ outcome: 'error', problem: 'there is no field absent', offset: 14 });
  });

  it('also when a variable is not bound at all', () => {
    const result = evaluateExpression(compiled('claims.ref == ""'), {});
    expect(result).toEqual({ outcome: 'error', problem: 'the variable claims has no value', offset: 0 });
  });

  it('also when what is bound is not what the types say', () => {
    const odd = { claims: undefined } as unknown as Readonly<Record<string, JsonValue>>;
    expect(evaluateExpression(compiled('claims == claims'), odd).outcome).toBe('error');
  });
});

describe('a text is refused at load, with its place:', () => {
  it.each([
    ['', 'the expression ends too early', 0],
    ['claims.ref ==', 'the expression ends too early', 13],
    ['claims.ref = "x"', 'wanted == to compare', 11],
    ['claims.a == "x" & claims.b == "y"', 'wanted && for "and"', 16],
    ['claims.a == "x', 'this string is never closed', 12],
    ['claims.a in ["x"', 'this [ is never closed', 12],
    ['claims.a == "x")', 'this ) closes nothing', 15],
    ['(claims.a]', 'wanted ) to close the (, got ]', 9],
    ['claims.a claims.b', 'wanted an operator before claims', 9],
    ['claims.a == == "x"', 'wanted a value before ==', 12],
    ['claims. == "x"', 'wanted a name after the dot, got ==', 8],
    [String.raw`claims.a.matches("^v\d+$")`, String.raw`there is no escape \d: write \\d, or r"…"`, 20],
    [String.raw`claims.a == "\u12"`, String.raw`there is no escape \u: write \\u, or r"…"`, 13],
    [String.raw`b"\u0041" == b"A"`, 'bytes have no escapes of code points', 2],
    ['true // no\r && false', 'CEL has no such character here', 10],
    ['true // no\u2028 && false', 'CEL has no such character here', 10],
    ['claims.a == “x”', 'CEL has no such character here', 12],
    ['.claims.a == "x"', 'a name cannot begin with a dot here: write it without', 0],
    ['claims.`a` == "x"', 'fields in backquotes are not supported: use ["name"]', 7],
    ['claim.a == "x"', 'there is no variable claim; there is claims', 0],
    ['true || nope', 'there is no variable nope; there is claims', 8],
    ['claims.a.startWith("x")', 'there is no function startWith()', 8],
    ['claims.a.startsWith("x", "y")', 'startsWith() wants 1 arguments', 8],
    ['startsWith(claims.a, "x")', 'write x.startsWith() for startsWith(x)', 0],
    ['claims.a.lowerAscii() == "x"', "lowerAscii() is Google's and not CEL's own", 8],
    ['constructor(1) == 1', 'there is no function constructor()', 0],
    ['claims.toString() == ""', 'there is no function toString()', 6],
    ['__proto__ == 1', 'there is no variable __proto__; there is claims', 0],
    ['has(claims)', 'has() wants one field, as in has(claims.ref)', 0],
    ['9223372036854775808 > 0', 'the int is out of range', 0],
    ['1e400 > 0.0', 'the double is out of range', 0],
    ['Message{a: 1} == 1', 'there is no message type Message', 0],
    ['claims.a.matches("(")', 'the pattern is no RE2 pattern: error parsing regexp: missing closing ): `(`', 17],
    [
      'claims.a.matches("(?=x)")',
      'the pattern is no RE2 pattern: error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
      17,
    ],
    ['claims.a.matches("((a{1,30}){1,30})")', 'the pattern is too complex', 17],
    ['claims.all(a, claims.all(b, claims.all(c, claims.all(d, true))))', 'macros nest deeper than 3', 48],
  ])('%s', (source, problem, offset) => {
    const result = compileExpression(source, { variables: ['claims'], maxChars: 1000 });
    expect(result).toEqual({ ok: false, error: { problem, offset } });
  });

  it('one that is longer than it may be', () => {
    const options = { variables: ['claims'], maxChars: 10 };
    expect(compileExpression('"12345678"', options).ok).toBe(true);
    expect(compileExpression('"123456789"', options)).toEqual({
      ok: false,
      error: { problem: 'longer than 10 characters', offset: 10 },
    });
  });

  it('and a comment is none of it', () => {
    const source = '// the first run only\n// see "the handbook\n/* */ 1 == 1';
    expect(compileExpression(source, { variables: [], maxChars: 100 })).toMatchObject({ error: { offset: 43 } });
    expect(outcomeOf('// one "\n// two (\n// three\nclaims.run_attempt == "1" // four')).toBe(true);
  });
});

describe('a mapping', () => {
  const mapped = (source: string, dialect: Dialect = 'google'): unknown => {
    const result = evaluateToValue(compiled(source, dialect), { claims: CLAIMS });
    return result.outcome === 'value' ? result.value : `error: ${result.problem}`;
  };

  it.each<[string, unknown]>([
    ['claims.ref', 'refs/heads/main'],
    ['claims.groups', ['release', 'web']],
    ['claims.groups.map(group, "g:" + group)', ['g:release', 'g:web']],
    ['claims.attempts', 1],
    ['claims.job', { id: 'J1', tags: { team: 'acme' } }],
    ['{"a": [1, 2.5, true, null]}', { a: [1, 2.5, true, null] }],
    ['claims.ref.extract("refs/heads/{branch}")', 'main'],
    ['claims.ref.extract("refs/{kind}/")', 'heads'],
    ['claims.ref.extract("{first}/")', 'refs'],
    ['claims.ref.extract("/tags/{tag}")', ''],
    ['claims.ref.extract("refs/{kind}/x")', ''],
    ['"a/b/a/c".extract("a/{x}/")', 'b'],
    ['claims.ref.extract("refs/" + "{rest}")', 'heads/main'],
    ['claims.ref.split("/")', ['refs', 'heads', 'main']],
    ['claims.ref.split("/", 2)', ['refs', 'heads/main']],
    ['claims.groups.join("+")', 'release+web'],
    ['"ÄbC".lowerAscii() + "ÄbC".upperAscii()', 'ÄbcÄBC'],
    ['bytes("x")', 'error: a bytes has no JSON form'],
    ['timestamp(0)', 'error: a google.protobuf.Timestamp has no JSON form'],
    ['[type(1)]', 'error: a type has no JSON form'],
    ['9007199254740993', 'error: the whole number is beyond 2^53'],
    ['0.0 / 0.0', 'error: the double is not finite'],
    ['{1: 2}', 'error: a map with keys that are no strings has no JSON form'],
    ['[1].join("")', 'error: join() wants a list of strings'],
    ['claims.absent', 'error: there is no field absent'],
  ])('%s', (source, value) => {
    expect(mapped(source)).toEqual(value);
  });

  it.each(['no name', '{a}{b}', '{', '}{a}', '{}', '{a b}'])(
    'refuses the template %j when it is loaded',
    (template) => {
      const result = compileExpression(`"x".extract(${JSON.stringify(template)}) == ""`, {
        variables: [],
        maxChars: 100,
        dialect: 'google',
      });
      expect(result).toMatchObject({ ok: false, error: { offset: 12 } });
    },
  );
});
