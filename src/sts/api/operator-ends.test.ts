// What operators end and stop: sessions, jobs, everything of a role, a tenant, an issuer; who may, and what is kept of it.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answer } from '../../../test/fakes/fake-job-issuer.ts';
import { type MemoryPolicies, PUBLISH, STS_URL, type StsAnswer, StsWorld } from '../../../test/fakes/sts-world.ts';
import type { JsonObject } from '../../base/core/json.ts';
import { encodeIntrospectionResponse } from '../../wire/introspection/introspection.ts';

let world: StsWorld;
beforeEach(async () => {
  world = await StsWorld.start();
});
afterEach(() => world.close());

const ISSUER = 'https://ci.example.com';
const ROLE = { scope: 'role', name: PUBLISH };
const TENANT = { scope: 'tenant', name: 'main' };

/** A session of the job, which the issuer says runs. */
const grant = async (jobId = 'J1'): Promise<string> => {
  const now = world.clock.nowSeconds();
  const token = {
    issuer: ISSUER,
    subject: 's',
    audience: STS_URL,
    tokenId: 't',
    jobId,
    issuedAt: now,
    expiresAt: now + 600,
  };
  world.issuer.handlers.set('/v1/introspect', () => answer(encodeIntrospectionResponse(token)));
  const { json } = await world.exchange(await world.issuer.idToken({ job_id: jobId }));
  return String(json.session_id);
};
const list = (as: string, query = ''): Promise<StsAnswer> => world.call(`GET /admin/v1/sessions${query}`, { as });
const end = (as: string, json: JsonObject): Promise<StsAnswer> =>
  world.call('POST /admin/v1/sessions/end', { as, json });
const raise = (as: string, json: JsonObject): Promise<StsAnswer> => world.call('POST /admin/v1/epochs', { as, json });
const freeze = (as: string, json: JsonObject, frozen = true): Promise<StsAnswer> =>
  world.call('POST /admin/v1/freeze', { as, json: { ...json, frozen } });
const idsOf = ({ json }: StsAnswer) => (json.sessions as JsonObject[]).map(({ id }) => id);
const isInForce = async (id: string): Promise<boolean> => (await world.store.findSession(id)) !== undefined;
const reasonOf = async (refusal: StsAnswer): Promise<unknown> => {
  const { json } = await world.call(`GET /admin/v1/decisions/${refusal.json.decision_id}`, { as: 'root' });
  return (json.decision as JsonObject).reason;
};

describe('the sessions in force', () => {
  test('are listed with what an operator needs, and nothing secret', async () => {
    const id = await grant();
    const answered = await list('operator');
    const now = world.clock.nowSeconds();
    expect(answered.json).toEqual({
      next: null,
      sessions: [
        {
          id,
          decision: world.store.decisions[0]?.id,
          role: PUBLISH,
          group: 'artifacts',
          issuer: ISSUER,
          subject: 'owner:acme@42:pipeline:web@7:ref:refs/heads/main',
          job_id: 'J1',
          job_bound: true,
          name: null,
          issued_at: now,
          expires_at: now + 1800,
        },
      ],
    });
  });

  test('come in pages, and by role, tenant, issuer and job', async () => {
    for (const jobId of ['J1', 'J1', 'J2']) await grant(jobId);
    const first = await list('operator', '?limit=2');
    expect([idsOf(first).length, first.json.next]).toEqual([2, idsOf(first)[1]]);
    const second = await list('operator', `?limit=2&after=${first.json.next}`);
    expect([idsOf(second).length, second.json.next]).toEqual([1, null]);
    const counts = ['job=J1', `role=${PUBLISH}`, 'tenant=main', 'tenant=other', `issuer=${ISSUER}`, 'issuer=x'];
    const found = await Promise.all(counts.map(async (query) => idsOf(await list('operator', `?${query}`)).length));
    expect(found).toEqual([2, 3, 3, 0, 3, 0]);
  });

  test.each<[string, string, number]>([
    ['a reader', 'operator', 1],
    ['a reader of another tenant', 'other-operator', 0],
    ['who may end them', 'revoker', 1],
    ['who may end those of another tenant', 'other-revoker', 0],
    ['who may end everything', 'chief', 1],
  ])('are seen by %s as far as its tenants go', async (_who, as, count) => {
    await grant();
    expect(idsOf(await list(as))).toHaveLength(count);
  });

  test.each(['?limit=0', '?limit=1000', '?role=x', '?job=a&job=b'])('are not listed for %s', async (query) => {
    expect((await list('operator', query)).status).toBe(400);
  });

  test('are not told a client that may nothing here, nor a stranger', async () => {
    expect((await list('nobody')).status).toBe(403);
    expect((await world.call('GET /admin/v1/sessions')).status).toBe(401);
  });
});

