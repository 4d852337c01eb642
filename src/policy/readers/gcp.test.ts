import { describe, expect, it } from 'vitest';
import { compileTrust } from '../../../test/fakes/compiled-trust.ts';
import type { JsonObject, JsonValue } from '../../base/core/json.ts';
import { readPolicy } from '../read-policy.ts';
import { compileGcpTrust, detectGcp } from './gcp.ts';

const NAME = 'projects/42/locations/global/workloadIdentityPools/ci-pool/providers/jobpass';
const POOL = 'iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/ci-pool';
const OIDC = { issuerUri: 'https://ci.example.com' };
const PROVIDER: JsonObject = {
  name: NAME,
  attributeMapping: { 'google.subject': 'assertion.sub' },
  oidc: OIDC,
};
const USER = 'roles/iam.workloadIdentityUser';
const bound = (...members: readonly JsonValue[]): JsonObject => ({
  provider: PROVIDER,
  bindings: [{ role: USER, members }],
});

const problemsOf = (value: JsonValue): readonly string[] => {
  const { trust, problems } = compileTrust(compileGcpTrust, value);
  expect(trust === undefined).toBe(problems.length > 0);
  return problems;
};

describe('what gcloud prints is read unchanged', () => {
  const DESCRIBED: JsonObject = {
    ...PROVIDER,
    attributeCondition: "assertion.repository_owner_id == '42'",
    description: 'Jobs',
    displayName: 'CI',
    oidc: {
      allowedAudiences: ['sts.example.com'],
      issuerUri: 'https://token.actions.githubusercontent.com',
      jwksJson: '{"keys":[]}',
    },
    state: 'ACTIVE',
  };
  const POLICY = {
    bindings: [
      { members: [`principalSet://${POOL}/attribute.repository/acme/web`, 'user:ann@example.com'], role: USER },
    ],
    etag: 'BwYx',
    version: 1,
  };

  it.each<[string, JsonValue]>([
    ['providers describe', DESCRIBED],
    ['a disabled provider', { ...DESCRIBED, disabled: true }],
    ['a deleted provider', { ...DESCRIBED, state: 'DELETED', expireTime: '2026-12-23T00:00:00Z' }],
    ['both in one document', { provider: DESCRIBED, bindings: POLICY.bindings }],
    ['a whole IAM policy beside the provider', { provider: DESCRIBED, bindings: POLICY }],
    ['a provider put into an IAM policy', { ...POLICY, provider: DESCRIBED }],
    ['an IAM policy without bindings', { provider: DESCRIBED, bindings: { etag: 'ACAB' } }],
    ['a resource’s own bindings', { provider: DESCRIBED, bindings: POLICY, direct: true }],
  ])('%s', (_, value) => {
    expect(problemsOf(value)).toEqual([]);
    expect(detectGcp(value)).toBe(value);
  });

  it('as YAML too, each problem at its line', () => {
    const text = [
      'name: projects/42/locations/global/workloadIdentityPools/ci-pool/providers/jobpass',
      'attributeMapping:',
      '  google.subject: assertion.sub',
      'attributeCondition: assertion.ref ==',
      'oidc: { issuerUri: "https://ci.example.com" }',
      'state: GONE',
    ].join('\n');
    const read = readPolicy({ tenant: 'main', file: 'main/provider.yaml', text });
    expect(!read.ok && read.error.map(({ line, path }) => `${line} ${path}`)).toEqual([
      '4 attributeCondition',
      '6 state',
    ]);
    const good = readPolicy({
      tenant: 'main',
      file: 'p.yaml',
      text: text.replace(' ==', " == 'x'").replace('GONE', 'ACTIVE'),
    });
    expect(good.ok && good.value.trust.map((trust) => trust.dialect)).toEqual(['gcp']);
  });

  it('an IAM policy alone is recognised, and asks for its provider', () => {
    expect(detectGcp(POLICY)).toBe(POLICY);
    expect(problemsOf(POLICY)).toEqual([
      'provider: wanted the provider: bindings alone do not say whose tokens they are about',
    ]);
  });

  it.each<[string, JsonValue]>([
    ['an AWS trust policy', { Statement: [], Version: '2012-10-17' }],
    ['an Azure credential', { issuer: 'i', subject: 's' }],
    ['bindings of something else', { bindings: [{ key: 'x' }] }],
    ['a list', [PROVIDER]],
    ['text', 'oidc'],
  ])('%s is not taken for it', (_, value) => {
    expect(detectGcp(value)).toBeUndefined();
  });
});

