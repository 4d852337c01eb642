// The whole life of a job on the real store: what the in-memory one promises holds there too.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  askIdToken,
  CLOUD_AUDIENCE,
  claimsOf,
  issuerWorldOn,
  NOW,
  STS_AUDIENCE,
  startJob,
  text,
} from '../../test/fakes/issuer-world.ts';
import { isJsonObject } from '../base/core/json.ts';
import { openSqliteIssuer } from '../storage/sqlite/open.ts';

const openWorld = async () => issuerWorldOn(await openSqliteIssuer({ memory: true }));
let world: Awaited<ReturnType<typeof openWorld>>;

beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.store.close());

const poll = async (): Promise<readonly string[]> => {
  const answer = await world.call('POST /v1/events/poll', { as: 'sts', json: { returnImmediately: true } });
  const sets = isJsonObject(answer.json.sets) ? answer.json.sets : {};
  return Object.values(sets).flatMap((token) => {
    const subject = claimsOf(String(token)).sub_id;
    return isJsonObject(subject) && typeof subject.sub === 'string' ? [subject.sub] : [];
  });
};
const isActive = async (token: string): Promise<unknown> =>
  (await world.call('POST /v1/introspect', { as: 'sts', form: { token } })).json.active;
const finish = (id: string) => world.call(`POST /v1/jobs/${id}/finish`, { as: 'woodpecker' });

describe('a job on SQLite', () => {
  test('gets a token that is active until the job ends, and then everyone hears of it', async () => {
    const job = await startJob(world, { extra_claims: { 'acme.example/team': 'red' }, environment: 'production' });
    const token = text(await askIdToken(world, job), 'value');
    expect(claimsOf(token)).toMatchObject({ 'acme.example/team': 'red', environment: 'production', job_id: job.id });
    expect(await isActive(token)).toBe(true);
    expect(await poll()).toEqual([]);
    await finish(job.id);
    expect(await isActive(token)).toBe(false);
    expect(await poll()).toEqual([job.id]);
    expect((await askIdToken(world, job)).status).toBe(403);
  });

  test('is started once by many starts at once, each with a token that works', async () => {
    const starts = await Promise.all(Array.from({ length: 10 }, () => startJob(world)));
    expect(starts.filter(({ answer }) => answer.status === 201)).toHaveLength(1);
    expect(new Set(starts.map(({ id }) => id)).size).toBe(1);
    for (const job of starts) expect((await askIdToken(world, job, CLOUD_AUDIENCE)).status).toBe(200);
  });

  test('that ends while tokens are made leaves no token that nobody hears of', async () => {
    for (let round = 0; round < 20; round += 1) {
      const job = await startJob(world, { idempotency_key: `round-${round}` });
      const asks = Array.from({ length: 4 }, () => askIdToken(world, job));
      const [answers] = await Promise.all([Promise.all(asks), finish(job.id)]);
      for (const answer of answers) {
        expect([200, 403]).toContain(answer.status);
        if (answer.status === 200) expect(await isActive(text(answer, 'value'))).toBe(false);
      }
      const given = answers.some(({ status }) => status === 200);
      expect((await poll()).includes(job.id)).toBe(given);
    }
  });

  test('that is overdue is ended by the first call that meets it', async () => {
    const job = await startJob(world, { heartbeat_seconds: 10 });
    await askIdToken(world, job, STS_AUDIENCE);
    world.clock.advance(10);
    const shown = await world.call(`GET /v1/jobs/${job.id}`, { as: 'woodpecker' });
    expect(shown.json).toMatchObject({ status: 'ended', end_reason: 'heartbeat_missed', ended_at: NOW + 10 });
    expect(await poll()).toEqual([job.id]);
  });
});
