// What a client may ask for besides a role: scope and resource narrow or refuse and never widen; the JWT bearer grant is the same
// exchange under another name.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ARTIFACTS_URL, keysOf, PUBLISH, STS_URL, type StsAnswer, StsWorld } from '../../../test/fakes/sts-world.ts';
import type { JsonObject } from '../../base/core/json.ts';
import { openAccessToken } from '../../base/credential/access-token.ts';
import type { CarriedSession } from '../../base/credential/carried-session.ts';

const ALL = 'http:PUT:arn:jobpass:http:::artifacts/7/*';
const JWT_URN = 'urn:ietf:params:oauth:token-type:jwt';

let world: StsWorld;
let token: string;
beforeEach(async () => {
  world = await StsWorld.start();
  token = await world.issuer.idToken();
});
afterEach(() => world.close());

/** Status, error code and the reason on record. */
async function outcomeOf({ json, status }: StsAnswer) {
  const shown = await world.call(`GET /admin/v1/decisions/${json.decision_id}`, { as: 'root' });
  return [status, json.error, (shown.json.decision as JsonObject).reason];
}

async function sessionOf({ json }: StsAnswer): Promise<CarriedSession> {
  const opened = await openAccessToken(String(json.access_token), {
    issuer: STS_URL,
    groups: ['artifacts'],
    keys: keysOf(world.key.publicJwk),
    nowSeconds: world.clock.nowSeconds(),
    skewSeconds: 0,
  });
  if (!opened.ok) throw new Error(opened.error.detail);
  return opened.value.session;
}

describe('a scope', () => {
  test('becomes the session’s policy, and is not told again when it is what was asked for', async () => {
    const answer = await world.exchange(token, { scope: ALL });
    expect(answer.status).toBe(200);
    expect(answer.json).not.toHaveProperty('scope');
    const session = await sessionOf(answer);
    expect(session.policy).toEqual([
      { effect: 'allow', actions: ['http:PUT'], resources: ['arn:jobpass:http:::artifacts/7/*'], line: 1 },
    ]);
    expect(world.store.roleSessions.find(({ id }) => id === session.sessionId)?.policy).toEqual(session.policy);
    expect(world.store.decisions.at(-1)?.trace.session?.narrowed).toBe(true);
  });

  test('loses what the role certainly cannot give, and the rest is told', async () => {
    const answer = await world.exchange(token, { scope: `http:GET ${ALL} ${ALL} s3:GetObject http:PUT` });
    expect(answer.json.scope).toBe(`${ALL} http:PUT`);
    expect((await sessionOf(answer)).policy).toHaveLength(2);
  });

  test('of nothing that the role gives is refused, durably, and only once trust held', async () => {
    const scope = 'http:PUT:arn:jobpass:http:::artifacts/8/*';
    expect(await outcomeOf(await world.exchange(token, { scope }))).toEqual([400, 'invalid_scope', 'scope_exceeded']);
    expect(world.store.decisions.at(-1)).toMatchObject({ reason: 'scope_exceeded', outcome: 'refused' });
    const stranger = await world.issuer.idToken({ ref: 'refs/heads/dev' });
    expect(await outcomeOf(await world.exchange(stranger, { scope }))).toEqual([
      400,
      'invalid_target',
      'no_rule_matched',
    ]);
    expect(world.store.sessions.size).toBe(0);
  });

  test('that is malformed is refused before the token is looked at, and says what is wrong', async () => {
    const answer = await world.exchange('not a token', { scope: 'admin' });
    expect(answer.json).toMatchObject({ error: 'invalid_scope', reason: 'request_invalid' });
    expect(answer.json.error_description).toBe('scope 1: wanted ACTION or ACTION:RESOURCE, such as s3:GetObject');
  });

  test('without one the role alone decides', async () => {
    expect((await sessionOf(await world.exchange(token))).policy).toBeNull();
    expect((await sessionOf(await world.exchange(token, { scope: '' }))).policy).toBeNull();
  });
});

