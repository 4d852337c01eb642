import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { planAwsPolicies, planTenants } from './plan-tenants.ts';
import { ProblemList } from './problem-list.ts';
import type { StsSection } from './schema.ts';

let folder: string;
let problems: ProblemList;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobpass-tenants-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  problems = new ProblemList({ file: 'jobpass.yaml', positionOf: () => ({ line: 1, column: 1 }) });
});

type Tenants = NonNullable<StsSection['tenants']>;
const SAID = { issuers: [], gateways: [], resources: [] };
const sectionOf = (tenants?: Tenants): StsSection => ({
  url: 'https://sts.example.com',
  trusted_issuers: [],
  ...(tenants === undefined ? {} : { tenants }),
});
const context = () => ({ places: { folder, env: {} }, problems });
const found = (): readonly string[] => problems.list.map(({ path, message }) => `${path}: ${message}`);

describe('an AWS account', () => {
  const accountsOf = (tenants?: Tenants) =>
    planTenants(sectionOf(tenants), context()).map(({ awsAccounts }) => awsAccounts);

  test('is the one tenant’s, unless it says which are', () => {
    expect(accountsOf()).toEqual(['all']);
    expect(accountsOf({ a: { aws_accounts: ['000000000042'] } })).toEqual([['000000000042']]);
    expect(accountsOf({ a: { aws_accounts: [] } })).toEqual([[]]);
  });

  test('is nobody’s of several tenants that it is not given to', () => {
    expect(accountsOf({ a: SAID, b: { ...SAID, aws_accounts: ['000000000042'] } })).toEqual([[], ['000000000042']]);
    expect(found()).toEqual([]);
  });

  test('is never two tenants’', () => {
    const both = { ...SAID, aws_accounts: ['000000000042'] };
    accountsOf({ a: both, b: both });
    expect(found()).toEqual(['sts.tenants.b.aws_accounts[0]: the account is tenant a’s']);
  });
});

describe('a Google Cloud project', () => {
  test('is one tenant’s alone, as an account is', () => {
    const both = { ...SAID, gcp_projects: ['42', '43'] };
    const ceilings = planTenants(sectionOf({ a: both, b: both, c: SAID }), context());
    expect(ceilings.map(({ gcpProjects }) => gcpProjects)).toEqual([['42', '43'], ['42', '43'], []]);
    expect(found()).toEqual([
      'sts.tenants.b.gcp_projects[0]: the project is tenant a’s',
      'sts.tenants.b.gcp_projects[1]: the project is tenant a’s',
    ]);
  });
});

describe('a named session policy', () => {
  const ARN = 'arn:aws:iam::aws:policy/ReadOnly';
  const planOf = (text: string, file = 'policy.json') => {
    writeFileSync(join(folder, 'policy.json'), text);
    return planAwsPolicies(sectionOf({ a: { aws_policies: { [ARN]: `file:${file}` } } }), context());
  };

  test('is read with the configuration', () => {
    const text = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}';
    expect(planOf(text).get('a')?.get(ARN)).toMatchObject([{ effect: 'allow', actions: ['s3:Get*'] }]);
    expect(found()).toEqual([]);
  });

  test.each([
    ['{"Statement":{"Effect":"Allow","NotAction":"*","Resource":"*"}}', 'policy.json', '"NotAction"'],
    ['', 'policy.json', 'not strict JSON'],
    ['{}', 'none.json', 'cannot be read'],
  ])('that is broken is a problem at its place: %s in %s', (text, file, problem) => {
    planOf(text, file);
    expect(found()).toEqual([expect.stringContaining(problem)]);
    expect(found()[0]).toContain(`sts.tenants.a.aws_policies.${ARN}: file:${file}`);
  });
});
