// Revocation ends a session for good: who may do it, to what, and that gateways hear of it.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assumedCredentials, callerIdentity } from '../../../test/fakes/aws-calls.ts';
import { deployPolicies } from '../../../test/fakes/aws-role.ts';
import { fakeKey } from '../../../test/fakes/fake-job-issuer.ts';
import { ACCOUNT, gcpAccessToken, gcpPolicies, gcpReason, takeOn } from '../../../test/fakes/gcp-calls.ts';
import { type StsCall, StsWorld } from '../../../test/fakes/sts-world.ts';

let world: StsWorld;
let token: string;
let session: string;
beforeEach(async () => {
  world = await StsWorld.start({ policies: deployPolicies() });
  const { json } = await world.exchange(await world.issuer.idToken());
  token = String(json.access_token);
  session = String(json.session_id);
});
afterEach(() => world.close());

const revoke = (given: string, options: StsCall = {}) =>
  world.call('POST /revoke', { form: { token: given }, ...options });
const isAlive = async (id = session) => (await world.store.findSession(id)) !== undefined;
const revocations = () => world.log.lines.filter(({ message }) => message === 'session revoked');

describe('an access token', () => {
  test.each<[string, StsCall, string]>([
    ['its bearer', {}, 'its bearer'],
    ['a client of its tenant', { as: 'revoker' }, 'client:revoker'],
  ])('is revoked by %s, in the store and in the log', async (_what, options, by) => {
    const answer = await revoke(token, options);
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(await isAlive()).toBe(false);
    expect(await world.store.listEndedSessions('artifacts', 0, world.clock.nowSeconds(), 10)).toMatchObject([
      { sessionId: session },
    ]);
    expect(revocations()).toMatchObject([
      { level: 'info', fields: { session, role: 'main/publish-web', by, remoteAddress: '192.0.2.7' } },
    ]);
    expect(JSON.stringify(world.log.lines)).not.toContain(token);
    const actor = options.as === undefined ? { kind: 'bearer', name: session } : { kind: 'client', name: 'revoker' };
    const detail = { role: 'main/publish-web', remoteAddress: '192.0.2.7' };
    expect(world.store.actions).toMatchObject([
      { id: expect.stringMatching(/^A/), actor, action: 'token.revoke', tenant: 'main', target: session, detail },
    ]);
    expect(JSON.stringify(world.store.entries)).not.toContain(token);
  });

  test('is revoked whatever the hint and the public client’s name', async () => {
    const form = { token, token_type_hint: 'refresh_token', client_id: 'urn:jobpass:role:main/publish-web' };
    expect((await revoke(token, { form })).status).toBe(200);
    expect(await isAlive()).toBe(false);
  });

  test('is revoked once: again changes nothing and is as good', async () => {
    await revoke(token);
    expect((await revoke(token)).status).toBe(200);
    expect(revocations()).toHaveLength(1);
    expect(world.store.actions).toHaveLength(1);
  });

  test('ends no other session of its job', async () => {
    const { json } = await world.exchange(await world.issuer.idToken({ jti: 'token-2' }));
    await revoke(token);
    expect(await isAlive(String(json.session_id))).toBe(true);
  });

  test.each<[string, () => string | Promise<string>]>([
    ['garbage', () => 'garbage'],
    ['an ID token', () => world.issuer.idToken()],
    ['one character more', () => `${token}A`],
    ['another signature', async () => `${token.split('.').slice(0, 2).join('.')}.${await signatureOf(fakeKey('x'))}`],
    ['a session’s id', () => session],
  ])('is not %s, which is answered alike and changes nothing', async (_what, make) => {
    const answer = await revoke(await make());
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect((await revoke(await make(), { as: 'revoker' })).status).toBe(200);
    expect(await isAlive()).toBe(true);
  });

  const signatureOf = async ({ signer }: ReturnType<typeof fakeKey>) =>
    Buffer.from(await signer.sign(new TextEncoder().encode('x'))).toString('base64url');
});

describe('a session token of an AWS client', () => {
  test('is revoked by a client of its tenant, and by nobody who only saw it', async () => {
    const credentials = await assumedCredentials(world);
    const aws = credentials.sessionToken ?? '';
    expect((await revoke(aws)).status).toBe(200);
    expect((await callerIdentity(world, credentials)).status).toBe(200);
    expect((await revoke(aws, { as: 'revoker' })).status).toBe(200);
    expect((await callerIdentity(world, credentials)).text).toContain('ExpiredToken');
  });
});

describe('the token of a session without a role', () => {
  test('is revoked by its bearer, and no role comes of it any more', async () => {
    await world.close();
    world = await StsWorld.start({ policies: gcpPolicies({ publish: { account: ACCOUNT } }) });
    const federated = await gcpAccessToken(world);
    expect((await revoke(federated, { as: 'revoker' })).status).toBe(403);
    expect((await revoke(federated)).status).toBe(200);
    const refused = await takeOn(world, federated);
    expect([refused.status, await gcpReason(world, refused)]).toEqual([403, 'session_ended']);
    expect(revocations()).toMatchObject([{ fields: { role: null, by: 'its bearer' } }]);
  });
});

describe('a client', () => {
  test.each<[string, StsCall, number, string]>([
    ['that is not who it says', { as: 'stranger' }, 401, 'invalid_client'],
    ['that may revoke nothing', { as: 'operator' }, 403, 'unauthorized_client'],
    ['of another tenant, though it holds the token', { as: 'other-revoker' }, 403, 'unauthorized_client'],
  ])('%s is refused', async (_what, options, status, error) => {
    const answer = await revoke(token, options);
    expect([answer.status, answer.json.error]).toEqual([status, error]);
    expect(await isAlive()).toBe(true);
  });

  test.each<[string, StsCall]>([
    ['no token', { form: {} }],
    ['an empty token', { form: { token: '' } }],
    ['two tokens', { form: 'token=a&token=b' }],
    ['JSON', { form: '', headers: { 'content-type': 'application/json' } }],
  ])('that sends %s is told that its request is malformed', async (_what, options) => {
    const answer = await revoke('', options);
    expect([answer.status, answer.json.error]).toEqual([400, 'invalid_request']);
  });

  test('is told to come again when the end could not be made durable', async () => {
    world.store.hooks.beforeEndSession = () => {
      throw new Error('disk full');
    };
    const answer = await revoke(token);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(revocations()).toEqual([]);
  });
});
