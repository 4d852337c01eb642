// What a fresh feed proves: an STS beside our own issuer, both on the loss of whatever one of them relied on.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { networkOf } from '../../test/fakes/issuer-network.ts';
import {
  askIdToken,
  CLOUD_AUDIENCE,
  type IssuerWorld,
  issuerWorld,
  STS_AUDIENCE,
  startJob,
  text,
} from '../../test/fakes/issuer-world.ts';
import { type StsAnswer, StsWorld } from '../../test/fakes/sts-world.ts';
import type { GuardedFetch } from '../base/ports/fetch.ts';

const started: StsWorld[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((world) => world.close()));
});

async function stsBeside(
  ci: IssuerWorld,
  audiences: readonly string[] = [STS_AUDIENCE],
  fetch: GuardedFetch = networkOf(ci),
): Promise<StsWorld> {
  const world = await StsWorld.start({ fetch, registration: { audiences } });
  started.push(world);
  await world.sts.issuersAsked();
  return world;
}

/** The operator's reason of a refusal. */
async function reasonOf(world: StsWorld, refused: StsAnswer): Promise<unknown> {
  const found = await world.call(`GET /admin/v1/decisions/${text(refused, 'decision_id')}`, { as: 'root' });
  return (found.json.decision as { reason?: unknown } | undefined)?.reason;
}

const finish = (ci: IssuerWorld, id: string) => ci.call(`POST /v1/jobs/${id}/finish`, { as: 'woodpecker' });

describe('an audience that the STS accepts and the issuer does not tell it about', () => {
  test('keeps the feed from counting as heard, says what to do, and the end of the job is learnt by asking', async () => {
    const ci = issuerWorld();
    const world = await stsBeside(ci, [STS_AUDIENCE, CLOUD_AUDIENCE]);
    const isProblem = ({ message }: { message: string }): boolean => message === 'the feed of ended jobs is not live';
    const line = await vi.waitUntil(() => world.log.lines.find(isProblem));
    expect(String(line?.fields.problem)).toContain(CLOUD_AUDIENCE);
    expect(String(line?.fields.problem)).toContain('events');
    const job = await startJob(ci);
    const token = text(await askIdToken(ci, job, STS_AUDIENCE), 'value');
    const other = text(await askIdToken(ci, job, CLOUD_AUDIENCE), 'value');
    expect((await world.exchange(token)).status).toBe(200);
    expect(await reasonOf(world, await world.exchange(other))).toBe('job_ended');
    await finish(ci, job.id);
    await vi.waitFor(() => expect(world.store.tombstones.size).toBe(1), { timeout: 3000 });
    expect(await reasonOf(world, await world.exchange(token))).toBe('job_ended');
    expect(await reasonOf(world, await world.exchange(other))).toBe('job_ended');
  });
});

describe('an STS whose database is not the one it was', () => {
  test('hears of ends that the lost one had acknowledged, and asks about tokens from before', async () => {
    const ci = issuerWorld();
    const before = await stsBeside(ci);
    const job = await startJob(ci);
    const token = text(await askIdToken(ci, job), 'value');
    await finish(ci, job.id);
    await vi.waitFor(() => expect(before.store.tombstones.size).toBe(1), { timeout: 3000 });
    // The acknowledgement goes with the next poll.
    await vi.waitFor(() => expect(ci.store.acknowledged.size).toBe(1), { timeout: 3000 });
    await before.close();

    const after = await stsBeside(ci);
    expect(await reasonOf(after, await after.exchange(token))).toBe('job_ended');
    await vi.waitFor(() => expect(after.store.tombstones.size).toBe(1), { timeout: 3000 });
  });

  test('asks the issuer about every token from before its store’s time, however fresh the feed', async () => {
    const ci = issuerWorld();
    const network = networkOf(ci);
    const asked: string[] = [];
    const fetch: GuardedFetch = (request) => {
      asked.push(new URL(request.url).pathname);
      return network(request);
    };
    const world = await stsBeside(ci, [STS_AUDIENCE], fetch);
    const introspections = () => asked.filter((path) => path === '/v1/introspect').length;
    const exchangeOne = async () =>
      (await world.exchange(text(await askIdToken(ci, await startJob(ci)), 'value'))).status;
    const isLive = () => world.log.lines.some(({ message }) => message === 'the feed of ended jobs is live');
    await vi.waitFor(() => expect(isLive()).toBe(true));
    ci.clock.advance(30);
    expect([await exchangeOne(), introspections()]).toEqual([200, 1]);
    ci.clock.advance(1);
    world.clock.advance(5);
    expect([await exchangeOne(), introspections()]).toEqual([200, 1]);
  });

  test('is another store for gateways and issuers from each start on: a copy put back looks like the original', async () => {
    const ci = issuerWorld();
    const world = await stsBeside(ci);
    const first = world.store.ownIdentity;
    expect(first).toMatchObject({ bornAt: world.clock.nowSeconds() });
    await world.sts.close();
    await world.sts.start();
    expect((await world.store.identity()).id).not.toBe(first.id);
  });
});

describe('two STS under one client name', () => {
  test('both hear of every end', async () => {
    const ci = issuerWorld();
    const [one, two] = [await stsBeside(ci), await stsBeside(ci)];
    const job = await startJob(ci);
    const token = text(await askIdToken(ci, job), 'value');
    expect([(await one.exchange(token)).status, (await two.exchange(token)).status]).toEqual([200, 200]);
    await finish(ci, job.id);
    await vi.waitFor(() => expect([one.store.ended.length, two.store.ended.length]).toEqual([1, 1]), { timeout: 3000 });
  });
});

describe('an issuer that cannot record the end of a job', () => {
  test('is asked instead of believed, and its job gets nothing more', async () => {
    const ci = issuerWorld();
    const world = await stsBeside(ci);
    const job = await startJob(ci, { heartbeat_seconds: 15 });
    const token = text(await askIdToken(ci, job), 'value');
    ci.store.before = (operation) => {
      if (operation === 'endJob') throw new Error('disk full');
    };
    ci.clock.advanceMs(120_000);
    world.clock.advanceMs(120_000);
    expect(['job_ended', 'job_status_unknown']).toContain(await reasonOf(world, await world.exchange(token)));
    const isStale = () => world.log.lines.some(({ message }) => message === 'the feed of ended jobs is not live');
    await vi.waitFor(() => expect(isStale()).toBe(true), { timeout: 5000 });
    expect(['job_ended', 'job_status_unknown']).toContain(await reasonOf(world, await world.exchange(token)));
    expect(world.store.sessions.size).toBe(0);
  });
});
