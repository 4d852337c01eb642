// Compiled AWS trust policies against the naive evaluator, and against whatever JSON there is. JOBPASS_PROPERTY_RUNS sets how
// many random policies are tried.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JsonValue } from '../../src/base/core/json.ts';
import { compileAwsTrust } from '../../src/policy/readers/aws.ts';
import { detectAwsTrust } from '../../src/policy/readers/aws-detect.ts';
import { type NaiveDocument, type NaiveToken, naiveAws } from '../fakes/naive-aws.ts';
import { propertyRuns } from '../fakes/property-runs.ts';

const RUNS = propertyRuns();

const HOSTS = ['ci.example.com', 'ci.example.com/acme'];
const arnOf = (host: string): string => `arn:aws:iam::000000000042:oidc-provider/${host}`;

const TEXTS = [
  'main',
  'Main',
  'm*',
  '?ain',
  '*',
  'a:b',
  `\${*}`,
  `\${aws:RequestTag/team}`,
  `x-\${aws:RequestTag/team, 'none'}`,
  `\${ci.example.com:ref}`,
  '42',
  'true',
];
const OPERANDS: readonly (readonly [readonly string[], readonly JsonValue[]])[] = [
  [
    [
      'StringEquals',
      'StringNotEquals',
      'StringLike',
      'StringNotLike',
      'StringEqualsIgnoreCase',
      'StringNotEqualsIgnoreCase',
    ],
    TEXTS,
  ],
  [
    [
      'NumericEquals',
      'NumericNotEquals',
      'NumericLessThan',
      'NumericLessThanEquals',
      'NumericGreaterThan',
      'NumericGreaterThanEquals',
    ],
    ['42', 7, '1700000000', '0.5'],
  ],
  [
    ['DateEquals', 'DateNotEquals', 'DateLessThan', 'DateLessThanEquals', 'DateGreaterThan', 'DateGreaterThanEquals'],
    ['2023-11-14T22:13:20Z', '1700000000', '2026-01-01', '2023-11-14T23:13:20+01:00'],
  ],
  [['Bool'], ['true', false]],
  [['BinaryEquals'], ['bWFpbg==', 'eA==']],
  [
    ['IpAddress', 'NotIpAddress'],
    ['10.0.0.0/8', '10.1.2.3', '2001:db8::/32', '0.0.0.0/0'],
  ],
  [
    ['ArnEquals', 'ArnLike', 'ArnNotEquals', 'ArnNotLike'],
    ['arn:aws:iam::*:oidc-provider/*', 'arn:aws:iam::4?:x', `arn:aws:iam::42:\${aws:RequestTag/team}`],
  ],
  [['Null'], ['true', 'false', true]],
];
const KEYS = [
  'ci.example.com:ref',
  'CI.example.com:AUD',
  'ci.example.com:oaud',
  'ci.example.com:amr',
  'ci.example.com/acme:ref',
  'aws:RequestTag/team',
  'aws:TagKeys',
  'aws:SourceIp',
  'aws:CurrentTime',
  'aws:EpochTime',
  'aws:FederatedProvider',
  'aws:RequestedRegion',
  'sts:RoleSessionName',
  'sts:SourceIdentity',
];

