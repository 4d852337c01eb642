import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { formatProblems, type Problem } from './problem.ts';
import { type ReadOptions, readDocument } from './read.ts';

const schema = z.strictObject({
  url: z.string(),
  port: z.int().min(1).max(65_535).optional(),
  strict: z.boolean().optional(),
  issuers: z.array(z.strictObject({ issuer: z.string(), audiences: z.array(z.string()).min(1) })).optional(),
  claims: z.record(z.string(), z.union([z.string(), z.array(z.string()).min(1)])).optional(),
  status: z
    .union([
      z.strictObject({ kind: z.literal('feed'), client: z.string() }),
      z.strictObject({ kind: z.literal('none') }),
    ])
    .optional(),
  effect: z.enum(['allow', 'deny']).optional(),
  client_secret: z.string().regex(/^x/, 'wanted a reference').optional(),
  any: z.unknown().optional(),
});

const problemsOf = (text: string, file = 'a.yaml', options: ReadOptions = {}): readonly Problem[] => {
  const outcome = readDocument({ file, text }, schema, options);
  return outcome.ok ? [] : outcome.error;
};
const messagesOf = (text: string, file = 'a.yaml'): readonly string[] =>
  problemsOf(text, file).map(
    (problem) =>
      `${problem.line}:${problem.column} ${problem.path} | ${problem.found ?? ''} | ${problem.message} | ${problem.hint ?? ''}`,
  );

describe('a document that fits', () => {
  const text = 'url: https://a\nissuers:\n  - issuer: x\n    audiences: [a, b]\n';

  it('comes back as the value with the position of every part', () => {
    const outcome = readDocument({ file: 'a.yaml', text }, schema);
    if (!outcome.ok) throw new Error('refused');
    expect(outcome.value.value).toEqual({ url: 'https://a', issuers: [{ issuer: 'x', audiences: ['a', 'b'] }] });
    expect(outcome.value.positionOf(['issuers', 0, 'audiences', 1])).toEqual({ line: 4, column: 20 });
    expect(outcome.value.keyPositionOf(['issuers', 0, 'audiences'])).toEqual({ line: 4, column: 5 });
    expect(outcome.value.keyPositionOf(['issuers', 0])).toEqual({ line: 3, column: 5 });
    expect(outcome.value.positionOf(['issuers', 7, 'x'])).toEqual({ line: 2, column: 1 });
    expect(outcome.value.problemAt(['url'], 'wanted another URL')).toEqual({
      file: 'a.yaml',
      line: 1,
      column: 6,
      path: 'url',
      found: 'https://a',
      message: 'wanted another URL',
    });
  });

  it('reads JSON by the ending of the file, with positions and without what only YAML allows', () => {
    const json = '{"url": "https:\\/\\/a",\n "port": 1.0}';
    const outcome = readDocument({ file: 'a.json', text: json }, schema);
    if (!outcome.ok) throw new Error('refused');
    expect(outcome.value.value).toEqual({ url: 'https://a', port: 1 });
    expect(outcome.value.positionOf(['port'])).toEqual({ line: 2, column: 10 });
    expect(problemsOf('url: a', 'a.json')).not.toEqual([]);
    expect(problemsOf("{'url': 'a'}", 'a.json')).not.toEqual([]);
    expect(problemsOf("{'url': 'a'}", 'a.yaml')).toEqual([]);
  });

  it('takes YAML 1.2 words such as no, on and 0o17 by the core schema', () => {
    const outcome = readDocument({ file: 'a.yaml', text: 'url: no\nany: [on, 0o17, 0x1f, ~, 1_000]' }, schema);
    expect(outcome.ok && outcome.value.value).toEqual({ url: 'no', any: ['on', 15, 31, null, '1_000'] });
  });
});

