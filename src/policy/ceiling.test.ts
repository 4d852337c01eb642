import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wideCeiling } from '../../test/fakes/roles.ts';
import { ceilingProblem, compileCeiling } from './ceiling.ts';
import { parseAction } from './iam/statements.ts';
import { asGlob, covers, fillIn, type Glob, matchesGlob, parseTemplate, type Template } from './iam/template.ts';

const templateOf = (text: string): Template => {
  const parsed = parseTemplate(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
};
const actionOf = (text: string): Template => {
  const parsed = parseAction(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
};
const globOf = (text: string): Glob => asGlob(templateOf(text)) ?? [];

describe('a ceiling', () => {
  const S3 = 'arn:aws:s3:::';
  const isWithin = (entry: string, resource: string): boolean =>
    ceilingProblem(compileCeiling({ ...wideCeiling(), resources: [entry] }), {
      kind: 'resource',
      pattern: templateOf(resource),
    }) === undefined;

  it.each([
    [`${S3}web/*`, `${S3}web/a`, true],
    [`${S3}web/*`, `${S3}web/*`, true],
    [`${S3}web/*`, `${S3}web/?`, true],
    [`${S3}web/*`, `${S3}web/\${claims.owner_id}/*`, true],
    [`${S3}web/*`, `${S3}web*`, false],
    [`${S3}web/*`, `${S3}*`, false],
    [`${S3}web/?`, `${S3}web/a`, true],
    [`${S3}web/?`, `${S3}web/?`, true],
    [`${S3}web/?`, `${S3}web/*`, false],
    [`${S3}web/?`, `${S3}web/\${claims.x}`, false],
    [`${S3}web/??`, `${S3}web/?`, false],
    [`${S3}*/public/*`, `${S3}web/public/*`, true],
    [`${S3}*/public/*`, `${S3}*/x`, false],
    [`${S3}*/public/*`, `${S3}\${claims.x}/public/y`, true],
    [`${S3}web/a`, `${S3}web/a`, true],
    [`${S3}web/a`, `${S3}web/A`, false],
    [`${S3}web/\${*}`, `${S3}web/*`, false],
    [`${S3}web/\${*}`, `${S3}web/\${*}`, true],
    [`${S3}web/\${claims.x}`, `${S3}web/\${claims.x}`, false],
    [`${S3}\${oops`, `${S3}\${claims.x}`, false],
    ['*', `${S3}\${claims.x}*`, true],
  ])('%s takes in %s: %s', (entry, resource, wanted) => {
    expect(isWithin(entry, resource)).toBe(wanted);
  });

  it('compares actions without regard to case', () => {
    const ask = (entry: string, value: string) =>
      ceilingProblem(compileCeiling({ ...wideCeiling(), actions: [entry] }), {
        kind: 'action',
        pattern: actionOf(value),
      });
    expect(ask('s3:Get*', 's3:getobject')).toBeUndefined();
    expect(ask('s3:Get*', 's3:*')).toMatchObject({ message: 'beyond the ceiling of tenant main' });
  });

  it('takes in nothing when it lists nothing', () => {
    const lists = { issuers: [], gateways: [], actions: [], resources: [] };
    const empty = compileCeiling({ ...wideCeiling(), ...lists, maxDurationSeconds: 0 });
    const nothing = { hint: 'nothing of this kind is within it' };
    for (const kind of ['issuer', 'gateway'] as const) {
      expect(ceilingProblem(empty, { kind, value: 'x' })).toMatchObject(nothing);
    }
    for (const kind of ['action', 'resource'] as const) {
      expect(ceilingProblem(empty, { kind, pattern: templateOf('x') })).toMatchObject(nothing);
    }
    expect(ceilingProblem(empty, { kind: 'duration', value: 1 })).toMatchObject({ hint: 'at most 0 s' });
  });

  it('compares issuers and gateways as they are, and points to the nearest', () => {
    const ask = (value: string) => ceilingProblem(compileCeiling(wideCeiling()), { kind: 'issuer', value });
    expect(ask('https://ci.example.com')).toBeUndefined();
    expect(ask('https://ci.example.com/')).toMatchObject({ hint: 'https://ci.example.com' });
    expect(ask('*')).toBeDefined();
  });
});

describe('containment', () => {
  const alphabet = ['a', '/', '*', '*', '?', '😀', `\${*}`, `\${?}`];
  const text = (parts: readonly string[]) =>
    fc.array(fc.constantFrom(...parts), { maxLength: 5 }).map((all) => all.join(''));

  it('is sound: what a covered pattern matches, the ceiling matches', () => {
    let proved = 0;
    const value = text(['a', '/', '*', '😀']);
    const claims = fc.record({ x: value, y: value });
    fc.assert(
      fc.property(
        text(alphabet),
        text([...alphabet, `\${claims.x}`, `\${claims.y}`, `\${aws:PrincipalTag/x}`]),
        value,
        claims,
        (outer, inner, presented, session) => {
          const glob = fillIn(templateOf(inner), { claims: session, tags: session });
          const isMatch = glob !== undefined && matchesGlob(glob, presented);
          if (!covers(globOf(outer), templateOf(inner)) || !isMatch) return;
          proved += 1;
          expect(matchesGlob(globOf(outer), presented)).toBe(true);
        },
      ),
      { numRuns: 30_000 },
    );
    expect(proved).toBeGreaterThan(100);
  });

  it('is sound for values made to match', () => {
    let proved = 0;
    const run = text(['a', 'b', '/', '*', '😀']);
    fc.assert(
      fc.property(
        text(alphabet),
        text(alphabet),
        fc.array(run, { minLength: 7, maxLength: 7 }),
        (outer, inner, runs) => {
          if (!covers(globOf(outer), templateOf(inner))) return;
          proved += 1;
          const presented = globOf(inner)
            .map((symbol, index) => (symbol === -1 ? runs[index] : symbol === -2 ? 'z' : String.fromCodePoint(symbol)))
            .join('');
          expect(matchesGlob(globOf(inner), presented)).toBe(true);
          expect(matchesGlob(globOf(outer), presented)).toBe(true);
        },
      ),
      { numRuns: 20_000 },
    );
    expect(proved).toBeGreaterThan(100);
  });

  it('takes in itself and is taken in by a star', () => {
    fc.assert(
      fc.property(text(alphabet), (pattern) => {
        expect(covers(globOf(pattern), templateOf(pattern))).toBe(true);
        expect(covers(globOf('*'), templateOf(pattern))).toBe(true);
      }),
    );
  });
});
