import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileTrust } from '../../../test/fakes/compiled-trust.ts';
import { CONDITIONS, MAPPINGS, type NaiveGcpDocument, naiveGcp } from '../../../test/fakes/naive-gcp.ts';
import { propertyRuns } from '../../../test/fakes/property-runs.ts';
import type { Claims, JsonObject, JsonValue } from '../../base/core/json.ts';
import { compileGcpTrust, detectGcp } from '../readers/gcp.ts';

const RUNS = { numRuns: propertyRuns() };
const NAME = 'projects/42/locations/global/workloadIdentityPools/pool-a/providers/prov-a';
const POOL = '//iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/pool-a';
const OTHER_POOL = POOL.replace('pool-a', 'pool-b');
const issuers = fc.constantFrom(
  'https://ci.example.com',
  'https://ci.example.com',
  'https://ci.example.com',
  'https://ci.example.com/',
);

const mappingSource = fc.constantFrom(...Object.keys(MAPPINGS));
const subjectSource = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('assertion.sub', 'assertion.a', "'x'") },
  { weight: 1, arbitrary: mappingSource },
);
const mapping = fc
  .record({
    subject: subjectSource,
    groups: fc.constantFrom(undefined, undefined, '[assertion.a]', 'assertion.g'),
    r: fc.oneof(fc.constantFrom(undefined, 'assertion.a'), mappingSource),
    s: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: mappingSource }),
  })
  .map(({ subject, groups, r, s }) => ({
    'google.subject': subject,
    ...(groups === undefined ? {} : { 'google.groups': groups }),
    ...(r === undefined ? {} : { 'attribute.r': r }),
    ...(s === undefined ? {} : { 'attribute.s': s }),
  }));
const condition = fc
  .record({
    parts: fc.array(fc.constantFrom(...Object.keys(CONDITIONS)), { minLength: 1, maxLength: 3 }),
    operator: fc.constantFrom(' && ', ' || '),
  })
  .map(({ parts, operator }) => parts.join(operator));
const member = fc.constantFrom(
  ...['x', 'c:x', 'y', 'X', 'x/y'].flatMap((value) => [
    `principal:${POOL}/subject/${value}`,
    `principalSet:${POOL}/group/${value}`,
    `principalSet:${POOL}/attribute.r/${value}`,
    `principalSet:${POOL}/attribute.s/${value}`,
  ]),
  `principalSet:${POOL}/*`,
  `principalSet:${OTHER_POOL}/*`,
  `principal:${OTHER_POOL}/subject/x`,
  'user:x@example.com',
);
const binding = fc.record({
  role: fc.constantFrom('roles/iam.workloadIdentityUser', 'roles/iam.workloadIdentityUser', 'roles/viewer'),
  members: fc.array(member, { maxLength: 6 }),
});
const provider = fc.record(
  {
    name: fc.constant(NAME),
    disabled: fc.constantFrom(false, false, false, false, false, false, false, true),
    attributeMapping: mapping,
    attributeCondition: condition,
    oidc: fc.record(
      {
        issuerUri: issuers,
        allowedAudiences: fc.constantFrom<string[][]>([], ['aud-a'], ['aud-b', 'aud-a'], ['aud-a', 'x']),
      },
      { requiredKeys: ['issuerUri', 'allowedAudiences'] },
    ),
  },
  { requiredKeys: ['name', 'attributeMapping', 'oidc'] },
);
const documents: fc.Arbitrary<NaiveGcpDocument> = fc.record(
  { provider, direct: fc.boolean(), bindings: fc.array(binding, { maxLength: 3 }) },
  { requiredKeys: ['provider'] },
);

const values: fc.Arbitrary<JsonValue> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('x', 'x', 'x', 'x', 'x', 'x', 'x', 'y', 'X', 'x/y', 'a/x/y/z', '', 'x'.repeat(128)),
  },
  { weight: 1, arbitrary: fc.constantFrom<JsonValue[]>(1, 1.5, true, null, ['x'], { a: 'x' }) },
);
const aud = fc.constantFrom<JsonValue[]>(
  'aud-a',
  'aud-a',
  'aud-a',
  'aud-a',
  'aud-a',
  'aud-a',
  ['aud-a'],
  ['aud-a', 'aud-b'],
  `//iam.googleapis.com/${NAME}`,
  `//iam.googleapis.com/${NAME}`,
  `https://iam.googleapis.com/${NAME}`,
  `http://iam.googleapis.com/${NAME}`,
);
const claims: fc.Arbitrary<Claims> = fc.record(
  { sub: values, a: values, b: values, g: fc.oneof(fc.constant(['x', 'y']), fc.constant(['y']), values), aud },
  { requiredKeys: ['sub', 'a', 'aud'] },
);

