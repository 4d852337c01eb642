// Introspection tells what is in force, to those whom it concerns, and of everything else nothing at all.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assumedCredentials } from '../../../test/fakes/aws-calls.ts';
import { deployPolicies } from '../../../test/fakes/aws-role.ts';
import { fakeKey } from '../../../test/fakes/fake-job-issuer.ts';
import { gcpPolicies, gcpToken } from '../../../test/fakes/gcp-calls.ts';
import { PUBLISH, STS_URL, type StsCall, StsWorld, type StsWorldOptions } from '../../../test/fakes/sts-world.ts';
import type { JsonObject } from '../../base/core/json.ts';
import { assembleJws } from '../../base/jwt/assemble.ts';

/** Sessions of an issuer that tells nothing of its jobs stand by themselves. */
const unbound = (): StsWorldOptions => ({
  registration: { jobStatus: { kind: 'none' } },
  policies: deployPolicies(),
});

let world: StsWorld;
const restart = async (options: StsWorldOptions): Promise<void> => {
  await world?.close();
  world = await StsWorld.start(options);
};
beforeEach(() => restart(unbound()));
afterEach(() => world.close());

const INACTIVE = '{"active":false}';

async function accessToken(changes: Readonly<Record<string, string>> = {}): Promise<string> {
  const { json, text } = await world.exchange(await world.issuer.idToken(), changes);
  if (typeof json.access_token !== 'string') throw new Error(text);
  return json.access_token;
}
const ask = (token: string, options: StsCall = { as: 'relying-party' }) =>
  world.call('POST /introspect', { form: { token }, ...options });

const payloadOf = (token: string): JsonObject =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as JsonObject;

describe('an active token', () => {
  test('is told with what RFC 7662 names, and its role', async () => {
    const token = await accessToken();
    const { headers, json, status } = await ask(token);
    const { exp, iat, iss, jti, sub } = payloadOf(token);
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(json).toEqual({
      active: true,
      token_type: 'Bearer',
      ...{ iss, sub, exp, iat, jti },
      aud: 'urn:jobpass:gateway:artifacts',
      client_id: `urn:jobpass:role:${PUBLISH}`,
      role: PUBLISH,
    });
    expect([iss, typeof exp]).toEqual([STS_URL, 'number']);
  });

  test('tells the scope that it was narrowed to, whatever the hint', async () => {
    const scope = 'http:PUT:arn:jobpass:http:::artifacts/7/*';
    const token = await accessToken({ scope });
    for (const token_type_hint of ['access_token', 'refresh_token', 'pat'])
      expect((await ask(token, { as: 'relying-party', form: { token, token_type_hint } })).json.scope).toBe(scope);
  });
});

describe('a token that Google’s scopes narrowed', () => {
  const GOOGLE = 'https://www.googleapis.com/auth';
  const narrowed = async (scope: string): Promise<string> => {
    await restart({ ...unbound(), policies: gcpPolicies({ direct: {} }) });
    const { json } = await gcpToken(world, await world.issuer.idToken(), { scope });
    return String(json.access_token);
  };

  test.each([
    [`${GOOGLE}/devstorage.read_only`, 's3:Get* s3:List*'],
    [`${GOOGLE}/cloud-platform.read-only`, 's3:Get* s3:List* http:GET http:HEAD'],
    [`${GOOGLE}/cloud-platform`, undefined],
  ])('to %s tells that', async (asked, told) => {
    const { json } = await ask(await narrowed(asked));
    expect([json.active, json.scope]).toEqual([true, told]);
  });

  test('to nothing is not taken for one of the whole role', async () => {
    expect((await ask(await narrowed('openid'))).text).toBe(INACTIVE);
  });
});

