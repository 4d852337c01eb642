import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileTrust } from '../../../test/fakes/compiled-trust.ts';
import { naiveAzure } from '../../../test/fakes/naive-azure.ts';
import { propertyRuns } from '../../../test/fakes/property-runs.ts';
import type { Claims, JsonObject, JsonValue } from '../../base/core/json.ts';
import { compileAzureTrust, detectAzure } from '../readers/azure.ts';

const RUNS = { numRuns: propertyRuns() };
const GITHUB = 'https://token.actions.githubusercontent.com';
const issuers = fc.constantFrom(GITHUB, GITHUB, GITHUB, 'https://gitlab.com', 'https://gitlab.com/');
const TEXTS = ['a', 'A', 'ab', 'aab', 'b', '*', 'a*', '*b', 'a?b', '?', "it's", 'a b', '😀', '?*?', ' a'];

const text = fc.oneof(fc.constantFrom(...TEXTS), fc.constantFrom('a', 'ab', '*', 'a*'));
const comparison = fc
  .record({ claim: fc.constantFrom('sub', 'job_workflow_ref'), operator: fc.constantFrom('eq', 'matches'), text })
  .map(({ claim, operator, text: literal }) => `claims['${claim}'] ${operator} '${literal.replaceAll("'", "''")}'`);
const matching: fc.Arbitrary<JsonObject> = fc.oneof(
  text.map((subject) => ({ subject })),
  fc.array(comparison, { minLength: 1, maxLength: 3 }).map((parts) => ({
    claimsMatchingExpression: { value: parts.join(' and '), languageVersion: 1 },
  })),
);
const credential: fc.Arbitrary<JsonObject> = fc
  .record({ issuer: issuers, audiences: fc.constantFrom(undefined, undefined, ['x'], ['X']), matching })
  .map(({ issuer, audiences, matching: matched }) => ({
    issuer,
    ...matched,
    ...(audiences === undefined ? {} : { audiences }),
  }));
const documents: fc.Arbitrary<JsonValue> = fc.oneof(credential, fc.array(credential, { minLength: 1, maxLength: 4 }));
const values: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 6, arbitrary: text },
  { weight: 1, arbitrary: fc.constantFrom<JsonValue[]>(1, true, null, ['a'], {}) },
);
const claims: fc.Arbitrary<Claims> = fc.record(
  {
    sub: values,
    job_workflow_ref: values,
    aud: fc.oneof(
      { weight: 3, arbitrary: fc.constant('api://AzureADTokenExchange') },
      { weight: 1, arbitrary: fc.constantFrom<JsonValue[]>('x', 'X', ['x'], ['x', 'X'], 1) },
    ),
  },
  { requiredKeys: ['aud', 'sub'] },
);

it('decides as a naive evaluator of Azure’s words does', () => {
  let allowed = 0;
  let judged = 0;
  fc.assert(
    fc.property(documents, claims, issuers, (document, token, issuer) => {
      const { trust } = compileTrust(compileAzureTrust, document);
      fc.pre(trust !== undefined);
      const { held } = trust?.judge({ issuer, claims: token, now: 0 }) ?? { held: undefined };
      judged += 1;
      allowed += held ? 1 : 0;
      expect(held).toBe(naiveAzure(document, { issuer, claims: token }));
      if (held) expect(trust?.satisfiable(issuer)).not.toBe('no');
    }),
    RUNS,
  );
  expect(judged).toBeGreaterThanOrEqual(RUNS.numRuns);
  expect(allowed).toBeGreaterThan(RUNS.numRuns / 100);
}, 600_000);

const soup = fc.oneof(
  fc.jsonValue(),
  fc.jsonValue().map((value) => [value, { issuer: 'i', subject: 's', audiences: value }]),
  fc.string({ unit: 'binary' }).map((value) => ({
    issuer: GITHUB,
    claimsMatchingExpression: { value, languageVersion: 1 },
  })),
  fc.array(fc.constantFrom("claims['sub']", ' ', 'eq', 'matches', "'", "'a*'", 'and', 'or')).map((parts) => ({
    issuer: GITHUB,
    claimsMatchingExpression: { value: parts.join(''), languageVersion: 1 },
  })),
) as fc.Arbitrary<JsonValue>;

it('never throws, whatever stands in a document or a token', () => {
  fc.assert(
    fc.property(soup, fc.dictionary(fc.constantFrom('aud', 'sub', 'x'), fc.jsonValue()), (document, token) => {
      detectAzure(document);
      const { trust, problems } = compileTrust(compileAzureTrust, document);
      expect(trust === undefined).toBe(problems.length > 0);
      trust?.judge({ issuer: GITHUB, claims: token as Claims, now: 0 });
    }),
    { numRuns: 2000 },
  );
});

it.each<[string, JsonValue]>([
  ['thousands of credentials', Array.from({ length: 4000 }, () => ({ a: 1 }))],
  [
    'a long expression',
    { issuer: 'i', claimsMatchingExpression: { value: "claims['".repeat(8000), languageVersion: 1 } },
  ],
  [
    'thousands of quotes',
    { issuer: 'i', claimsMatchingExpression: { value: `claims['${"'".repeat(2000)}`, languageVersion: 1 } },
  ],
  ['thousands of unknown keys', Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`key-${at}`, 1]))],
])('refuses %s', (_, document) => {
  const { trust, problems } = compileTrust(compileAzureTrust, document);
  expect(trust).toBeUndefined();
  expect(problems.length).toBeGreaterThan(0);
});