it('decides as a naive evaluator of Google’s words does', () => {
  let allowed = 0;
  fc.assert(
    fc.property(documents, claims, issuers, (document, token, issuer) => {
      const { trust, problems } = compileTrust(compileGcpTrust, document as unknown as JsonValue);
      expect(problems).toEqual([]);
      const held = trust?.judge({ issuer, claims: token, now: 0 }).held;
      allowed += held ? 1 : 0;
      expect(held).toBe(naiveGcp(document, { issuer, claims: token }));
      expect(trust?.judge({ issuer, claims: token, now: 0 }, 'every_clause').held).toBe(held);
      if (held) expect(trust?.satisfiable(issuer)).not.toBe('no');
    }),
    RUNS,
  );
  expect(allowed).toBeGreaterThan(RUNS.numRuns / 60);
}, 900_000);

const GOOD: JsonObject = {
  name: NAME,
  attributeMapping: { 'google.subject': 'assertion.sub' },
  oidc: { issuerUri: 'https://ci.example.com', allowedAudiences: ['aud-a'] },
};
const soup = fc.oneof(
  fc.jsonValue(),
  fc.dictionary(fc.constantFrom(...Object.keys(GOOD), 'provider', 'bindings', 'direct', 'state'), fc.jsonValue()),
  fc.jsonValue().map((value) => ({ provider: GOOD, bindings: value })),
  fc.jsonValue().map((value) => ({ provider: GOOD, bindings: [{ role: 'r', members: value }, value] })),
  fc.string({ unit: 'binary' }).map((value) => ({ ...GOOD, attributeCondition: value })),
  fc
    .array(
      fc.constantFrom('assertion.a', "'x'", '&&', '||', '(', ')', '"', "'", '==', '?', ':', '//', '\n', 'r"', '"""'),
    )
    .map((parts) => ({ ...GOOD, attributeCondition: parts.join(' ') })),
  fc.string().map((value) => ({ ...GOOD, attributeMapping: { 'google.subject': 'assertion.sub', [value]: value } })),
  fc
    .string()
    .map((value) => ({ provider: GOOD, bindings: [{ role: 'r', members: [`principalSet:${POOL}/${value}`] }] })),
) as fc.Arbitrary<JsonValue>;

it('never throws, whatever stands in a document or a token', () => {
  fc.assert(
    fc.property(soup, fc.dictionary(fc.constantFrom('aud', 'sub', 'a'), fc.jsonValue()), (document, token) => {
      detectGcp(document);
      const { trust, problems } = compileTrust(compileGcpTrust, document);
      expect(trust === undefined).toBe(problems.length > 0);
      for (const reach of ['first_failure', 'every_clause'] as const) {
        trust?.judge({ issuer: 'https://ci.example.com', claims: { aud: 'aud-a', ...token } as Claims, now: 0 }, reach);
      }
    }),
    { numRuns: 2000 },
  );
});

const attributes = (count: number, source: string): JsonObject => ({
  ...GOOD,
  attributeMapping: Object.fromEntries([
    ['google.subject', 'assertion.sub'],
    ...Array.from({ length: count }, (_, index) => [`attribute.a${index}`, source]),
  ]),
});

it.each<[string, JsonValue]>([
  ['thousands of bindings', { provider: GOOD, bindings: Array.from({ length: 6000 }, () => ({ a: 1 })) }],
  ['thousands of attributes', attributes(5000, 'assertion.sub')],
  ['fifty long expressions', attributes(50, `'${'x'.repeat(1200)}'.matches('(a+)+$')`)],
  ['quotes without end', { ...GOOD, attributeCondition: '"""'.repeat(1300) }],
  [
    'thousands of members',
    { provider: GOOD, bindings: [{ role: 'r', members: Array.from({ length: 900 }, () => `principal:${POOL}/`) }] },
  ],
])('answers for %s', (_, document) => {
  const { trust, problems } = compileTrust(compileGcpTrust, document);
  expect(trust !== undefined || problems.length > 0).toBe(true);
});

it('lets all expressions of one token together cost what one may cost', () => {
  const list = JSON.stringify(Array.from({ length: 40 }, (_, index) => index));
  const heavy = `${list}.exists(a, ${list}.exists(b, ${list}.exists(c, a + b + c == 1000))) ? 'x' : 'y'`;
  const { trust, problems } = compileTrust(compileGcpTrust, attributes(50, heavy));
  expect(problems).toEqual([]);
  const token = { issuer: 'https://ci.example.com', claims: { aud: 'aud-a', sub: 'x' }, now: 0 };
  const rules = JSON.stringify(trust?.judge(token, 'every_clause').rules);
  expect(rules).toContain('the evaluation costs too much');
});