describe('nothing but that it is not active is said of', () => {
  const cases: readonly (readonly [string, () => Promise<string>])[] = [
    ['garbage', async () => 'garbage'],
    ['an ID token', () => world.issuer.idToken()],
    ['a token of a key that is not ours', async () => bent({}, fakeKey('other'))],
    ['another STS’s token', () => bent({ iss: 'https://other.example.com' })],
    ['a token of another group', () => bent({ aud: 'urn:jobpass:gateway:packages' })],
    ['a token of a session that the store does not know', () => bent({ jti: 'S000000000000' })],
    [
      'a token of a role that is no longer active',
      () => bent({ role: 'main/gone', client_id: 'urn:jobpass:role:main/gone' }),
    ],
    ['a session token of an AWS client', async () => (await assumedCredentials(world)).sessionToken ?? ''],
  ];
  const bent = async (claims: JsonObject, key = world.key): Promise<string> =>
    assembleJws({ typ: 'at+jwt' }, { ...payloadOf(await accessToken()), ...claims }, key.signer);

  test.each(cases)('%s', async (_what, make) => {
    expect((await ask(await make())).text).toBe(INACTIVE);
  });

  test('a token that is asked about by somebody it is not for', async () => {
    const token = await accessToken();
    expect((await ask(token, { as: 'other-relying-party' })).text).toBe(INACTIVE);
    expect((await ask(token)).json.active).toBe(true);
  });

  test('an expired token, to the second', async () => {
    const token = await accessToken({ requested_lifetime: '60' });
    world.clock.advance(59);
    expect((await ask(token)).json.active).toBe(true);
    world.clock.advance(1);
    expect((await ask(token)).text).toBe(INACTIVE);
  });

  test('a token of a session that was ended', async () => {
    const token = await accessToken();
    await world.store.endSession(String(payloadOf(token).jti));
    expect((await ask(token)).text).toBe(INACTIVE);
  });

  test('a token whose role was deleted', async () => {
    const token = await accessToken();
    world.policies.files.delete(`${PUBLISH}.yaml`);
    world.policies.changed();
    await expect.poll(async () => (await ask(token)).text).toBe(INACTIVE);
  });
});

describe('while the STS cannot know', () => {
  test('whether the job still runs, it says so instead of yes or no', async () => {
    await restart({});
    const token = await accessToken();
    const unknown = await ask(token);
    expect([unknown.status, unknown.json.error, unknown.headers['retry-after']]).toEqual([
      503,
      'temporarily_unavailable',
      '1',
    ]);
    world.letPollThrough();
    await expect.poll(async () => (await ask(token)).json.active).toBe(true);
    const now = world.clock.nowSeconds();
    await world.store.buryJobs([{ issuer: world.issuer.issuer, jobId: 'J1', endedAt: now, expiresAt: now + 600 }]);
    expect((await ask(token)).text).toBe(INACTIVE);
  });

  test('what the store holds, it is unavailable', async () => {
    const token = await accessToken();
    world.store.findSession = () => Promise.reject(new Error('disk'));
    expect((await ask(token)).status).toBe(503);
  });
});

describe('the caller', () => {
  test.each<[string, StsCall, number, string]>([
    ['is a client', { form: { token: 'x' } }, 401, 'invalid_client'],
    ['is who it says', { as: 'stranger' }, 401, 'invalid_client'],
    ['may introspect', { as: 'operator' }, 403, 'unauthorized_client'],
    ['names a token', { as: 'relying-party', form: {} }, 400, 'invalid_request'],
    ['names one token', { as: 'relying-party', form: 'token=a&token=b' }, 400, 'invalid_request'],
    ['sends a form', { as: 'relying-party', headers: { 'content-type': 'application/json' } }, 400, 'invalid_request'],
  ])('%s', async (_what, options, status, error) => {
    const answer = await ask('x', options);
    expect([answer.status, answer.json.error]).toEqual([status, error]);
    expect(answer.json.decision_id).toMatch(/^D/);
    expect(answer.headers['www-authenticate'] !== undefined).toBe(status === 401);
  });

  test('keeps the token out of the URL', async () => {
    const answer = await world.call('POST /introspect?token=x', { as: 'relying-party', form: {} });
    expect(answer.json.error).toBe('invalid_request');
  });
});