describe('bindings', () => {
  it.each([
    'user:ann@example.com',
    'group:ci@example.com',
    'serviceAccount:ci@acme.iam.gserviceaccount.com',
    'serviceAccount:acme.svc.id.goog[default/ci]',
    'domain:example.com',
    'projectOwner:acme',
    'deleted:user:ann@example.com?uid=1',
    'principal://iam.googleapis.com/locations/global/workforcePools/people/subject/ann',
    'principal://iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/acme.svc.id.goog/subject/ns/a/sa/b',
    `principal://${POOL}/subject/repo:acme/web:ref:refs/heads/main`,
    `principalSet://${POOL}/group/a b`,
    `principalSet://${POOL}/attribute.repository/acme/web`,
    `principalSet://${POOL}/*`,
    `principalSet://${POOL.replace('42', '7')}/*`,
  ])('may have the member %s', (member) => {
    expect(problemsOf(bound(member))).toEqual([]);
  });

  const PRINCIPAL = 'wanted …/subject/SUBJECT after the pool: principal:// names one identity';
  const SET =
    'wanted …/group/GROUP, …/attribute.NAME/VALUE or …/* after the pool: principalSet:// names several identities';
  const KIND = 'wanted principal:// or principalSet:// of a workload identity pool, or a member of another known kind';
  it.each<[JsonValue, string]>([
    [1, 'wanted text'],
    ['', 'wanted text that is not empty'],
    ['x'.repeat(2049), 'wanted at most 2048 characters, as the cloud does'],
    ['allUsers', 'wanted named members: allUsers lets in anyone, tokens of other pools too'],
    ['allAuthenticatedUsers', 'wanted named members: allAuthenticatedUsers lets in anyone, tokens of other pools too'],
    ['ann@example.com', KIND],
    ['robot:x', KIND],
    ['principalSet://cloudresourcemanager.googleapis.com/projects/42', KIND],
    [
      `principal://${POOL.replace('42', 'acme')}/subject/x`,
      'wanted the number of the project, not its id: names are by number',
    ],
    [
      `principal://${POOL.replace('ci-pool', 'gcp-pool')}/subject/x`,
      'wanted another pool id: the prefix gcp- is reserved for use by Google',
    ],
    [`principal://${POOL}/subject/`, PRINCIPAL],
    [`principal://${POOL}/*`, PRINCIPAL],
    [`principal://${POOL}/attribute.a/x`, PRINCIPAL],
    [`principalSet://${POOL}/subject/x`, SET],
    [`principalSet://${POOL}/**`, SET],
    [`principalSet://${POOL}/attribute.a/`, SET],
    [`principalSet://${POOL}/attribute.A/x`, SET],
    [`principalSet://${POOL}/repository/x`, SET],
  ])('may not have the member %j', (member, message) => {
    expect(problemsOf(bound(member))).toEqual([`bindings[0].members[0]: ${message}`]);
  });

  it('have a role, members, and nothing unknown', () => {
    const bindings = [{ role: '', members: 'x' }, { members: [], roles: [] }, null];
    expect(problemsOf({ provider: PROVIDER, bindings })).toEqual([
      'bindings[0].role: wanted text that is not empty',
      'bindings[0].members: wanted a list of members',
      'bindings[1].roles: unknown key',
      'bindings[1].role: wanted text',
      'bindings[2]: wanted a mapping',
    ]);
    expect(problemsOf({ provider: PROVIDER, bindings: 'x' })).toEqual(['bindings: wanted a list of bindings']);
    expect(problemsOf({ provider: PROVIDER, bindings: { bindings: 'x' } })).toEqual([
      'bindings.bindings: wanted a list of bindings',
    ]);
  });

  it('may depend on the request only where no token could match', () => {
    const conditional = (member: string): JsonObject => ({
      provider: PROVIDER,
      bindings: [{ role: USER, members: [member], condition: { expression: 'true', title: 'x' } }],
    });
    expect(problemsOf(conditional('user:ann@example.com'))).toEqual([]);
    expect(problemsOf(conditional(`principalSet://${POOL}/*`))).toEqual([
      'bindings[0].condition: wanted no condition: a binding that depends on the request is not judged here',
    ]);
  });
});
