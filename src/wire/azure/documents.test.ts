// What Azure's clients read before they sign in: nothing in it leads anywhere but to the configured authority.
import { describe, expect, test } from 'vitest';
import { cloudEndpoints, instanceDiscovery, openIdConfiguration } from './documents.ts';

const AUTHORITY = 'https://sts.example.com:8443';
const TENANT = '11111111-2222-4333-8444-555555555555';

test('a tenant’s OpenID configuration has what MSAL looks for, on the host that it asks', () => {
  expect(openIdConfiguration(AUTHORITY, TENANT)).toMatchObject({
    issuer: `${AUTHORITY}/${TENANT}/v2.0`,
    token_endpoint: `${AUTHORITY}/${TENANT}/oauth2/v2.0/token`,
    jwks_uri: `${AUTHORITY}/.well-known/jwks`,
    authorization_endpoint: `${AUTHORITY}/${TENANT}/oauth2/v2.0/authorize`,
  });
});

describe('the discovery of an instance', () => {
  test('vouches for this server', () => {
    expect(instanceDiscovery(AUTHORITY, `${AUTHORITY}/${TENANT}/oauth2/v2.0/authorize`)).toEqual({
      ok: true,
      value: {
        tenant_discovery_endpoint: `${AUTHORITY}/${TENANT}/v2.0/.well-known/openid-configuration`,
        'api-version': '1.1',
        metadata: [
          {
            preferred_network: 'sts.example.com:8443',
            preferred_cache: 'sts.example.com:8443',
            aliases: ['sts.example.com:8443'],
          },
        ],
      },
    });
  });

  test.each([
    undefined,
    '',
    `https://login.example.net/${TENANT}/oauth2/v2.0/authorize`,
    `${AUTHORITY}.example.net/${TENANT}/oauth2/v2.0/authorize`,
    `${AUTHORITY}@example.net/${TENANT}/oauth2/v2.0/authorize`,
    `${AUTHORITY}/common/oauth2/v2.0/authorize`,
    `${AUTHORITY}/${TENANT}/oauth2/v2.0/token`,
    `${AUTHORITY}/${TENANT}/x/oauth2/v2.0/authorize`,
  ])('vouches for nothing else: %s', (endpoint) => {
    expect(instanceDiscovery(AUTHORITY, endpoint)).toMatchObject({ error: { fault: { code: 50049, status: 400 } } });
  });
});

test('the endpoints of the cloud are one object, and no stranger’s', () => {
  const endpoints = cloudEndpoints(AUTHORITY);
  expect(endpoints.authentication.loginEndpoint).toBe(AUTHORITY);
  const hosts = JSON.stringify(endpoints).match(/[a-z0-9-]+(?:\.[a-z0-9-]+)+/g) ?? [];
  expect(hosts.filter((host) => host !== 'sts.example.com' && !host.endsWith('.invalid'))).toEqual([]);
});
