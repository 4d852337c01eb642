// The STS's routes as their callers see them: what they refuse, who may ask, and what the operator reads.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryPolicies, PUBLISH, PUBLISH_TEXT, StsWorld } from '../../../test/fakes/sts-world.ts';
import type { JsonObject } from '../../base/core/json.ts';

let world: StsWorld;
beforeEach(async () => {
  world = await StsWorld.start();
});
afterEach(() => world.close());

const FORM = 'application/x-www-form-urlencoded';

describe('POST /token', () => {
  test.each<[string, Parameters<StsWorld['call']>, number, string]>([
    ['JSON', ['POST /token', { json: {}, headers: { 'content-type': 'application/json' } }], 400, 'invalid_request'],
    ['no content type', ['POST /token', { json: {} }], 400, 'invalid_request'],
    ['parameters in the URL', ['POST /token?audience=x', { form: {} }], 400, 'invalid_request'],
    ['a broken escape', ['POST /token', { headers: { 'content-type': FORM }, json: '%zz' }], 400, 'invalid_request'],
    ['an empty form', ['POST /token', { form: {} }], 400, 'invalid_request'],
    ['another grant type', ['POST /token', { form: { grant_type: 'password' } }], 400, 'unsupported_grant_type'],
    ['a parameter twice', ['POST /token', { form: 'scope=a&scope=b' }], 400, 'invalid_request'],
    ['several audiences', ['POST /token', { form: 'audience=a&audience=b' }], 400, 'invalid_target'],
  ])('refuses %s with an id that the operator finds', async (_what, [target, options], status, error) => {
    const response = await world.call(target, options);
    expect([response.status, response.json.error]).toEqual([status, error]);
    const shown = await world.call(`GET /admin/v1/decisions/${response.json.decision_id}`, { as: 'root' });
    expect(shown.status).toBe(200);
    expect(world.store.decisions).toEqual([]);
  });

  test('refuses a malformed target, lifetime or missing token before it looks at anything else', async () => {
    const before = world.issuer.requests.length;
    const token = await world.issuer.idToken();
    for (const [changes, error] of [
      [{ audience: 'urn:jobpass:role:main' }, 'invalid_target'],
      [{ audience: null }, 'invalid_target'],
      [{ resource: 'artifacts' }, 'invalid_target'],
      [{ requested_lifetime: '1.5' }, 'invalid_request'],
      [{ expires_in: '60' }, 'invalid_request'],
      [{ actor_token: token }, 'invalid_request'],
      [{ scope: 'all' }, 'invalid_scope'],
      [{ subject_token: null }, 'invalid_request'],
    ] as const) {
      expect((await world.exchange(token, changes)).json.error).toBe(error);
    }
    expect(world.issuer.requests.length).toBe(before);
  });

  test('needs no client, and refuses one that is not who it says', async () => {
    const token = await world.issuer.idToken();
    const form = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: `urn:jobpass:role:${PUBLISH}`,
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    };
    expect((await world.call('POST /token', { form })).status).toBe(200);
    expect((await world.call('POST /token', { form, as: 'nobody' })).status).toBe(200);
    expect((await world.call('POST /token', { form: { ...form, client_id: 'anyone' } })).status).toBe(200);
    for (const options of [
      { form, as: 'stranger' },
      { form, headers: { authorization: `Bearer ${token}` } },
      { form: { ...form, client_id: 'nobody', client_secret: 'wrong' } },
      { form: { ...form, client_assertion: token } },
    ]) {
      const refused = await world.call('POST /token', options);
      expect([refused.status, refused.json.error]).toEqual([401, 'invalid_client']);
      expect(refused.headers['www-authenticate']).toContain('Basic');
    }
  });

  test('is the only method', async () => {
    const response = await world.call('GET /token');
    expect([response.status, response.headers.allow]).toEqual([405, 'POST']);
    expect(response.json).toMatchObject({ error: 'invalid_request', decision_id: expect.stringMatching(/^D/) });
  });

  test('never repeats the token or the role in a refusal', async () => {
    const token = await world.issuer.idToken({ ref: 'refs/heads/dev' });
    const refused = await world.exchange(token);
    for (const part of [token, PUBLISH, 'refs/heads']) expect(refused.text).not.toContain(part);
  });
});