describe('ending one session', () => {
  test('ends it, says which and by when that is felt, and keeps who did it', async () => {
    const [id, other] = [await grant(), await grant()];
    const answered = await end('revoker', { session: id.toLowerCase() });
    expect(answered.json).toMatchObject({
      ended: [{ id, role: PUBLISH, job_id: 'J1' }],
      felt: { seconds: 2, at_the_latest_seconds: 10 },
    });
    expect([await isInForce(id), await isInForce(other)]).toEqual([false, true]);
    expect(world.store.actions).toMatchObject([
      { action: 'session.end', actor: { kind: 'client', name: 'revoker' }, tenant: 'main', target: id },
    ]);
  });

  test('takes the beginning of an id that is the only one', async () => {
    const id = await grant();
    expect((await end('revoker', { session: id.slice(0, -1) })).status).toBe(200);
    const again = await end('revoker', { session: id });
    expect([again.status, again.json.reason]).toEqual([404, 'not_found']);
  });

  test('refuses the beginning of several, and what is no id', async () => {
    await grant();
    const [known] = world.store.roleSessions;
    if (known === undefined) throw new Error('nothing was granted');
    for (const id of ['SAAAA1', 'SAAAA2']) world.store.sessions.set(id, { ...known, id });
    const answered = await end('revoker', { session: 'SAAAA' });
    expect([answered.status, String(answered.json.message)]).toEqual([404, expect.stringContaining('several')]);
    expect((await end('revoker', { session: 'SAAAA2' })).status).toBe(200);
    expect((await end('revoker', { session: 'S' })).status).toBe(404);
    expect(world.store.actions).toHaveLength(1);
  });

  test.each<[string, string, number]>([
    ['an operator who may only read', 'operator', 403],
    ['an operator of another tenant, to whom it does not exist', 'other-revoker', 404],
    ['a client that may nothing here', 'nobody', 404],
  ])('is refused to %s', async (_who, as, status) => {
    const id = await grant();
    expect((await end(as, { session: id })).status).toBe(status);
    expect([await isInForce(id), world.store.actions]).toEqual([true, []]);
  });
});

describe('ending a job', () => {
  test('ends its sessions and lets it have no more', async () => {
    const [id, other] = [await grant(), await grant('J2')];
    const answered = await end('chief', { job: 'J1' });
    expect(answered.json).toMatchObject({ buried: { job_id: 'J1', issuer: ISSUER }, sessions: 1, ended: [{ id }] });
    expect([await isInForce(id), await isInForce(other)]).toEqual([false, true]);
    expect(await reasonOf(await world.exchange(await world.issuer.idToken()))).toBe('job_ended');
    expect(world.store.actions).toMatchObject([
      { action: 'job.end', tenant: null, target: `job J1 of ${ISSUER}`, detail: { job: 'J1', issuer: ISSUER } },
    ]);
  });

  test('that holds nothing keeps it from ever getting anything', async () => {
    expect((await end('chief', { job: 'J1', issuer: ISSUER })).json.ended).toEqual([]);
    expect(await reasonOf(await world.exchange(await world.issuer.idToken()))).toBe('job_ended');
  });

  test('is refused to operators of some tenants, and of an issuer that is not registered', async () => {
    await grant();
    expect((await end('revoker', { job: 'J1' })).status).toBe(403);
    expect((await end('chief', { job: 'J1', issuer: 'https://other.example.com' })).status).toBe(404);
    expect((await end('chief', { job: 'J1', session: 'S1' })).status).toBe(400);
    for (const job of ['', 'J1\0', 'J 1', 'J'.repeat(256)]) expect((await end('chief', { job })).status).toBe(400);
    expect(world.store.actions).toEqual([]);
  });
});