describe('a resource', () => {
  const withResources = (...resources: string[]) => {
    const form = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: `urn:jobpass:role:${PUBLISH}`,
      subject_token: token,
      subject_token_type: JWT_URN,
    });
    for (const resource of resources) form.append('resource', resource);
    return world.call('POST /token', { form: form.toString() });
  };

  test('is one that the role’s group serves, once or several times, and changes nothing', async () => {
    const answer = await withResources(ARTIFACTS_URL, ARTIFACTS_URL);
    expect(answer.status).toBe(200);
    expect(await sessionOf(answer)).toMatchObject({ group: 'artifacts', policy: null });
  });

  test.each([
    ['of another group', 'https://packages.example.com'],
    ['of nobody', 'https://evil.example.com'],
    ['in another spelling', `${ARTIFACTS_URL}/`],
    ['below it', `${ARTIFACTS_URL}/7`],
    ['of its host in capitals', 'https://ARTIFACTS.example.com'],
    ['of the role itself', `urn:jobpass:role:${PUBLISH}`],
  ])('%s is refused, also beside a good one', async (_what, resource) => {
    expect(await outcomeOf(await withResources(resource))).toEqual([400, 'invalid_target', 'resource_unknown']);
    expect((await outcomeOf(await withResources(ARTIFACTS_URL, resource)))[1]).toBe('invalid_target');
    expect(world.store.sessions.size).toBe(0);
    expect(world.issuer.requests.filter((request) => request.includes('evil'))).toEqual([]);
  });

  test('is answered alike for a role that is unknown, refuses, or does not serve it', async () => {
    const told = async (answer: Promise<StsAnswer>) => ({ ...(await answer).json, decision_id: '' });
    const stranger = await world.issuer.idToken({ ref: 'refs/heads/dev' });
    const beyond = await told(withResources('https://packages.example.com'));
    expect(await told(world.exchange(stranger, { resource: ARTIFACTS_URL }))).toEqual(beyond);
    expect(await told(world.exchange(token, { audience: 'urn:jobpass:role:main/none' }))).toEqual(beyond);
  });
});

describe('a token type', () => {
  test('of JWT is what an access token is anyway', async () => {
    const answer = await world.exchange(token, { requested_token_type: JWT_URN });
    expect(answer.json).toMatchObject({ issued_token_type: JWT_URN, token_type: 'Bearer' });
    expect((await sessionOf(answer)).role).toBe(PUBLISH);
  });
});

describe('an actor token', () => {
  test('is refused, and the answer says so', async () => {
    const answer = await world.exchange(token, { actor_token: token, actor_token_type: JWT_URN });
    expect([answer.status, answer.json.error]).toEqual([400, 'invalid_request']);
    expect(answer.json.error_description).toContain('actor_token is not served');
  });
});

describe('the JWT bearer grant', () => {
  const assert = (assertion: string, changes: Readonly<Record<string, string>> = {}) =>
    world.call('POST /token', {
      form: {
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        audience: `urn:jobpass:role:${PUBLISH}`,
        assertion,
        ...changes,
      },
    });

  test('gives what an exchange of the same token would', async () => {
    const answer = await assert(token, { scope: `${ALL} s3:GetObject`, requested_lifetime: '60' });
    expect(answer.json).toMatchObject({ token_type: 'Bearer', expires_in: 60, scope: ALL });
    expect(answer.json).not.toHaveProperty('issued_token_type');
    expect(world.store.decisions.at(-1)).toMatchObject({ outcome: 'granted', wire: 'rfc8693' });
  });

  test('refuses a bad assertion as RFC 7523 says, and an untrusted one as any', async () => {
    const stranger = await world.issuer.idToken({ ref: 'refs/heads/dev' });
    const expired = await world.issuer.idToken({ exp: world.clock.nowSeconds() - 60 });
    const forOthers = await world.issuer.idToken({ aud: 'https://elsewhere.example.com' });
    expect(await outcomeOf(await assert('x.y.z'))).toEqual([400, 'invalid_grant', 'token_malformed']);
    expect(await outcomeOf(await assert(expired))).toEqual([400, 'invalid_grant', 'token_expired']);
    expect(await outcomeOf(await assert(forOthers))).toEqual([400, 'invalid_grant', 'audience_mismatch']);
    expect(await outcomeOf(await assert(stranger))).toEqual([400, 'invalid_target', 'no_rule_matched']);
    expect((await outcomeOf(await assert(token, { audience: 'urn:jobpass:role:main/none' })))[1]).toBe(
      'invalid_target',
    );
  });
});