describe('GET /admin/v1/decisions/{id}', () => {
  test('shows every clause, the nearest role, and what the caller was told, also for a prefix in lower case', async () => {
    const policies = new MemoryPolicies();
    const preview = PUBLISH_TEXT.replace('role: publish-web', 'role: preview-web').replace(
      'refs/heads/main',
      'refs/heads/dev',
    );
    policies.files.set('main/preview-web.yaml', preview);
    await world.close();
    world = await StsWorld.start({ policies });
    const refused = await world.exchange(await world.issuer.idToken({ ref: 'refs/heads/dev' }));
    const id = String(refused.json.decision_id);
    const shown = await world.call(`GET /admin/v1/decisions/${id.slice(0, 6).toLowerCase()}`, { as: 'operator' });
    expect(shown.json).toMatchObject({
      decision: { id, outcome: 'refused', reason: 'no_rule_matched' },
      nearest: { role: 'main/preview-web', missing: 0 },
      safe_reason: 'access_denied',
    });
    const { trace } = shown.json.decision as unknown as { trace: { role: { rules: { clauses: JsonObject[] }[] } } };
    expect(trace.role.rules[0]?.clauses).toContainEqual(
      expect.objectContaining({
        subject: 'ref',
        wanted: ['refs/heads/main'],
        presented: 'refs/heads/dev',
        outcome: 'failed',
      }),
    );
  });

  test('finds a decision only for operators of its tenant', async () => {
    const refused = await world.exchange(await world.issuer.idToken({ ref: 'refs/heads/dev' }));
    const target = `GET /admin/v1/decisions/${refused.json.decision_id}`;
    const statuses = [];
    for (const as of ['operator', 'root', 'other-operator', 'nobody', 'gateway', 'stranger', undefined]) {
      statuses.push((await world.call(target, as === undefined ? {} : { as })).status);
    }
    expect(statuses).toEqual([200, 200, 404, 403, 403, 401, 401]);
  });

  test('finds what names no tenant only for operators of all', async () => {
    const garbage = await world.call('POST /token', { form: {} });
    const nowhere = await world.exchange(await world.issuer.idToken(), { audience: 'urn:jobpass:role:nowhere/x' });
    for (const refused of [garbage, nowhere]) {
      const target = `GET /admin/v1/decisions/${refused.json.decision_id}`;
      expect((await world.call(target, { as: 'root' })).status).toBe(200);
      expect((await world.call(target, { as: 'operator' })).status).toBe(404);
    }
  });

  test.each(['D', 'DAB', 'S1234567', 'D%00', 'DDDDDDDDDDDDDDDDD', "D' OR 1"])('does not look for %s', async (id) => {
    const response = await world.call(`GET /admin/v1/decisions/${encodeURIComponent(id)}`, { as: 'root' });
    expect([response.status, response.json.reason]).toEqual([404, 'not_found']);
    expect(response.json.message).toContain('no decision has this id');
  });

  test('says when several begin so', async () => {
    for (const id of ['DAAAA1111111', 'DAAAA2222222']) {
      const refused = await world.exchange(await world.issuer.idToken({ ref: 'x' }));
      const at = world.store.decisions.findIndex((record) => record.id === refused.json.decision_id);
      const record = world.store.decisions[at];
      if (record !== undefined) world.store.decisions[at] = { ...record, id };
    }
    const response = await world.call('GET /admin/v1/decisions/DAAAA', { as: 'root' });
    expect(response.status).toBe(404);
    expect(response.json.message).toContain('several decisions begin with this id');
  });
});

describe('GET /admin/v1/decisions', () => {
  test('lists the newest first, of the operator’s tenants only', async () => {
    await world.exchange(await world.issuer.idToken());
    world.clock.advanceMs(1);
    await world.exchange(await world.issuer.idToken(), { audience: 'urn:jobpass:role:other/x' });
    world.clock.advanceMs(1);
    await world.exchange('garbage');
    const reasons = async (as: string, query = ''): Promise<unknown> => {
      const { json } = await world.call(`GET /admin/v1/decisions${query}`, { as });
      return (json.decisions as { reason: unknown }[]).map((record) => record.reason);
    };
    expect(await reasons('root')).toEqual(['token_malformed', 'role_unknown', null]);
    expect(await reasons('root', '?limit=1')).toEqual(['token_malformed']);
    expect(await reasons('operator')).toEqual(['token_malformed', null]);
    expect(await reasons('other-operator')).toEqual(['role_unknown']);
  });

  test('finds the operator’s own decision behind any number of another tenant’s', async () => {
    const own = await world.exchange(await world.issuer.idToken({ ref: 'x' }));
    for (let index = 0; index < 30; index += 1) {
      const token = await world.issuer.idToken({ jti: `token-${index}` });
      await world.exchange(token, { audience: 'urn:jobpass:role:other/x' });
    }
    const { json } = await world.call('GET /admin/v1/decisions?limit=1', { as: 'operator' });
    expect(json.decisions).toMatchObject([{ id: own.json.decision_id }]);
  });

  test.each(['limit=0', 'limit=1000', 'limit=a', 'limit=1&limit=2'])('refuses %s', async (query) => {
    expect((await world.call(`GET /admin/v1/decisions?${query}`, { as: 'root' })).status).toBe(400);
  });

  test('is refused to who may not read', async () => {
    expect((await world.call('GET /admin/v1/decisions', { as: 'nobody' })).status).toBe(403);
  });

  test('says that it cannot when the store cannot', async () => {
    world.store.listDecisions = () => Promise.reject(new Error('io'));
    expect((await world.call('GET /admin/v1/decisions', { as: 'root' })).status).toBe(503);
  });
});

