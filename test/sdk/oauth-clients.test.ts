// openid-client and oauth4webapi, unmodified, against the STS over HTTP: what they discover, ask for and take as answers.
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/base/core/json.ts';
import { type ServedSts, serveSts } from '../fakes/served-sts.ts';
import { ARTIFACTS_URL, CLIENT_SECRET, client, PUBLISH } from '../fakes/sts-world.ts';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';
const ROLE = `urn:jobpass:role:${PUBLISH}`;
const SCOPE = 'http:PUT:arn:jobpass:http:::artifacts/7/*';

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keyClient = {
  ...client('key-client', { introspect: ['artifacts'], revoke: ['main'] }),
  secretHashes: [],
  jwks: { keys: [{ ...pair.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' } as JsonObject] },
};

let sts: ServedSts;
let server: URL;
beforeAll(async () => {
  const registration = { jobStatus: { kind: 'none' } } as const;
  sts = await serveSts({ isItsUrl: true, registration, clients: [keyClient] });
  server = new URL(sts.url);
});
afterAll(() => sts.close());

const privateKey = (): Promise<webcrypto.CryptoKey> => {
  const jwk = pair.privateKey.export({ format: 'jwk' });
  return webcrypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
};

describe('openid-client', () => {
  const as = (name: string, method: openid.ClientAuth): Promise<openid.Configuration> =>
    openid.discovery(server, name, undefined, method, {
      algorithm: 'oauth2',
      execute: [openid.allowInsecureRequests],
    });
  const withSecret = (name: string) => as(name, openid.ClientSecretBasic(CLIENT_SECRET.reveal()));
  const job = () => as(ROLE, openid.None());
  const exchange = async (parameters: Readonly<Record<string, string>> = {}) =>
    openid.genericGrantRequest(await job(), EXCHANGE, {
      audience: ROLE,
      subject_token: await sts.world.issuer.idToken(),
      subject_token_type: ID_TOKEN,
      ...parameters,
    });

  test('discovers everything there is', async () => {
    const metadata = (await job()).serverMetadata();
    expect(metadata).toMatchObject({
      issuer: sts.url,
      token_endpoint: `${sts.url}/token`,
      introspection_endpoint: `${sts.url}/introspect`,
      revocation_endpoint: `${sts.url}/revoke`,
      grant_types_supported: [EXCHANGE, BEARER],
    });
  });

  test('exchanges a token, narrowed by a scope, for a resource', async () => {
    const narrowed = await exchange({ scope: `${SCOPE} s3:GetObject`, resource: ARTIFACTS_URL });
    expect(narrowed).toMatchObject({ token_type: 'bearer', scope: SCOPE, expires_in: 1200 });
    expect((await exchange({ scope: SCOPE })).scope).toBeUndefined();
  });

  test('gets a token by the JWT bearer grant', async () => {
    const assertion = await sts.world.issuer.idToken();
    const answer = await openid.genericGrantRequest(await job(), BEARER, { audience: ROLE, assertion });
    expect(answer.access_token).toMatch(/^ey/);
  });

  test('reads refusals as what they are', async () => {
    const codeOf = (parameters: Readonly<Record<string, string>>) =>
      exchange(parameters).then(
        () => 'granted',
        (error: unknown) => (error instanceof openid.ResponseBodyError ? error.error : String(error)),
      );
    expect(await codeOf({ scope: 'admin' })).toBe('invalid_scope');
    expect(await codeOf({ resource: 'https://elsewhere.example.com' })).toBe('invalid_target');
    expect(await codeOf({ audience: 'urn:jobpass:role:main/none' })).toBe('invalid_target');
    expect(await codeOf({ subject_token: 'x.y.z' })).toBe('invalid_request');
  });

  test('introspects and revokes, by secret and by key', async () => {
    const byKey = async () => as('key-client', openid.PrivateKeyJwt({ key: await privateKey(), kid: 'k1' }));
    for (const [asker, ender] of [
      [() => withSecret('relying-party'), () => withSecret('revoker')],
      [byKey, byKey],
    ] as const) {
      const { access_token: token } = await exchange({ scope: SCOPE });
      expect(await openid.tokenIntrospection(await asker(), token)).toMatchObject({
        ...{ active: true, iss: sts.url, client_id: ROLE, role: PUBLISH, scope: SCOPE, token_type: 'Bearer' },
      });
      await openid.tokenRevocation(await ender(), token);
      expect(await openid.tokenIntrospection(await asker(), token)).toEqual({ active: false });
    }
  });

  test('gives a token back without being a client', async () => {
    const { access_token: token } = await exchange();
    await openid.tokenRevocation(await job(), token);
    expect(await openid.tokenIntrospection(await withSecret('relying-party'), token)).toEqual({ active: false });
  });
});

describe('oauth4webapi', () => {
  const insecure = { [oauth.allowInsecureRequests]: true } as const;
  const discover = async (): Promise<oauth.AuthorizationServer> =>
    oauth.processDiscoveryResponse(server, await oauth.discoveryRequest(server, { algorithm: 'oauth2', ...insecure }));
  const job: oauth.Client = { client_id: ROLE };

  async function request(grant: string, parameters: Readonly<Record<string, string>>) {
    const found = await discover();
    const sent = { audience: ROLE, ...parameters };
    const answer = await oauth.genericTokenEndpointRequest(found, job, oauth.None(), grant, sent, insecure);
    return oauth.processGenericTokenEndpointResponse(found, job, answer);
  }
  const exchange = async (parameters: Readonly<Record<string, string>> = {}) =>
    request(EXCHANGE, {
      subject_token: await sts.world.issuer.idToken(),
      subject_token_type: ID_TOKEN,
      ...parameters,
    });

  test('exchanges a token, narrowed by a scope, and by the JWT bearer grant', async () => {
    expect((await exchange({ scope: `${SCOPE} s3:GetObject` })).scope).toBe(SCOPE);
    expect((await request(BEARER, { assertion: await sts.world.issuer.idToken() })).token_type).toBe('bearer');
  });

  test('reads a refusal as what it is', async () => {
    await expect(exchange({ audience: 'urn:jobpass:role:main/none' })).rejects.toMatchObject({
      error: 'invalid_target',
      status: 400,
    });
  });

  test('introspects and revokes', async () => {
    const found = await discover();
    const secret = oauth.ClientSecretPost(CLIENT_SECRET.reveal());
    const { access_token: token } = await exchange();
    const asker = { client_id: 'relying-party' };
    const ask = async () => {
      const answer = await oauth.introspectionRequest(found, asker, secret, token, insecure);
      return oauth.processIntrospectionResponse(found, asker, answer);
    };
    expect(await ask()).toMatchObject({ active: true, client_id: ROLE });
    const revoked = await oauth.revocationRequest(found, { client_id: 'revoker' }, secret, token, insecure);
    expect(await oauth.processRevocationResponse(revoked)).toBeUndefined();
    expect(await ask()).toEqual({ active: false });
  });

  test('is told that a client may not', async () => {
    const found = await discover();
    const asker = { client_id: 'operator' };
    const secret = oauth.ClientSecretBasic(CLIENT_SECRET.reveal());
    const answer = await oauth.introspectionRequest(found, asker, secret, 'x', insecure);
    await expect(oauth.processIntrospectionResponse(found, asker, answer)).rejects.toMatchObject({
      error: 'unauthorized_client',
    });
  });
});
