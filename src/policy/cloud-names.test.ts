// Roles by the clouds' names: each is found by its own one alone, and no two share one.
import { describe, expect, test } from 'vitest';
import { makeRole, roleText, wideCeiling } from '../../test/fakes/roles.ts';
import { buildPolicySet, withoutRoles } from './policy-set.ts';
import { readRole } from './readers/jobpass.ts';

const PROVIDER = '//iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/ci/providers/jobpass';
const ACCOUNT = 'publish-web@acme.iam.gserviceaccount.com';
const OTHER_ACCOUNT = 'deploy@acme.iam.gserviceaccount.com';

const trust = '[{ issuer: "https://ci.example.com", claims: { owner_id: "42" } }]';
const named = (name: string, account: string | null, provider = PROVIDER) =>
  makeRole({
    name,
    trust,
    gcp: `{ provider: "${provider}"${account === null ? '' : `, service_account: "${account}"`} }`,
  });

const direct = named('direct', null);
const publish = named('publish', ACCOUNT);
const deploy = named('deploy', OTHER_ACCOUNT);
const set = buildPolicySet([direct, publish, deploy, makeRole({ name: 'plain', trust })]);

describe('roles by provider and service account', () => {
  test('each is found by exactly what its file says', () => {
    expect(set.findByGcpProvider(PROVIDER)).toEqual(direct.ref);
    expect(set.findByGcpAccount(PROVIDER, ACCOUNT)).toEqual(publish.ref);
    expect(set.gcpAccountsOf(PROVIDER)).toEqual([deploy.ref, publish.ref]);
  });

  test.each([`https:${PROVIDER}`, PROVIDER.replace('jobpass', 'other'), PROVIDER.toUpperCase(), ''])(
    'none is found by %j',
    (provider) => {
      expect(set.findByGcpProvider(provider)).toBeUndefined();
      expect(set.findByGcpAccount(provider, ACCOUNT)).toBeUndefined();
      expect(set.gcpAccountsOf(provider)).toEqual([]);
    },
  );

  test('a provider without a role of its own is nobody’s, whatever accounts it has', () => {
    const accounts = buildPolicySet([publish, deploy]);
    expect(accounts.findByGcpProvider(PROVIDER)).toBeUndefined();
    expect(accounts.findByGcpAccount(PROVIDER, '')).toBeUndefined();
  });

  test('a role that is gone is found by nothing', () => {
    const fewer = withoutRoles(set, [direct.ref, publish.ref]);
    expect(fewer.findByGcpProvider(PROVIDER)).toBeUndefined();
    expect(fewer.findByGcpAccount(PROVIDER, ACCOUNT)).toBeUndefined();
    expect(fewer.gcpAccountsOf(PROVIDER)).toEqual([deploy.ref]);
  });

  test('two roles of one name for Google’s clients make no set', () => {
    expect(() => buildPolicySet([direct, named('again', null)])).toThrow(/ERR_ROLE_DUPLICATE|one name/);
    expect(() => buildPolicySet([publish, named('again', ACCOUNT)])).toThrow(/one name for clients of gcp/);
    const elsewhere = PROVIDER.replace('jobpass', 'other');
    expect(buildPolicySet([publish, named('again', ACCOUNT, elsewhere)]).size).toBe(2);
  });
});

describe('the gcp section of a role file', () => {
  const problemsOf = (gcp: string, ceiling = wideCeiling()): readonly string[] => {
    const read = readRole({ tenant: 'main', file: 'main/publish-web.yaml', text: roleText({ trust, gcp }) }, ceiling);
    return read.ok ? [] : read.error.map(({ path, message }) => `${path}: ${message}`);
  };

  test.each([
    ['{}', 'gcp.provider: '],
    [`{ provider: "https:${PROVIDER}" }`, 'gcp.provider: wanted //iam.googleapis.com/projects/NUMBER/'],
    [`{ provider: "${PROVIDER.replace('42', 'acme')}" }`, 'gcp.provider: wanted //iam.googleapis.com/projects/NUMBER/'],
    [`{ provider: "${PROVIDER}", service_account: me@example.com }`, 'gcp.service_account: wanted the address'],
    [`{ provider: "${PROVIDER}", account: "${ACCOUNT}" }`, 'gcp'],
    [`{ provider: "${PROVIDER.replace('42', '43')}" }`, 'gcp.provider: beyond the ceiling of tenant main'],
  ])('is refused as %s', (gcp, problem) => {
    expect(problemsOf(gcp)).toEqual([expect.stringContaining(problem)]);
  });

  test('names a project of the tenant', () => {
    expect(problemsOf(`{ provider: "${PROVIDER}" }`)).toEqual([]);
    expect(problemsOf(`{ provider: "${PROVIDER}" }`, { ...wideCeiling(), gcpProjects: [] })).toHaveLength(1);
    expect(problemsOf(`{ provider: "${PROVIDER}" }`, { ...wideCeiling(), gcpProjects: 'all' })).toEqual([]);
  });
});
