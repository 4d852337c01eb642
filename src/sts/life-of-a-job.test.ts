// The STS beside our own issuer, with nothing between them but requests: a job's identity is exchanged, and dies with it.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { networkOf } from '../../test/fakes/issuer-network.ts';
import { askIdToken, type IssuerWorld, issuerWorld, startJob, text } from '../../test/fakes/issuer-world.ts';
import { StsWorld } from '../../test/fakes/sts-world.ts';
import { MAX_STALENESS_MS } from '../base/core/limits.ts';

let ci: IssuerWorld;
let world: StsWorld;

beforeEach(async () => {
  ci = issuerWorld();
  world = await StsWorld.start({ fetch: networkOf(ci) });
});
afterEach(() => world.close());

const refusedAs = async (response: { json: Record<string, unknown> }): Promise<unknown> => {
  const shown = await world.call(`GET /admin/v1/decisions/${response.json.decision_id}`, { as: 'root' });
  return (shown.json.decision as { reason?: unknown }).reason;
};

test('a job’s token is exchanged while the job runs, and its session ends with it', async () => {
  const job = await startJob(ci);
  const token = text(await askIdToken(ci, job), 'value');
  const granted = await world.exchange(token);
  expect(granted.status).toBe(200);
  expect(world.store.sessions.get(String(granted.json.session_id))).toMatchObject({ jobId: job.id, jobBound: true });

  await ci.call(`POST /v1/jobs/${job.id}/finish`, { as: 'woodpecker' });
  await vi.waitFor(() => expect(world.store.ended.map((end) => end.sessionId)).toEqual([granted.json.session_id]));
  expect(await refusedAs(await world.exchange(token))).toBe('job_ended');
});

test('a job that ended while nothing was heard from the feed is refused by introspection', async () => {
  const job = await startJob(ci);
  const token = text(await askIdToken(ci, job), 'value');
  await ci.call(`POST /v1/jobs/${job.id}/finish`, { as: 'woodpecker' });
  world.clock.advanceMs(MAX_STALENESS_MS + 1);
  expect(await refusedAs(await world.exchange(token))).toBe('job_ended');
  expect(world.store.sessions.size).toBe(0);
});

test('a session never outlives the deadline that the controller set', async () => {
  const job = await startJob(ci, { timeout_seconds: 120 });
  const granted = await world.exchange(text(await askIdToken(ci, job), 'value'));
  expect(granted.json.expires_in).toBe(120);
});