describe('a document that does not fit', () => {
  it('shows all problems at once, ordered, with position, path, what was wanted and a hint', () => {
    const text = [
      'url: 42',
      'port: "8080"',
      'strict: "true"',
      'issuers:',
      '  - issuer: x',
      '    audience: y',
      'claims: { a: 42, b: [], c: [x, true] }',
      'effect: alow',
      'zzz: 1',
    ].join('\n');
    expect(messagesOf(text)).toEqual([
      '1:6 url | 42 | wanted text | quote it: "42"',
      '2:7 port | 8080 | wanted a number | without quotes: 8080',
      '3:9 strict | true | wanted true or false | without quotes: true',
      '5:5 issuers[0].audiences | missing | wanted a list | ',
      '6:5 issuers[0].audience |  | unknown key | audiences (a list)',
      '7:14 claims.a | 42 | wanted text or a list | quote it: "42"',
      '7:21 claims.b | an empty list | wanted at least 1 entry | ',
      '7:32 claims.c[1] | true | wanted text | quote it: "true"',
      '8:9 effect | alow | wanted allow or deny | ',
      '9:1 zzz |  | unknown key | known here: url, port, strict, issuers, claims, status, effect, client_secret, any',
    ]);
  });

  it('explains a union by the branch that was most likely meant', () => {
    expect(messagesOf('url: a\nstatus: { kind: feed }')).toEqual(['2:1 status.client | missing | wanted text | ']);
    expect(messagesOf('url: a\nstatus: { kind: none, client: x }')).toEqual([
      '2:23 status.client |  | unknown key | client (text)',
    ]);
    expect(messagesOf('url: a\nstatus: feed')).toEqual(['2:9 status | feed | wanted a mapping | ']);
  });

  it('says what a missing or empty document lacks', () => {
    expect(messagesOf('')).toEqual(['1:1  | nothing | wanted a mapping | ']);
    expect(messagesOf('url:\n')).toEqual(['1:5 url | nothing | wanted text | ']);
    expect(messagesOf('{}')).toEqual(['1:1 url | missing | wanted text | ']);
  });

  it('never repeats a value that stands under a secret’s name', () => {
    expect(messagesOf('url: a\nclient_secret: hunter2')).toEqual([
      '2:16 client_secret | a text not shown | wanted a reference | ',
    ]);
    expect(JSON.stringify(problemsOf('url: a\nclient_secret: { x: hunter2 }'))).not.toContain('hunter2');
  });

  it('adds the problems of a check to those of the schema', () => {
    const check: ReadOptions['check'] = (_, report) => report(['effect'], 'wanted what the file says', 'deny');
    expect(problemsOf('effect: allow', 'a.yaml', { check }).map((problem) => problem.message)).toEqual([
      'wanted text',
      'wanted what the file says',
    ]);
    expect(problemsOf('url: a\neffect: allow', 'a.yaml', { check })).toHaveLength(1);
  });

  it('prints no control character of the document', () => {
    const printed = formatProblems(problemsOf('"\\e[31m": 1\nurl: a\neffect: "\\e]0;x\\a\\u202e"'));
    expect([...printed].filter((character) => character < ' ' && character !== '\n')).toEqual([]);
    expect(printed).not.toContain('\u202e');
  });
});

