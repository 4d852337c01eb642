// Names of Google Cloud: read in the forms that clients send, and in no other.
import { describe, expect, test } from 'vitest';
import { gcpPrincipal, gcpProviderAudiences, isGcpServiceAccount, parseGcpProvider } from './gcp-names.ts';

const NAME = '//iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/ci/providers/jobpass';

describe('the name of a provider', () => {
  test('is read with and without https:, and has one form', () => {
    const read = {
      name: NAME,
      project: '42',
      pool: 'iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/ci',
    };
    expect([parseGcpProvider(NAME), parseGcpProvider(`https:${NAME}`)]).toEqual([read, read]);
  });

  test.each([
    '',
    NAME.slice(2),
    `http:${NAME}`,
    `${NAME}/`,
    `${NAME}\n`,
    ` ${NAME}`,
    NAME.replace('42', 'acme'),
    NAME.replace('42', '-42'),
    NAME.replace('42', '4'.repeat(21)),
    NAME.replace('global', 'europe-west1'),
    NAME.replace('iam.', 'iam.evil.'),
    NAME.replace('providers', 'Providers'),
    NAME.replace('/ci/', '/CI/'),
    NAME.replace('/ci/', '//'),
    NAME.replace('jobpass', 'a'.repeat(33)),
    NAME.replace('jobpass', 'a/b'),
    NAME.replace('jobpass', '..'),
    NAME.replace('/providers/jobpass', ''),
    NAME.replace('workloadIdentityPools/ci', 'workforcePools/ci'),
  ])('is not %j', (text) => {
    expect(parseGcpProvider(text)).toBeUndefined();
  });

  test('stands in two audiences, and before its identities', () => {
    expect(gcpProviderAudiences(NAME)).toEqual([NAME, `https:${NAME}`]);
    const pool = 'principal://iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/ci';
    expect(gcpPrincipal(NAME, 'owner:acme@42:x')).toBe(`${pool}/subject/owner:acme@42:x`);
    expect(() => gcpPrincipal('//evil.example/pool', 'me')).toThrow(TypeError);
  });
});

describe('a service account', () => {
  test.each([
    'publish-web@acme.iam.gserviceaccount.com',
    'a@acme.example.com.iam.gserviceaccount.com',
    '42-compute@developer.gserviceaccount.com',
  ])('is %s', (email) => {
    expect(isGcpServiceAccount(email)).toBe(true);
  });

  test.each([
    '',
    'octocat@example.com',
    'Publish@acme.iam.gserviceaccount.com',
    'a b@acme.iam.gserviceaccount.com',
    'a@b@acme.iam.gserviceaccount.com',
    '@acme.iam.gserviceaccount.com',
    'a@.gserviceaccount.com.evil.example',
    'a@acme.iam.gserviceaccount.com:generateAccessToken',
    'a/b@acme.iam.gserviceaccount.com',
    `a@${'b'.repeat(120)}.gserviceaccount.com`,
  ])('is not %j', (email) => {
    expect(isGcpServiceAccount(email)).toBe(false);
  });
});