const condition = fc.constantFrom(...OPERANDS).chain(([names, operands]) =>
  fc.record({
    operator: fc
      .tuple(
        fc.constantFrom('', '', '', 'ForAnyValue:', 'ForAllValues:'),
        fc.constantFrom(...names),
        fc.constantFrom('', '', 'IfExists'),
      )
      .map(([set, name, exists]) => `${set}${name}${name === 'Null' ? '' : exists}`),
    key: fc.constantFrom(...KEYS),
    values: fc.oneof(
      fc.constantFrom(...operands),
      fc.array(fc.constantFrom(...operands), { minLength: 1, maxLength: 3 }),
    ),
  }),
);
const block = fc.array(condition, { maxLength: 3 }).map((all) => {
  const built: Record<string, Record<string, JsonValue>> = {};
  for (const { operator, key, values } of all) built[operator] = { ...built[operator], [key]: values };
  return built;
});
const statement = fc.record({
  Effect: fc.constantFrom('Allow', 'Allow', 'Allow', 'Deny'),
  Principal: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...HOSTS).map((host) => ({ Federated: arnOf(host) })) },
    { weight: 3, arbitrary: fc.constant({ Federated: HOSTS.map(arnOf) }) },
    { weight: 1, arbitrary: fc.constant({ AWS: '*' }) },
    { weight: 1, arbitrary: fc.constant({ Service: 'ec2.amazonaws.com' }) },
  ),
  Action: fc.constantFrom<string | string[]>(
    'sts:AssumeRoleWithWebIdentity',
    'STS:assumerolewithwebidentity',
    'sts:*',
    'sts:AssumeRole',
    'sts:TagSession',
    ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'],
    ['sts:AssumeRoleWithWebIdentity', 'sts:SetSourceIdentity'],
    'sts:TagSessio?',
  ),
  Condition: block,
}) as fc.Arbitrary<NaiveDocument['Statement'][number]>;
const document: fc.Arbitrary<NaiveDocument> = fc.record(
  {
    Version: fc.constantFrom('2012-10-17', '2008-10-17'),
    Statement: fc.array(statement, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: ['Statement'] },
);

const scalar = fc.constantFrom<JsonValue>(
  'main',
  'Main',
  'x',
  'a:b',
  '*',
  '42',
  42,
  7,
  true,
  'true',
  '',
  '10.1.2.3',
  'bWFpbg==',
  'arn:aws:iam::42:x',
  '2026-01-01',
  null,
  { a: 'main' },
);
const claimValue = fc.oneof(
  { weight: 3, arbitrary: scalar },
  {
    weight: 1,
    arbitrary: fc.array(
      scalar.filter((value) => value !== null),
      { maxLength: 3 },
    ),
  },
);
const claims = fc.record(
  {
    aud: claimValue,
    azp: claimValue,
    amr: claimValue,
    ref: claimValue,
    Ref: claimValue,
    oaud: claimValue,
    'https://aws.amazon.com/tags': fc.constantFrom<JsonValue>(
      { principal_tags: { team: ['main'] } },
      { principal_tags: { Team: ['x'], other: ['y'] }, transitive_tag_keys: ['Team'] },
      { principal_tags: { team: ['a', 'b'] } },
      {},
    ),
    'https://aws.amazon.com/source_identity': fc.constantFrom<JsonValue>('main', 'x', 'ci-42'),
  },
  { requiredKeys: [] },
);
const token: fc.Arbitrary<NaiveToken> = fc.record(
  {
    issuer: fc.constantFrom(
      'https://ci.example.com',
      'https://ci.example.com',
      'https://ci.example.com/acme',
      'https://other.example.com',
    ),
    claims,
    now: fc.constantFrom(1_700_000_000, 1_767_225_600, 42),
    sourceAddress: fc.constantFrom('10.1.2.3', '192.0.2.1', '2001:db8::1', 'main'),
    sessionName: fc.constantFrom('main', 'ci-42'),
  },
  { requiredKeys: ['issuer', 'claims', 'now'] },
);

const compiled = (value: JsonValue) => {
  const problems: string[] = [];
  const trust = compileAwsTrust(value, {
    report: (path, message) => problems.push(`${path.join('.')}: ${message}`),
    at: [],
    lineOf: () => 1,
    maxChars: 4096,
  });
  return { trust, problems };
};

it(`decides as the naive evaluator does (${RUNS} policies)`, { timeout: 600_000 }, () => {
  let allowed = 0;
  let impossible = 0;
  fc.assert(
    fc.property(document, token, (policy, asked) => {
      const { trust, problems } = compiled(policy as unknown as JsonValue);
      // Too long a document is refused whatever it says.
      fc.pre(!problems.some((problem) => problem.includes('LimitExceeded')));
      expect(problems).toEqual([]);
      const verdict = trust?.judge(asked);
      allowed += verdict?.held === true ? 1 : 0;
      expect(verdict?.held).toBe(naiveAws(policy, asked));
      if (trust?.satisfiable(asked.issuer) === 'no') {
        impossible += 1;
        // Claims that are one text in a real token are lists here.
        const isReal = [asked.claims.ref, asked.claims.aud, asked.claims.azp].every((value) => !Array.isArray(value));
        if (isReal) expect(verdict?.held).toBe(false);
      }
    }),
    { numRuns: RUNS },
  );
  expect(allowed).toBeGreaterThan(RUNS / 100);
  expect(impossible).toBeGreaterThan(RUNS / 100);
});

it('takes any JSON: a policy or its problems, and an answer', () => {
  const word = fc.constantFrom(
    'Statement',
    'Version',
    'Effect',
    'Principal',
    'Federated',
    'Action',
    'Condition',
    'Allow',
    'StringLike',
    'sts:*',
    'x:y',
    '2012-10-17',
    `\${`,
    arnOf('ci.example.com'),
  );
  const { tree } = fc.letrec<{ tree: JsonValue }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>,
      word,
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(fc.oneof(word, fc.string()), tie('tree'), { maxKeys: 5 }),
    ),
  }));
  fc.assert(
    fc.property(tree, tree, (policy, claim) => {
      const found = detectAwsTrust(policy);
      const { trust, problems } = compiled(found?.document ?? policy);
      expect(trust === undefined).toBe(problems.length > 0);
      trust?.judge({ issuer: 'https://ci.example.com', claims: { sub: claim }, now: Number.NaN });
    }),
    { numRuns: Math.min(RUNS * 2, 20_000) },
  );
});

it('judges arbitrary claims without throwing', () => {
  fc.assert(
    fc.property(document, fc.dictionary(fc.string(), fc.jsonValue()), (policy, any) => {
      const { trust } = compiled(policy as unknown as JsonValue);
      const verdict = trust?.judge({
        issuer: 'https://ci.example.com',
        claims: any as Record<string, JsonValue>,
        now: 0,
      });
      expect(typeof (verdict?.held ?? false)).toBe('boolean');
    }),
    { numRuns: Math.min(RUNS, 5000) },
  );
});

it('answers the worst pattern on the longest claim', () => {
  const { trust } = compiled({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Federated: arnOf('ci.example.com') },
        Action: 'sts:*',
        Condition: {
          StringLike: { 'ci.example.com:sub': `${'*a'.repeat(800)}b` },
          StringEquals: { 'ci.example.com:ref': Array<string>(20).fill(`\${ci.example.com:sub}`) },
        },
      },
    ],
  });
  const sub = 'a'.repeat(16_000);
  expect(trust?.judge({ issuer: 'https://ci.example.com', claims: { sub, ref: sub }, now: 0 }).held).toBe(false);
});