describe('an epoch', () => {
  test.each([ROLE, TENANT, { scope: 'issuer', name: ISSUER }, { scope: 'all' }])(
    'of $scope ends and counts what was granted before, and a newer token is good again',
    async (scope) => {
      const id = await grant();
      const answered = await raise('chief', scope);
      const at = world.clock.nowSeconds();
      expect(answered.json).toMatchObject({ epoch: { ...scope, at }, sessions: 1, more: false });
      expect(await isInForce(id)).toBe(false);
      expect(await reasonOf(await world.exchange(await world.issuer.idToken()))).toBe('epoch_raised');
      world.clock.advance(1);
      expect(await isInForce(await grant())).toBe(true);
      const target = 'name' in scope ? `${scope.scope} ${scope.name}` : 'all';
      const tenant = scope === ROLE || scope === TENANT ? 'main' : null;
      expect(world.store.actions).toMatchObject([{ action: 'epoch.raise', target, tenant }]);
      expect((await world.call('GET /admin/v1/epochs', { as: 'chief' })).json.epochs).toEqual([{ ...scope, at }]);
    },
  );

  test.each<[string, string, JsonObject, number]>([
    ['a role by its tenant’s operator', 'revoker', ROLE, 200],
    ['a tenant by its operator', 'revoker', TENANT, 200],
    ['a role by another tenant’s operator', 'other-revoker', ROLE, 403],
    ['an issuer by a tenant’s operator', 'revoker', { scope: 'issuer', name: ISSUER }, 403],
    ['everything by a tenant’s operator', 'revoker', { scope: 'all' }, 403],
    ['a role by who may only read', 'operator', ROLE, 403],
    ['a role that there is not', 'chief', { scope: 'role', name: 'main/publish' }, 404],
    ['a tenant that there is not', 'chief', { scope: 'tenant', name: 'mian' }, 404],
    ['an issuer that is not registered', 'chief', { scope: 'issuer', name: `${ISSUER}/` }, 404],
    ['no scope', 'chief', {}, 400],
    ['another scope', 'chief', { scope: 'group', name: 'artifacts' }, 400],
    ['everything, by a name', 'chief', { scope: 'all', name: 'x' }, 400],
    ['a role without a name', 'chief', { scope: 'role' }, 400],
    ['a role with NUL in its name', 'chief', { scope: 'role', name: 'main/publish-web\0' }, 400],
  ])('of %s is answered with its status', async (_what, as, scope, status) => {
    expect((await raise(as, scope)).status).toBe(status);
    expect(world.store.actions.length).toBe(status === 200 ? 1 : 0);
    expect((await freeze(as, scope)).status).toBe(status);
  });

  test('of a role that was deleted ends what is left of it', async () => {
    await grant();
    world.policies.files.delete(`${PUBLISH}.yaml`);
    await reloaded(world.policies);
    expect((await raise('chief', ROLE)).json.sessions).toBe(1);
  });

  test('is raised, and a job ended, also when the store cannot say in time what there is to end', async () => {
    const id = await grant();
    world.store.listSessions = () => Promise.reject(new Error('too many'));
    expect((await end('chief', { job: 'J1' })).json).toMatchObject({
      buried: { job_id: 'J1' },
      sessions: 1,
      ended: [],
    });
    expect(await isInForce(id)).toBe(false);
    expect((await raise('chief', TENANT)).json).toMatchObject({ epoch: TENANT, sessions: 0, more: true });
    expect(await world.store.listEpochs()).toMatchObject([TENANT]);
  });

  test('is raised, and a job ended, before the store has said what there is to end', async () => {
    const id = await grant();
    const { buryJobs, raiseEpoch } = world.store;
    const looks: PromiseWithResolvers<never>[] = [];
    const lookedInVain = (): void => looks.pop()?.reject(new Error('too late'));
    world.store.listSessions = () => {
      const look = Promise.withResolvers<never>();
      looks.push(look);
      return look.promise;
    };
    world.store.buryJobs = (...asked) => buryJobs.apply(world.store, asked).finally(lookedInVain);
    world.store.raiseEpoch = (...asked) => raiseEpoch.apply(world.store, asked).finally(lookedInVain);
    expect((await end('chief', { job: 'J1' })).status).toBe(200);
    expect(await isInForce(id)).toBe(false);
    expect((await raise('chief', TENANT)).status).toBe(200);
    expect(await world.store.listEpochs()).toMatchObject([TENANT]);
  });

  test('is shown to operators of its tenant', async () => {
    await raise('chief', ROLE);
    await raise('chief', { scope: 'tenant', name: 'other' });
    await raise('chief', { scope: 'all' });
    const seen = async (as: string) => {
      const { json } = await world.call('GET /admin/v1/epochs', { as });
      return (json.epochs as JsonObject[]).map(({ scope }) => scope);
    };
    expect([await seen('operator'), await seen('other-revoker'), await seen('nobody')]).toEqual([
      ['all', 'role'],
      ['all', 'tenant'],
      [],
    ]);
  });
});

