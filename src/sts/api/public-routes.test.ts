// What anyone may read of the STS.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { STS_URL, StsWorld } from '../../../test/fakes/sts-world.ts';
import type { JsonObject } from '../../base/core/json.ts';
import type { HttpRequest } from '../../base/ports/http.ts';
import { publicRoutes } from './public-routes.ts';

let world: StsWorld;
beforeEach(async () => {
  world = await StsWorld.start();
});
afterEach(() => world.close());

describe('what anyone may read', () => {
  test('is metadata made from the configured URL', async () => {
    const response = await world.call('GET /.well-known/oauth-authorization-server', { headers: { host: 'evil' } });
    expect(response.json).toMatchObject({
      issuer: STS_URL,
      token_endpoint: `${STS_URL}/token`,
      jwks_uri: `${STS_URL}/.well-known/jwks`,
      grant_types_supported: [
        'urn:ietf:params:oauth:grant-type:token-exchange',
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
      ],
      introspection_endpoint: `${STS_URL}/introspect`,
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
      revocation_endpoint: `${STS_URL}/revoke`,
      revocation_endpoint_auth_methods_supported: expect.arrayContaining(['none', 'private_key_jwt']),
    });
  });

  test('leaves nothing open that RFC 8414 wants of a server with these endpoints', async () => {
    const { json } = await world.call('GET /.well-known/oauth-authorization-server');
    for (const endpoint of ['token', 'introspection', 'revocation']) {
      const methods = json[`${endpoint}_endpoint_auth_methods_supported`];
      expect(methods).toContain('client_secret_basic');
      expect(json[`${endpoint}_endpoint_auth_signing_alg_values_supported`]).toContain('ES256');
      expect(Array.isArray(methods) && methods.includes('none')).toBe(endpoint !== 'introspection');
      expect(await world.call(`POST ${new URL(String(json[`${endpoint}_endpoint`])).pathname}`)).toBeDefined();
    }
    expect(json.response_types_supported).toEqual([]);
  });

  test('are the public keys, answered with 304 to who has them', async () => {
    const response = await world.call('GET /.well-known/jwks');
    expect(response.json.keys).toEqual([world.key.publicJwk]);
    const etag = response.headers.etag ?? '';
    const again = await world.call('GET /.well-known/jwks', { headers: { 'if-none-match': `"x", W/${etag}` } });
    expect([again.status, again.text]).toEqual([304, '']);
  });

  test('are other public keys as soon as the ring has changed, under another entity tag', async () => {
    let keys: JsonObject[] = [{ kid: 'a' }];
    const routes = publicRoutes({ stsUrl: STS_URL, keys: { publicJwks: () => ({ keys }) } });
    const jwks = routes.find(({ path }) => path === '/.well-known/jwks');
    const get = () => jwks?.handle({ headers: {} } as HttpRequest);
    const before = await get();
    keys = [{ kid: 'b' }, { kid: 'a' }];
    const after = await get();
    expect(after?.body).toBe('{"keys":[{"kid":"b"},{"kid":"a"}]}');
    expect(after?.headers.etag).not.toBe(before?.headers.etag);
  });
});
