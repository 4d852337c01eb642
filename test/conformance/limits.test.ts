// Too many requests, in the form of every route: before anything is read, and once it is known whose they are.
import { afterEach, describe, expect, test } from 'vitest';
import { serveRoutes } from '../../src/app/server/serve-routes.ts';
import { failure } from '../../src/base/core/reasons.ts';
import { type Limits, rateLimits } from '../../src/base/limit/rate-limits.ts';
import { FrozenClock } from '../fakes/frozen-clock.ts';
import { askIdToken, issuerWorld, startJob } from '../fakes/issuer-world.ts';
import { StsWorld } from '../fakes/sts-world.ts';
import { expectedAnswers } from './four-wires/answers.ts';
import { CLAIMS, folderOf } from './four-wires/policies.ts';
import { WIRES } from './four-wires/wires.ts';

const GENEROUS = { perSecond: 1000, burst: 1000 };

/** Limits with one kind at `burst`, one a second afterwards. */
const tight = (kind: 'client' | 'issuer' | 'job', burst: number, clock: FrozenClock): Limits =>
  rateLimits(
    { source: GENEROUS, client: GENEROUS, issuer: GENEROUS, job: GENEROUS, [kind]: { perSecond: 1, burst } },
    { clock },
  );

let world: StsWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

describe('of one address', () => {
  const refusing: Limits = { check: (kind, name) => (kind === 'source' ? failure('rate_limited', name) : undefined) };

  test('every route of the STS says so in its own form, with the time to come again, and the store hears nothing', async () => {
    world = await StsWorld.start();
    const server = serveRoutes({
      routes: world.sts.routes,
      ready: async () => true,
      log: world.log,
      tls: null,
      limits: refusing,
    });
    const told = new Map<string, unknown>();
    for (const { method, path } of world.sts.routes) {
      const url = path.replaceAll(/:[a-z]+/g, 'main');
      const answer = await server.inject({ method, url, payload: 'a=b', headers: { 'content-type': 'a/b' } });
      expect([path, answer.headers['retry-after']]).toEqual([path, '1']);
      const [, code] = /<Code>(\w+)</.exec(answer.body) ?? [];
      const json = code === undefined ? answer.json() : {};
      told.set(`${method} ${path}`, `${answer.statusCode} ${code ?? json.error?.status ?? json.error ?? json.reason}`);
    }
    await server.close();
    expect(Object.fromEntries(told)).toMatchObject({
      'POST /token': '429 temporarily_unavailable',
      'POST /introspect': '429 temporarily_unavailable',
      'POST /revoke': '429 temporarily_unavailable',
      'POST /': '400 Throttling',
      'POST /:tenant/oauth2/v2.0/token': '429 temporarily_unavailable',
      'POST /v1/token': '429 temporarily_unavailable',
      'POST /v1/projects/-/serviceAccounts/:call': '429 RESOURCE_EXHAUSTED',
      'GET /v1/feed': '429 limited',
      'GET /.well-known/jwks': '429 limited',
    });
    expect(world.store.decisions).toEqual([]);
    expect(world.sts.routes.length).toBe(told.size);
  });

  test('health is told all the same', async () => {
    const log = { info() {}, warn() {}, error() {} };
    const server = serveRoutes({ routes: [], ready: async () => true, log, tls: null, limits: refusing });
    expect((await server.inject('/healthz')).statusCode).toBe(200);
    expect((await server.inject('/nowhere')).statusCode).toBe(429);
    await server.close();
  });
});

describe.each(['job', 'issuer'] as const)('of one %s', (kind) => {
  test.each(WIRES.map((adapter) => [adapter.wire, adapter] as const))(
    'are refused over %s, in memory alone, and taken again a second later',
    async (wire, { ask }) => {
      const clock = new FrozenClock();
      world = await StsWorld.start({ policies: folderOf({ trust: CLAIMS }), limits: tight(kind, 1, clock) });
      const sts = world;
      const token = () => sts.issuer.idToken();
      expect((await ask(sts, await token())).granted).toBe(true);
      const limited = await ask(sts, await token());
      expect([limited.granted, limited.status, limited.code]).toEqual([
        false,
        ...expectedAnswers('rate_limited')[wire],
      ]);
      const shown = await sts.call(`GET /admin/v1/decisions/${limited.decisionId}`, { as: 'root' });
      expect(shown.json.decision).toMatchObject({ reason: 'rate_limited', wire });
      expect(sts.store.decisions).toHaveLength(1);
      clock.advance(1);
      expect((await ask(sts, await token())).granted).toBe(true);
    },
  );
});

test('a job that asks too often uses nothing up of what its issuer’s other jobs have', async () => {
  const clock = new FrozenClock();
  const rates = {
    source: GENEROUS,
    client: GENEROUS,
    job: { perSecond: 1, burst: 1 },
    issuer: { perSecond: 1, burst: 2 },
  };
  world = await StsWorld.start({ limits: rateLimits(rates, { clock }) });
  const isLimited = async (job: string) =>
    (await world?.exchange((await world.issuer.idToken({ job_id: job })) ?? ''))?.json.reason === 'limited';
  const limited = [];
  for (const job of ['J1', 'J1', 'J1', 'J2', 'J3']) limited.push(await isLimited(job));
  expect(limited).toEqual([false, true, true, false, true]);
});

test('what an operator evaluates uses nothing up', async () => {
  world = await StsWorld.start({ limits: tight('job', 1, new FrozenClock()) });
  const token = await world.issuer.idToken();
  for (let time = 0; time < 3; time += 1) {
    const answer = await world.call('POST /admin/v1/evaluate', {
      as: 'operator',
      json: { role: 'main/publish-web', token },
    });
    expect(answer.json.decision).toBe('allow');
  }
  expect((await world.exchange(token)).status).toBe(200);
});

test('of one client are refused once it is known which, and others are not', async () => {
  world = await StsWorld.start({ limits: tight('client', 1, new FrozenClock()) });
  const ask = async (as: string) => (await world?.call('GET /admin/v1/decisions', { as }))?.status;
  const statuses = [];
  for (const as of ['operator', 'operator', 'root', 'stranger']) statuses.push(await ask(as));
  expect(statuses).toEqual([200, 429, 200, 401]);
});

test('of one job at its issuer are refused, and another job’s are not', async () => {
  const issuer = issuerWorld({ limits: tight('job', 1, new FrozenClock()) });
  const [one, other] = [await startJob(issuer), await startJob(issuer, { idempotency_key: 'another' })];
  const [first, second, third] = [
    await askIdToken(issuer, one),
    await askIdToken(issuer, one),
    await askIdToken(issuer, other),
  ];
  expect([first.status, second.status, second.json.reason, third.status]).toEqual([200, 429, 'limited', 200]);
  expect(second.headers['retry-after']).toBe('1');
});
