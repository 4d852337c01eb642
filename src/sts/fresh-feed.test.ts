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

const started: StsWorld[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((world) => world.close()));
});

async function stsBeside(ci: IssuerWorld, audiences: readonly string[] = [STS_AUDIENCE]): Promise<StsWorld> {
  const world = await StsWorld.start({ fetch: networkOf(ci), registration: { audiences } });
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
