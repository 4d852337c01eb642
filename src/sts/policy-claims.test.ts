// What at most one file may call its role: whoever has a name keeps it, and of two newcomers the first by path gets it.
import { describe, expect, test } from 'vitest';
import { AZURE_TENANT, makeRole } from '../../test/fakes/roles.ts';
import { type CloudName, cloudNames } from '../policy/role.ts';
import { type Claimants, contestedFiles } from './policy-claims.ts';

const PROVIDER = '//iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/ci/providers/jobpass';
const ACCOUNT = 'publish-web@acme.iam.gserviceaccount.com';
const trust = '[{ issuer: "https://ci.example.com", claims: { owner_id: "42" } }]';

const ARN = 'arn:aws:iam::000000000042:role/publish-web';
const aws = (roleArn = ARN) => cloudNames(makeRole({ trust, roleArn }));
const gcp = (account?: string) => {
  const more = account === undefined ? '' : `, service_account: "${account}"`;
  return cloudNames(makeRole({ trust, gcp: `{ provider: "${PROVIDER}"${more} }` }));
};
const both = (roleArn: string, account: string) => [...aws(roleArn), ...gcp(account)];

const claimants = (
  fresh: Record<string, readonly CloudName[]>,
  staying: Record<string, readonly CloudName[]> = {},
  before: Record<string, readonly CloudName[]> = {},
): Claimants => ({
  fresh: new Map(Object.entries(fresh)),
  staying: new Map(Object.entries(staying)),
  before: (path) => before[path] ?? [],
});

const refused = async (...args: Parameters<typeof claimants>): Promise<readonly string[]> => {
  const problems = await contestedFiles(claimants(...args), () => undefined);
  return [...problems].map(([file, { path, message }]) => `${file}: ${path}: ${message}`);
};

describe('a name in a cloud', () => {
  test('is the first file’s of two newcomers', async () => {
    expect(await refused({ 'b.yaml': aws(), 'a.yaml': aws() })).toEqual([
      'b.yaml: aws.role_arn: a.yaml has this account and role name',
    ]);
    expect(await refused({ 'a.yaml': gcp(ACCOUNT), 'b.yaml': gcp(ACCOUNT) })).toEqual([
      'b.yaml: gcp.provider: a.yaml has this provider with this service account',
    ]);
  });

  test('stays whose it is', async () => {
    expect(await refused({ 'a.yaml': gcp() }, { 'z.yaml': gcp() })).toEqual([
      'a.yaml: gcp.provider: z.yaml has this provider without a service account',
    ]);
  });

  test('is an application of an Azure tenant, too', async () => {
    const azure = (clientId: string) =>
      cloudNames(makeRole({ trust, azure: `{ tenant: "${AZURE_TENANT}", client_id: "${clientId}" }` }));
    const id = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
    const files = { 'a.yaml': azure(id), 'b.yaml': azure(id.toUpperCase()), 'c.yaml': azure(id.replace('a', 'b')) };
    expect(await refused(files)).toEqual(['b.yaml: azure.client_id: a.yaml has this tenant and client id']);
  });

  test('leaves room for a provider’s other accounts, and for its role without one', async () => {
    const files = { 'a.yaml': gcp(), 'b.yaml': gcp(ACCOUNT), 'c.yaml': gcp('other@acme.iam.gserviceaccount.com') };
    expect(await refused(files)).toEqual([]);
  });

  test('is not half a file’s: one taken name of two takes neither', async () => {
    const other = `${ARN}-2`;
    const files = { 'a.yaml': both(ARN, ACCOUNT), 'b.yaml': both(other, ACCOUNT), 'c.yaml': aws(other) };
    expect(await refused(files)).toEqual(['b.yaml: gcp.provider: a.yaml has this provider with this service account']);
  });

  test('goes back to a file that falls back to it, and away from whom it was given meanwhile', async () => {
    const problems = await refused(
      { 'a.yaml': aws(`${ARN}-2`), 'b.yaml': gcp(ACCOUNT) },
      { 'z.yaml': gcp(ACCOUNT) },
      { 'b.yaml': aws(`${ARN}-2`) },
    );
    expect(problems).toEqual([
      'b.yaml: gcp.provider: z.yaml has this provider with this service account',
      'a.yaml: aws.role_arn: b.yaml has this account and role name',
    ]);
  });
});
