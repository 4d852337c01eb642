// What Azure's clients read before they sign in: the same for everybody, and leading to nobody else.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CLIENT_ID } from '../../../test/fakes/azure-calls.ts';
import { AZURE_TENANT } from '../../../test/fakes/roles.ts';
import { StsWorld } from '../../../test/fakes/sts-world.ts';

let world: StsWorld;
beforeAll(async () => {
  world = await StsWorld.start();
});
afterAll(() => world.close());

describe('what clients read before', () => {
  const BASE = 'https://sts.example.com';

  test.each([`/${AZURE_TENANT}`, '/acme.example.com', `//${AZURE_TENANT}`, `/${CLIENT_ID}`])(
    'is the same for every tenant, known or not: %s',
    async (path) => {
      const { headers, json, status } = await world.call(`GET ${path}/v2.0/.well-known/openid-configuration`);
      const tenant = path.replace(/^\/+/, '');
      expect([status, json.issuer]).toEqual([200, `${BASE}/${tenant}/v2.0`]);
      expect(json.token_endpoint).toBe(`${BASE}/${tenant}/oauth2/v2.0/token`);
      expect(headers['cache-control']).toBe('public, max-age=300');
    },
  );

  test.each(['common', 'organizations', 'consumers', 'metadata', 'a%20b'])('is nothing for %s', async (tenant) => {
    const refused = await world.call(`GET /${tenant}/v2.0/.well-known/openid-configuration`);
    expect([refused.status, refused.json.error_codes]).toEqual([400, [900023]]);
  });

  test('vouches for this instance alone', async () => {
    const discovery = (endpoint: string, more = '') =>
      world.call(`GET /common/discovery/instance?api-version=1.1&authorization_endpoint=${endpoint}${more}`);
    const own = `${BASE}/${AZURE_TENANT}/oauth2/v2.0/authorize`;
    expect(await discovery(encodeURIComponent(own))).toMatchObject({
      status: 200,
      json: { tenant_discovery_endpoint: `${BASE}/${AZURE_TENANT}/v2.0/.well-known/openid-configuration` },
    });
    for (const refused of [
      await discovery('https://elsewhere.example'),
      await discovery(own, `&authorization_endpoint=${own}`),
    ])
      expect([refused.status, refused.json.error, refused.json.error_codes]).toEqual([
        400,
        'invalid_instance',
        [50049],
      ]);
  });

  test('lists the cloud’s endpoints as one object', async () => {
    const { json } = await world.call('GET /metadata/endpoints?api-version=2022-09-01');
    expect(json).toMatchObject({ name: 'Jobpass', authentication: { loginEndpoint: BASE } });
  });
});