describe('a refusal of the operator’s routes and of the feed', () => {
  test.each<[string, string | undefined, number, string | null, string]>([
    ['GET /admin/v1/decisions', 'stranger', 401, null, 'client_unknown'],
    ['GET /admin/v1/decisions', undefined, 401, null, 'client_unknown'],
    ['GET /admin/v1/decisions', 'nobody', 403, 'client:nobody', 'client_not_permitted'],
    ['GET /admin/v1/decisions?limit=x', 'root', 400, 'client:root', 'request_malformed'],
    ['GET /admin/v1/decisions/DAAAAAA', 'root', 404, 'client:root', 'decision_unknown'],
    ['POST /admin/v1/evaluate', 'root', 400, 'client:root', 'request_malformed'],
    ['GET /v1/feed', 'stranger', 401, null, 'client_unknown'],
    ['GET /v1/feed', 'nobody', 403, 'client:nobody', 'client_not_permitted'],
  ])('%s as %s has an id, and stands under it in the log', async (target, as, status, who, reason) => {
    const response = await world.call(target, as === undefined ? {} : { as });
    expect(response.status).toBe(status);
    expect(Object.keys(response.json)).toEqual(['message', 'reason', 'decision_id']);
    const fields = { decision: response.json.decision_id, reason, who };
    expect(world.log.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: expect.objectContaining(fields) }),
    );
  });

  test('tells an operator the whole reason, and a stranger nothing of it', async () => {
    const missing = await world.call('GET /admin/v1/decisions', { as: 'nobody' });
    expect(missing.json.message).toBe('the client may not use this route: this needs may.read');
    const stranger = await world.call('GET /admin/v1/decisions', { as: 'stranger' });
    expect(stranger.json.message).toBe('the client is not known here');
  });
});

describe('POST /admin/v1/evaluate', () => {
  const evaluate = (json: unknown, as = 'operator') => world.call('POST /admin/v1/evaluate', { json, as });
  const claims = (overrides: JsonObject = {}) => ({ ...world.issuer.claims(), ...overrides });

  test('says what an exchange would, for a token and for claims, and grants, stores and uses nothing', async () => {
    const token = await world.issuer.idToken();
    for (const identity of [{ token: `${token}\n` }, { claims: claims() }]) {
      const response = await evaluate({ role: PUBLISH, ...identity, asked_seconds: 60 });
      expect(response.json).toMatchObject({
        decision: 'allow',
        reason: null,
        trace: { lifetime: { givenSeconds: 60, boundBy: 'asked' }, role: { rules: [{ held: true }] } },
      });
      expect(response.json.access_token).toBeUndefined();
    }
    expect([world.store.sessions.size, world.store.decisions.length, world.store.uses.size]).toEqual([0, 0, 0]);
  });

  test.each<[string, () => Promise<JsonObject> | JsonObject, string]>([
    ['a bad token', async () => ({ token: 'garbage' }), 'token_malformed'],
    [
      'a token of another audience',
      async () => ({ token: await world.issuer.idToken({ aud: 'x' }) }),
      'audience_mismatch',
    ],
    ['a failed condition', () => ({ claims: claims({ ref: 'refs/heads/dev' }) }), 'no_rule_matched'],
    ['an unknown issuer', () => ({ claims: claims({ iss: 'https://evil.example' }) }), 'issuer_unknown'],
    ['a deadline that has come', () => ({ claims: claims({ job_deadline: '1' }) }), 'lifetime_exhausted'],
    ['a malformed deadline', () => ({ claims: claims({ job_deadline: 'soon' }) }), 'claim_malformed'],
  ])('explains %s', async (_what, identity, reason) => {
    const response = await evaluate({ role: PUBLISH, ...(await identity()) });
    expect(response.json).toMatchObject({ decision: 'deny', reason });
    expect(world.store.decisions).toEqual([]);
  });

  test('is bound to the operator’s tenants', async () => {
    const asked = { role: PUBLISH, claims: claims() };
    const statuses = [];
    for (const as of ['operator', 'other-operator', 'nobody', 'stranger']) {
      statuses.push((await evaluate(asked, as)).status);
    }
    expect(statuses).toEqual([200, 403, 403, 401]);
  });

  test.each([
    [{}],
    [{ role: PUBLISH }],
    [{ role: PUBLISH, token: 'a', claims: {} }],
    [{ role: 'publish-web', claims: {} }],
    [{ role: PUBLISH, claims: [] }],
    [{ role: PUBLISH, claims: {}, asked_seconds: 0 }],
    [{ role: PUBLISH, claims: {}, extra: 1 }],
    ['text'],
  ])('refuses a request that is not one: %j', async (asked) => {
    expect((await evaluate(asked)).status).toBe(400);
  });
});