describe('a freeze', () => {
  test('stops granting until it is lifted, and what was granted goes on', async () => {
    const id = await grant();
    expect((await freeze('revoker', TENANT)).json).toEqual({
      ...TENANT,
      frozen: true,
      was_frozen: false,
      reach: 'tenant',
    });
    const refused = await world.exchange(await world.issuer.idToken());
    expect([refused.status, refused.json.error, refused.headers['retry-after']]).toEqual([
      503,
      'temporarily_unavailable',
      '1',
    ]);
    expect(await reasonOf(refused)).toBe('granting_frozen');
    expect(await isInForce(id)).toBe(true);
    const since = world.clock.nowSeconds();
    expect((await world.call('GET /admin/v1/freeze', { as: 'operator' })).json.freezes).toEqual([
      { ...TENANT, since, reach: 'tenant' },
    ]);
    expect((await freeze('revoker', TENANT)).json.was_frozen).toBe(true);
    expect((await freeze('revoker', TENANT, false)).json).toEqual({ ...TENANT, frozen: false, was_frozen: true });
    await grant();
    expect(world.store.actions.map(({ action }) => action)).toEqual(['freeze.on', 'freeze.on', 'freeze.off']);
  });

  test('is lifted also from what is there no longer', async () => {
    await freeze('chief', ROLE);
    world.policies.files.delete(`${PUBLISH}.yaml`);
    await reloaded(world.policies);
    expect((await freeze('chief', ROLE, false)).json.was_frozen).toBe(true);
    expect((await freeze('other-revoker', ROLE, false)).status).toBe(403);
  });
});

/** The change is in force once the role is unknown. */
async function reloaded(policies: MemoryPolicies): Promise<void> {
  policies.changed();
  for (let turn = 0; turn < 50; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    const { json } = await world.call('POST /admin/v1/evaluate', {
      as: 'root',
      json: { role: PUBLISH, claims: { iss: ISSUER } },
    });
    if (json.reason === 'role_unknown') return;
  }
  throw new Error('the policies were not read again');
}
