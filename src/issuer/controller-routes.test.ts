// What controllers may see, keep alive and finish, and what of others they never learn.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ASKING_AUDIENCE,
  askIdToken,
  CLOUD_AUDIENCE,
  issuerWorld,
  NOW,
  STS_AUDIENCE,
  startJob,
  text,
} from '../../test/fakes/issuer-world.ts';

const lastReason = (world: ReturnType<typeof issuerWorld>): unknown => world.log.at(-1)?.fields.reason;

describe('a running job', () => {
  test('is described to its controller', async () => {
    const world = issuerWorld();
    const { id } = await startJob(world, { heartbeat_seconds: 30 });
    const shown = await world.call(`GET /v1/jobs/${id}`, { as: 'woodpecker' });
    expect(shown.json).toEqual({
      job_id: id,
      status: 'running',
      subject: 'owner:acme@42:pipeline:web@7:ref:refs/heads/main',
      audiences: [STS_AUDIENCE, CLOUD_AUDIENCE],
      started_at: NOW,
      deadline: NOW + 3600,
      heartbeat_seconds: 30,
      last_heartbeat_at: NOW,
      ended_at: null,
      end_reason: null,
    });
  });

  test('lives on with every heartbeat, but never past its deadline', async () => {
    const world = issuerWorld();
    const { id } = await startJob(world, { heartbeat_seconds: 30, timeout_seconds: 100 });
    for (const after of [25, 50, 75, 99]) {
      world.clock.advance(NOW + after - world.clock.nowSeconds());
      const beat = await world.call(`POST /v1/jobs/${id}/heartbeat`, { as: 'woodpecker' });
      expect([beat.status, beat.json.last_heartbeat_at, beat.json.deadline]).toEqual([200, NOW + after, NOW + 100]);
    }
    world.clock.advance(1);
    const late = await world.call(`POST /v1/jobs/${id}/heartbeat`, { as: 'woodpecker' });
    expect([late.status, lastReason(world)]).toEqual([409, 'job_ended']);
    expect(world.store.jobs.get(id)?.endReason).toBe('deadline');
  });

  test('that was silent for too long is over, and a late one does not raise it', async () => {
    const world = issuerWorld();
    const { id } = await startJob(world, { heartbeat_seconds: 30 });
    world.clock.advance(30);
    const late = await world.call(`POST /v1/jobs/${id}/heartbeat`, { as: 'woodpecker' });
    expect([late.status, lastReason(world)]).toEqual([409, 'job_ended']);
    expect(world.store.jobs.get(id)).toMatchObject({ endReason: 'heartbeat_missed', endedAt: NOW + 30 });
  });

  test('is finished with what cannot be called back: who hears of it, for each audience that it got a token for', async () => {
    const world = issuerWorld();
    const unheard = 'https://nobody.example.com';
    const { id, requestToken } = await startJob(world, {
      audiences: [STS_AUDIENCE, CLOUD_AUDIENCE, ASKING_AUDIENCE, unheard],
    });
    for (const audience of [unheard, ASKING_AUDIENCE, STS_AUDIENCE]) {
      expect((await askIdToken(world, { id, requestToken }, audience)).status).toBe(200);
    }
    world.clock.advance(60);
    await askIdToken(world, { id, requestToken }, unheard);
    const finished = await world.call(`POST /v1/jobs/${id}/finish`, { as: 'woodpecker' });
    expect(finished.json.told).toEqual([
      { audience: unheard, heard: 'nobody', tokens_until: NOW + 660 },
      { audience: STS_AUDIENCE, heard: 'event', tokens_until: NOW + 600 },
      { audience: ASKING_AUDIENCE, heard: 'introspection', tokens_until: NOW + 600 },
    ]);
    const again = await world.call(`POST /v1/jobs/${id}/finish`, { as: 'woodpecker' });
    expect(again.json.told).toEqual(finished.json.told);
  });

  test('is finished once; the first end wins', async () => {
    const world = issuerWorld();
    const { id } = await startJob(world);
    const first = await world.call(`POST /v1/jobs/${id}/finish`, { as: 'woodpecker', json: 'whatever' });
    world.clock.advance(10);
    const second = await world.call(`POST /v1/jobs/${id}/finish`, { as: 'woodpecker' });
    expect(first.status).toBe(200);
    expect(first.json).toMatchObject({ status: 'ended', ended_at: NOW, end_reason: 'finished' });
    expect(second.json).toEqual(first.json);
  });
});