describe('what is refused in any document', () => {
  const refused: readonly (readonly [string, string, string])[] = [
    ['an anchor', 'url: &a x', 'anchors are refused'],
    ['an alias', 'url: *a', 'aliases are refused'],
    ['a tag', 'url: !!str 42', 'tags are refused'],
    ['a local tag', 'url: !x 42', 'tags are refused'],
    ['a directive', '%YAML 1.1\n---\nurl: a', 'directives are refused'],
    ['a merge key', 'url: a\n<<: { port: 1 }', 'merge keys are refused'],
    ['a duplicate key', 'url: a\nurl: b', 'duplicate key'],
    ['a duplicate key spelt otherwise', 'url: a\n"u\\x72l": b', 'duplicate key'],
    ['a second document', 'url: a\n---\nurl: b', 'a second document is refused'],
    ['a second document behind an end', 'url: a\n...\nurl: b', 'a second document is refused'],
    ['two document starts', '---\n---\nurl: a', 'a second document is refused'],
    ['a byte order mark', '\ufeffurl: a', 'begins with a byte order mark'],
    ['what a decoder leaves of broken UTF-8', 'url: \ufffd', 'holds a character that text must not hold (U+FFFD)'],
    ['half of a surrogate pair', 'url: \ud800', 'holds a character that text must not hold (U+D800)'],
    ['an escaped half of a surrogate pair', 'url: "\\ud800"', 'half of a surrogate pair'],
    ['a NUL', 'url: \u0000', 'holds a character that text must not hold (U+0000)'],
    ['a lone carriage return', 'url: a\rport: 1', 'holds a character that text must not hold (U+000D)'],
    ['a direction mark', 'url: "\u202ea"', 'holds a character that text must not hold (U+202E)'],
    ['a key that is not text', 'url: a\n42: b', 'a key that is not text'],
    ['a key that is a list', 'url: a\n? [a]\n: b', 'a key that is not text'],
    ['a name that validators skip', 'url: a\nclaims: { __proto__: x }', 'this name is refused'],
    ['an unsafe number', 'url: a\nport: 99999999999999999999', 'a number out of range'],
    ['infinity', 'url: a\nport: .inf', 'a number out of range'],
    ['a bracket closed too often', 'url: a ]\nport: ]', 'a bracket is closed that was never opened'],
    ['a bracket left open', 'url: [a', 'a bracket is opened and never closed'],
    ['a bracket left open before another key', 'url: [a\nport: 1', 'a bracket is opened and never closed'],
    ['a quote left open', 'url: "a', 'a quote, bracket, comma or colon is missing'],
    ['17 levels in brackets', `any: ${'['.repeat(17)}${']'.repeat(17)}`, 'nested deeper than 16 levels'],
    ['17 levels on one line', `${'- '.repeat(17)}a`, 'nested deeper than 16 levels'],
    [
      '17 levels by indentation',
      Array.from({ length: 17 }, (_, level) => `${' '.repeat(level)}a:`).join('\n'),
      'nested deeper than 16 levels',
    ],
  ];
  it.each(refused)('%s', (_, text, message) => {
    expect(problemsOf(text).map((problem) => problem.message)).toContain(message);
  });

  it('takes 16 levels', () => {
    expect(problemsOf(`url: a\nany: ${'['.repeat(15)}${']'.repeat(15)}`)).toEqual([]);
    expect(problemsOf(`{"url":"a","any":${'['.repeat(15)}${']'.repeat(15)}}`, 'a.json')).toEqual([]);
    expect(problemsOf(`{"url":"a","any":${'['.repeat(17)}${']'.repeat(17)}}`, 'a.json')).toHaveLength(1);
  });

  it('more bytes than the reader allows, counted in UTF-8', () => {
    expect(problemsOf('url: éé', 'a.yaml', { maxBytes: 9 })).toEqual([]);
    expect(problemsOf('url: éé', 'a.yaml', { maxBytes: 8 })[0]?.message).toBe('larger than 8 bytes');
    expect(problemsOf('a'.repeat(65_537))[0]?.message).toBe('larger than 65536 bytes');
  });

  const refusedJson = [
    '{"url":"a",}',
    '{"url":"a" "port":1}',
    '{"url":"a"} x',
    '{"url":"a"}{}',
    '{"url":"a","url":"b"}',
    '{"url":"a","__proto__":"b"}',
    '{"url":"\\ud800"}',
    '{"url":"a","port":01}',
    '{"url":"a","port":1e999}',
    '{"url":"a\n"}',
    '{"url":"\\x41"}',
    '// x\n{"url":"a"}',
    '{url:"a"}',
    '{"url":NaN}',
    '{"url"',
    '{"url":',
    '[',
    '',
  ];
  it.each(refusedJson)('as JSON: %j', (text) => {
    expect(problemsOf(text, 'a.json').length).toBeGreaterThan(0);
  });

  it('a schema that would ignore unknown keys', () => {
    const open = z.strictObject({ inner: z.array(z.object({ a: z.string() })).optional() });
    expect(() => readDocument({ file: 'a.yaml', text: '' }, open)).toThrow(
      expect.objectContaining({ code: 'ERR_SCHEMA_OPEN' }),
    );
  });
});

it('formats the table of the design', () => {
  const at = { file: 'jobpass.yaml' };
  const problems: readonly Problem[] = [
    {
      ...at,
      line: 14,
      column: 5,
      path: 'sts.trusted_issuers[0].audience',
      message: 'unknown key',
      hint: 'audiences (a list)',
    },
    {
      ...at,
      line: 22,
      column: 17,
      path: 'gateways[0].listen',
      found: '127.0.0.1:99999',
      message: 'wanted host:port, port 1–65535',
    },
  ];
  expect(formatProblems(problems)).toBe(
    [
      '2 problems in jobpass.yaml',
      '  jobpass.yaml:14:5    sts.trusted_issuers[0].audience   unknown key       hint: audiences (a list)',
      '  jobpass.yaml:22:17   gateways[0].listen                127.0.0.1:99999   wanted host:port, port 1–65535',
    ].join('\n'),
  );
  expect(formatProblems(problems.slice(0, 1)).split('\n')[0]).toBe('1 problem in jobpass.yaml');
});
