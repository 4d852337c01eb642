// What an adversary can make the policy rooms cost: the dearest inputs that tests know, one of each kind. `node bench/bounds.ts`.
// The answers are held by tests; here only their time is taken, of this thread, the median of nine.
import { MAX_BODY_BYTES, MAX_POLICY_BYTES } from '../src/base/core/limits.ts';
import { withoutTrailingSpace } from '../src/base/jwt/pasted.ts';
import { decide } from '../src/policy/decide.ts';
import { compileExpression, evaluateExpression } from '../src/policy/expression/expression.ts';
import { matchesGlob, parseTemplate, type Template } from '../src/policy/iam/template.ts';
import { compilePattern, matchesPattern } from '../src/policy/pattern.ts';
import { buildPolicySet } from '../src/policy/policy-set.ts';
import { readPolicy } from '../src/policy/read-policy.ts';
import { MaskedLines, SecretMask } from '../src/runner/ci/mask.ts';
import { decodeDelete, MAX_XML_BYTES } from '../src/wire/s3/bodies.ts';

const ISSUER = 'https://ci.example.com';

/** A role with these trust entries. */
const roleText = (trust: unknown): string =>
  JSON.stringify({
    role: 'web',
    trust,
    session: { gateway: 'artifacts' },
    permissions: [{ effect: 'allow', actions: ['s3:GetObject'], resources: ['arn:aws:s3:::web/*'] }],
  });

const read = (text: string, file = 'main/web.yaml') => readPolicy({ tenant: 'main', file, text });
const fill = (unit: string): string => unit.repeat(Math.floor(MAX_POLICY_BYTES / unit.length));
const many = <T>(count: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** Decides by a role with these trust entries. */
function decision(trust: unknown, claims: Readonly<Record<string, string | readonly string[]>>): () => void {
  const role = read(roleText(trust), 'main/web.json');
  if (!role.ok) throw new Error(role.error[0]?.message);
  const set = buildPolicySet([role.value]);
  return () => void decide(set, { role: { tenant: 'main', name: 'web' }, issuer: ISSUER, claims, now: 0 });
}

function evaluation(source: string, claims: Readonly<Record<string, string | readonly string[]>>): () => void {
  const expression = compileExpression(source, { variables: ['claims'], maxChars: 4096 });
  if (!expression.ok) throw new Error(expression.error.problem);
  return () => void evaluateExpression(expression.value, { claims });
}

function patternMatch(source: string, value: string): () => void {
  const pattern = compilePattern(source);
  if (!pattern.ok) throw new Error(pattern.error);
  return () => void matchesPattern(pattern.value, value);
}

function globMatch(source: string, text: string): () => void {
  const template = parseTemplate(source);
  const symbols: Template = template.ok ? template.value : [];
  const glob = symbols.filter((symbol) => typeof symbol === 'number');
  return () => void matchesGlob(glob, text);
}

function maskByteByByte(): void {
  const masked = new MaskedLines(new SecretMask(), () => undefined);
  for (const byte of Buffer.alloc(60_000, 'e')) masked.write(Uint8Array.of(byte));
  masked.end();
}

const LONG = 'a'.repeat(16_384);
const LIST = many(400, String);
const AMPERSANDS = Buffer.from(`<Delete><Object><Key>${'&'.repeat(MAX_XML_BYTES - 100)}</Key></Object></Delete>`);
const DEAR = 'claims.l.all(x, claims.l.exists(y, y == x)) && false';
const PATTERNS = [`${'*a'.repeat(499)}b`, `${'**a*b'.repeat(200)}c`];

const INPUTS: readonly (readonly [name: string, boundMs: number, run: () => void])[] = [
  ['read 64 KiB of brackets', 1000, () => void read(fill('['))],
  ['read 64 KiB of dashes', 1000, () => void read(fill('- '))],
  ['read 64 KiB of lines', 1000, () => void read(fill('a: b\n'))],
  ['read 64 KiB of quotes', 1000, () => void read(fill('"'))],
  ['read 64 KiB of unknown keys', 1000, () => void read(many(6500, (index) => `k${index}: 1`).join('\n'))],
  ['compile 4,096 characters of brackets', 250, () => void compileNested('[', ']')],
  ['compile 290 macros', 250, () => void compileNested('claims.all(x,', ')', 290)],
  ['evaluate a backtracking pattern', 50, evaluation('claims.a.matches("(a+)+$")', { a: `${LONG}b` })],
  ['evaluate three loops', 50, evaluation(`claims.l.exists(z, ${DEAR})`, { l: LIST })],
  ['match a pattern of 500 wildcards', 1000, patternMatch(`${'*a'.repeat(500)}b`, 'a'.repeat(2048))],
  ['match a glob of 1,000 wildcards', 1000, globMatch(`${'*a'.repeat(1000)}b`, LONG)],
  ['decide by as many wildcards as there may be', 1000, decision(subjects(PATTERNS), { sub: 'a'.repeat(2048) })],
  ['decide by 300 dear expressions', 1000, decision(whens(300), { l: LIST })],
  ['mask a line that comes byte by byte', 500, maskByteByByte],
  ['2 MiB of XML that is nothing but ampersands', 50, () => void decodeDelete(AMPERSANDS)],
  ['a token full of spaces', 50, () => void withoutTrailingSpace(`${' '.repeat(MAX_BODY_BYTES)}x`)],
];

function compileNested(open: string, close: string, depth = 2000): unknown {
  const source = `${open.repeat(depth)}true${close.repeat(depth)}`;
  return compileExpression(source, { variables: ['claims'], maxChars: 4096 });
}

function subjects(sub: readonly string[]): unknown {
  return [{ issuer: ISSUER, claims: { sub } }];
}

function whens(count: number): unknown {
  return many(count, () => ({ issuer: ISSUER, when: DEAR }));
}

function cpuMs(run: () => void): number {
  const before = process.threadCpuUsage();
  run();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

console.log('the dearest inputs, milliseconds of CPU\n');
for (const [name, boundMs, run] of INPUTS) {
  const median = many(9, () => cpuMs(run)).toSorted((a, b) => a - b)[4] ?? 0;
  console.log(`  ${name.padEnd(46)}${median.toFixed(1).padStart(7)}   ≤ ${boundMs}`);
}