describe('a narrower request token', () => {
  const narrow = (world: ReturnType<typeof issuerWorld>, id: string, body: unknown) =>
    world.call(`POST /v1/jobs/${id}/request-tokens`, { as: 'woodpecker', json: body });

  test('opens only its own audiences', async () => {
    const world = issuerWorld();
    const { id } = await startJob(world);
    const answer = await narrow(world, id, { audiences: [CLOUD_AUDIENCE] });
    const step = { id, requestToken: text(answer, 'request_token') };
    expect(answer.status).toBe(201);
    expect(answer.json.audiences).toEqual([CLOUD_AUDIENCE]);
    expect((await askIdToken(world, step, CLOUD_AUDIENCE)).status).toBe(200);
    expect((await askIdToken(world, step, STS_AUDIENCE)).status).toBe(403);
    expect(lastReason(world)).toBe('audience_not_permitted');
  });

  test.each([
    ['an audience the job has not', { audiences: ['https://elsewhere.example'] }, 403, 'audience_not_permitted'],
    ['no audience', { audiences: [] }, 400, 'request_malformed'],
    ['silence', {}, 400, 'request_malformed'],
    ['another member', { audiences: [STS_AUDIENCE], lifetime: 1 }, 400, 'request_malformed'],
  ])('for %s is refused', async (_what, body, status, reason) => {
    const world = issuerWorld();
    const { id } = await startJob(world);
    const answer = await narrow(world, id, body);
    expect([answer.status, lastReason(world)]).toEqual([status, reason]);
  });

  test('is bounded in number, and refused once the job is over', async () => {
    const world = issuerWorld();
    const { id } = await startJob(world);
    const body = { audiences: [STS_AUDIENCE] };
    for (let count = 1; count < 16; count += 1) expect((await narrow(world, id, body)).status).toBe(201);
    expect((await narrow(world, id, body)).status).toBe(429);
    await world.call(`POST /v1/jobs/${id}/finish`, { as: 'woodpecker' });
    const late = await narrow(world, id, body);
    expect([late.status, lastReason(world)]).toEqual([409, 'job_ended']);
  });
});

describe('a controller never sees or names what is not its own', () => {
  const routes = ['GET ', 'POST /heartbeat', 'POST /finish', 'POST /request-tokens'];
  const at = (route: string, id: string): string => {
    const [method, path = ''] = route.split(' ');
    return `${method} /v1/jobs/${id}${path}`;
  };

  test.each(routes)('another’s job and no job are one and the same answer: %s', async (route) => {
    const world = issuerWorld();
    const { id } = await startJob(world);
    const before = JSON.stringify([...world.store.jobs]);
    const answers = [];
    for (const target of [id, 'J0000NOTHERE0', '%2e%2e', '']) {
      const answer = await world.call(at(route, target), { as: 'jenkins', json: { audiences: [STS_AUDIENCE] } });
      expect(lastReason(world)).toBe('job_unknown');
      answers.push({ status: answer.status, headers: answer.headers, body: { ...answer.json, decision_id: '' } });
    }
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]?.status).toBe(404);
    expect(JSON.stringify([...world.store.jobs])).toBe(before);
  });

  const owners = fc.record({ name: fc.constantFrom('acme', 'labs', 'other'), id: fc.constantFrom('42', '43', '50') });
  const controllers = fc.constantFrom('woodpecker', 'jenkins', 'laptop');

  test('no start ever makes a job of an owner that is not one of its own', async () => {
    const own: Readonly<Record<string, readonly string[]>> = {
      woodpecker: ['acme@42', 'labs@43'],
      jenkins: ['other@50'],
      laptop: ['acme@42'],
    };
    await fc.assert(
      fc.asyncProperty(controllers, owners, async (as, owner) => {
        const world = issuerWorld();
        const { answer, id } = await startJob(world, { owner }, as);
        const mine = own[as]?.includes(`${owner.name}@${owner.id}`) ?? false;
        expect(answer.status).toBe(mine ? 201 : 403);
        expect(world.store.jobs.get(id)?.controller).toBe(mine ? as : undefined);
      }),
      { numRuns: 60 },
    );
  });

  test('no sequence of calls shows or changes a job of another', async () => {
    const step = fc.record({ as: controllers, route: fc.constantFrom(...routes), job: fc.nat({ max: 2 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const world = issuerWorld();
        const jobs = [
          { as: 'woodpecker', id: (await startJob(world)).id },
          { as: 'jenkins', id: (await startJob(world, { owner: { name: 'other', id: '50' } }, 'jenkins')).id },
          { as: 'laptop', id: (await startJob(world, {}, 'laptop')).id },
        ];
        for (const { as, route, job } of steps) {
          const target = jobs[job] ?? { as: '', id: '' };
          const before = JSON.stringify([[...world.store.jobs], world.store.requestTokens.size]);
          const answer = await world.call(at(route, target.id), { as, json: { audiences: [STS_AUDIENCE] } });
          if (target.as === as) continue;
          expect(answer.status).toBe(404);
          expect(answer.text).not.toContain(target.id);
          expect(JSON.stringify([[...world.store.jobs], world.store.requestTokens.size])).toBe(before);
        }
      }),
      { numRuns: 60 },
    );
  });
});
