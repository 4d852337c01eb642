// A policy may hold anything: whatever it is, there is an answer, and it is never a throw. How soon is bench/bounds.ts's business.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../test/fakes/property-runs.ts';
import { ISSUER, roleText, wideCeiling } from '../../test/fakes/roles.ts';
import type { Claims, JsonValue } from '../base/core/json.ts';
import { MAX_POLICY_BYTES } from '../base/core/limits.ts';
import { explain } from './explain.ts';
import { buildPolicySet } from './policy-set.ts';
import { readPolicy } from './read-policy.ts';
import { readRole } from './readers/jobpass.ts';
import type { Role } from './role.ts';

const FILES = ['main/publish-web.yaml', 'main/publish-web.json'];

/** Reads it and explains what came of it. */
function meet(file: string, text: string, claims: Claims): Role | undefined {
  const policy = readPolicy({ tenant: 'main', file, text });
  if (!policy.ok) {
    expect(policy.error.length).toBeGreaterThan(0);
    return undefined;
  }
  const token = { issuer: ISSUER, claims, now: 0 };
  expect(explain(buildPolicySet([policy.value]), { token }).roles).toHaveLength(1);
  return policy.value;
}

const fill = (unit: string): string => unit.repeat(Math.floor(MAX_POLICY_BYTES / unit.length));
const many = (count: number, unit: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => unit(index)).join(', ');

const withSubjects = (subjects: string): string =>
  roleText({ trust: `[{ issuer: ${ISSUER}, claims: { sub: [${subjects}] } }]` });

describe('a policy of 64 KiB is answered:', () => {
  it.each<[string, string]>([
    [
      '1,000 clauses',
      roleText({ trust: `[{ issuer: ${ISSUER}, claims: { x: [${many(998, (n) => `"**a*${n}**"`)}] } }]` }),
    ],
    ['too many wildcards', withSubjects(many(60, () => `"${'*a'.repeat(500)}b"`))],
    ['as many wildcards as there may be', withSubjects(`"${'*a'.repeat(499)}b", "${'**a*b'.repeat(200)}c"`)],
    ['long words between them', withSubjects(many(50, (n) => `"${`*${'a'.repeat(50)}`.repeat(20)}${n}"`))],
    ['1,000 rules', roleText({ trust: `[${many(997, (n) => `{ issuer: ${ISSUER}, claims: { x: v${n} } }`)}]` })],
    [
      'expressions',
      roleText({ trust: `[${many(300, (n) => `{ issuer: ${ISSUER}, when: 'claims.x.matches("(a+)+${n}$")' }`)}]` }),
    ],
    ['a long expression', roleText({ trust: `[{ issuer: ${ISSUER}, when: '${'!'.repeat(4000)}true' }]` })],
    ['brackets', fill('[')],
    ['braces', fill('{a: ')],
    ['dashes', fill('- ')],
    ['colons', fill(': ')],
    ['spaces', `a:${fill(' ')}`.slice(0, MAX_POLICY_BYTES)],
    ['a word and spaces', `a: b${fill(' ').slice(10)}\n`],
    ['comments', fill('#\n')],
    ['spaces and comments', fill(' #')],
    ['quotes', fill('"')],
    ['lines', fill('a: b\n')],
    ['indents', Array.from({ length: 350 }, (_, n) => `${' '.repeat(n)}a:`).join('\n')],
    [
      'AWS values',
      `{"Version":"2012-10-17","Statement":[${many(600, () => '{"Effect":"Allow","Principal":"*","Action":"*"}')}]}`,
    ],
    ['AWS text', `"${fill('%7B').slice(0, 60_000)}"`],
    ['keys of AWS', `{"Statement":{${many(2000, (n) => `"k${n}":1`)}}}`],
  ])('%s', (_, text) => {
    const claims = { x: `${'a'.repeat(16_000)}!`, sub: 'a'.repeat(2048) };
    for (const file of FILES) {
      meet(file, text, claims);
      const role = readRole({ tenant: 'main', file, text }, wideCeiling());
      expect(role.ok || role.error.length > 0).toBe(true);
    }
  });
});

describe('no policy makes a reader throw:', () => {
  const runs = { numRuns: Math.ceil(propertyRuns() / 4) };
  const claims = fc.dictionary(fc.constantFrom('sub', 'aud', 'a', 'fork'), fc.jsonValue() as fc.Arbitrary<JsonValue>);

  it('text of any kind', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...FILES),
        fc.string({ unit: 'binary', maxLength: 200 }),
        claims,
        (file, text, token) => {
          meet(file, text, token);
        },
      ),
      runs,
    );
  });

  it('values that look like policies', () => {
    const name = fc.constantFrom(
      ...['role', 'trust', 'session', 'permissions', 'issuer', 'claims', 'when', 'aws', 'gcp', 'azure', 'azure_file'],
      ...['Version', 'Statement', 'Effect', 'Principal', 'Federated', 'Action', 'Condition', 'StringLike', 'Null'],
      ...[
        'provider',
        'bindings',
        'oidc',
        'issuerUri',
        'attributeMapping',
        'attributeCondition',
        'members',
        'google.subject',
      ],
      ...[
        'subject',
        'audiences',
        'claimsMatchingExpression',
        'value',
        'Role',
        'AssumeRolePolicyDocument',
        'constructor',
      ],
    );
    const leaf = fc.oneof(
      fc.constantFrom<JsonValue>(
        '2012-10-17',
        'Allow',
        '*',
        'sts:*',
        'true',
        'claims.x',
        "claims['sub'] eq 'x'",
        ISSUER,
      ),
      fc.constantFrom<JsonValue>(null, true, 0, 1e300, '', '\ud800', `\${aws:x}`, 'assertion.sub', 'google.subject'),
    );
    const { value } = fc.letrec<{ value: JsonValue; list: JsonValue; map: JsonValue }>((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, leaf, tie('list'), tie('map')),
      list: fc.array(tie('value'), { maxLength: 3 }),
      map: fc.dictionary(name, tie('value'), { maxKeys: 5 }),
    }));
    fc.assert(
      fc.property(value, claims, (policy, token) => {
        meet('main/publish-web.json', JSON.stringify(policy), token);
      }),
      runs,
    );
  });
});
