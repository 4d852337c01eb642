// Roles by the clouds' names: each is found by its own one alone, and no two share one.
import { describe, expect, test } from 'vitest';
import { AZURE_TENANT, makeRole, roleText, wideCeiling } from '../../test/fakes/roles.ts';
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

const CLIENT_ID = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
const OTHER_CLIENT = 'aaaaaaaa-bbbb-4ccc-8ddd-ffffffffffff';
const application = (name: string, clientId = CLIENT_ID, tenant = AZURE_TENANT) =>
  makeRole({ name, trust, azure: `{ tenant: "${tenant}", client_id: "${clientId}" }` });

describe('roles by Azure tenant and application', () => {
  const deployApp = application('deploy', CLIENT_ID.toUpperCase());
  const publishApp = application('publish', OTHER_CLIENT);
  const applications = buildPolicySet([deployApp, publishApp]);

  test('each is found by both names, whatever their case in the file', () => {
    expect(applications.findByAzure(AZURE_TENANT, CLIENT_ID)).toEqual(deployApp.ref);
    expect(applications.findByAzure(AZURE_TENANT, OTHER_CLIENT)).toEqual(publishApp.ref);
  });

  test.each([
    ['', CLIENT_ID],
    ['acme.example.com', CLIENT_ID],
    [AZURE_TENANT, ''],
    [CLIENT_ID, AZURE_TENANT],
    [`${AZURE_TENANT} ${CLIENT_ID}`, ''],
  ])('none is found by %j and %j', (tenant, clientId) => {
    expect(applications.findByAzure(tenant, clientId)).toBeUndefined();
  });

  test('whether a tenant has any is known', () => {
    expect([AZURE_TENANT, CLIENT_ID].map((tenant) => applications.hasAzureTenant(tenant))).toEqual([true, false]);
  });

  test('a role that is gone is found by nothing, and two of one name make no set', () => {
    expect(withoutRoles(applications, [deployApp.ref]).findByAzure(AZURE_TENANT, CLIENT_ID)).toBeUndefined();
    const again = application('again', CLIENT_ID, AZURE_TENANT.toUpperCase());
    expect(() => buildPolicySet([deployApp, again])).toThrow(/one name for clients of azure/);
  });
});

describe('the azure section of a role file', () => {
  const problemsOf = (tenant: string, clientId = CLIENT_ID, ceiling = wideCeiling()): readonly string[] => {
    const text = roleText({ trust, azure: `{ tenant: "${tenant}", client_id: "${clientId}" }` });
    const read = readRole({ tenant: 'main', file: 'main/publish-web.yaml', text }, ceiling);
    return read.ok ? [] : read.error.map(({ path, message }) => `${path}: ${message}`);
  };

  test.each([
    'common',
    'organizations',
    'consumers',
    '9188040d-6c67-4c5b-b112-36a304b66dad',
    'acme',
    'v1',
    'a..b',
    'a_b.example.com',
    '127.0.0.1',
    '',
  ])('names a tenant, which %j is not', (tenant) => {
    expect(problemsOf(tenant, CLIENT_ID, { ...wideCeiling(), azureTenants: 'all' })).toEqual([
      'azure.tenant: wanted a GUID or a domain name such as acme.example.com',
    ]);
  });

  test('names an application by its GUID', () => {
    expect(problemsOf(AZURE_TENANT, 'publish-web')).toEqual(['azure.client_id: wanted a GUID']);
  });

  test('names a tenant of the tenant', () => {
    expect(problemsOf(AZURE_TENANT.toUpperCase())).toEqual([]);
    expect(problemsOf('other.example.com')).toEqual(['azure.tenant: beyond the ceiling of tenant main']);
    expect(problemsOf(AZURE_TENANT, CLIENT_ID, { ...wideCeiling(), azureTenants: [] })).toHaveLength(1);
    expect(problemsOf('Acme.Example.com', CLIENT_ID, { ...wideCeiling(), azureTenants: ['acme.example.com'] })).toEqual(
      [],
    );
  });
});
