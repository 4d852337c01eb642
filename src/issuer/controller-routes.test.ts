// What controllers may start, see and finish, and what they are told when not.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  askIdToken,
  CLOUD_AUDIENCE,
  ISSUER_URL,
  issuerWorld,
  NOW,
  START,
  STS_AUDIENCE,
  startJob,
  text,
} from '../../test/fakes/issuer-world.ts';

const lastReason = (world: ReturnType<typeof issuerWorld>): unknown => world.log.at(-1)?.fields.reason;

describe('starting a job', () => {
  test('gives the job what it needs to ask for tokens, and nothing else', async () => {
    const world = issuerWorld();
    const { answer, id, requestToken } = await startJob(world);
    const requestUrl = `${ISSUER_URL}/v1/jobs/${id}/id-token?v=1`;
    expect(answer.status).toBe(201);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.json).toEqual({
      job_id: id,
      deadline: NOW + 3600,
      request_url: requestUrl,
      request_token: requestToken,
      env: {
        ACTIONS_ID_TOKEN_REQUEST_URL: requestUrl,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken,
        JOBPASS_ISSUER: ISSUER_URL,
        JOBPASS_JOB_ID: id,
      },
    });
  });

  test('keeps the request token as a hash only, and out of the log', async () => {
    const world = issuerWorld();
    const { requestToken } = await startJob(world);
    const kept = JSON.stringify([[...world.store.requestTokens], [...world.store.jobs], world.log]);
    expect(requestToken).toMatch(/^jpr_[\w-]{43}$/);
    expect(kept).not.toContain(requestToken.slice(4));
  });

  test('under the same key is answered with the same job and one more token', async () => {
    const world = issuerWorld();
    const first = await startJob(world);
    const second = await startJob(world);
    expect(second.answer.status).toBe(200);
    expect(second.id).toBe(first.id);
    expect(second.requestToken).not.toBe(first.requestToken);
    for (const job of [first, second]) expect((await askIdToken(world, job)).status).toBe(200);
  });

  test('under the same key with other facts is a conflict', async () => {
    const world = issuerWorld();
    await startJob(world);
    const { answer } = await startJob(world, { sha: 'other' });
    expect([answer.status, answer.json.reason, lastReason(world)]).toEqual([409, 'conflict', 'idempotency_conflict']);
  });

  test('under the key of another controller is another job', async () => {
    const world = issuerWorld();
    const first = await startJob(world);
    const second = await startJob(world, { owner: { name: 'other', id: '50' } }, 'jenkins');
    expect(second.answer.status).toBe(201);
    expect(second.id).not.toBe(first.id);
  });

  test('again after it ended is refused', async () => {
    const world = issuerWorld();
    const { id } = await startJob(world);
    await world.call(`POST /v1/jobs/${id}/finish`, { as: 'woodpecker' });
    const { answer } = await startJob(world);
    expect([answer.status, lastReason(world)]).toEqual([409, 'job_ended']);
  });

  test('again after its deadline is refused, though no sweeper ran', async () => {
    const world = issuerWorld();
    await startJob(world);
    world.clock.advance(3600);
    const { answer } = await startJob(world);
    expect([answer.status, lastReason(world)]).toEqual([409, 'job_ended']);
  });

  test('gives at most sixteen request tokens', async () => {
    const world = issuerWorld();
    for (let count = 0; count < 16; count += 1) expect((await startJob(world)).answer.status).toBeLessThan(300);
    const { answer } = await startJob(world);
    expect([answer.status, answer.json.reason, lastReason(world)]).toEqual([429, 'limited', 'too_many_request_tokens']);
  });

  test.each([
    ['the id of another', { name: 'acme', id: '43' }],
    ['the name of another', { name: 'labs', id: '42' }],
    ['a foreign owner', { name: 'other', id: '50' }],
    ['another case', { name: 'Acme', id: '42' }],
  ])('for an owner with %s is refused', async (_what, owner) => {
    const world = issuerWorld();
    const { answer } = await startJob(world, { owner });
    expect([answer.status, answer.json.reason, lastReason(world)]).toEqual([
      403,
      'access_denied',
      'owner_not_permitted',
    ]);
    expect(world.store.jobs.size).toBe(0);
  });

  test('whose names make too long a subject is refused at once', async () => {
    const world = issuerWorld();
    const { answer } = await startJob(world, { ref: `refs/heads/${'x'.repeat(240)}` });
    expect([answer.status, lastReason(world)]).toEqual([400, 'subject_too_long']);
  });

  test('whose claims would not fit into a token is refused at once', async () => {
    const world = issuerWorld();
    const long = '字'.repeat(255);
    const members = ['workflow', 'workflow_ref', 'workflow_sha', 'job', 'run_id', 'run_number', 'run_attempt'];
    const others = ['sha', 'base_ref', 'head_ref', 'event', 'trigger'];
    const { answer } = await startJob(world, Object.fromEntries([...members, ...others].map((name) => [name, long])));
    expect([answer.status, lastReason(world)]).toEqual([400, 'facts_invalid']);
  });

  test('is refused to clients that are no controllers, and to nobody', async () => {
    const world = issuerWorld();
    const { answer } = await startJob(world, {}, 'sts');
    expect([answer.status, lastReason(world)]).toEqual([403, 'client_not_permitted']);
    const stranger = await startJob(world, {}, 'stranger');
    expect([stranger.answer.status, lastReason(world)]).toEqual([401, 'client_unknown']);
  });

  test('is refused when the store fails, as something to try again', async () => {
    const world = issuerWorld();
    world.store.before = () => {
      throw new Error('disk full');
    };
    const { answer } = await startJob(world);
    expect([answer.status, answer.json.reason]).toEqual([503, 'unavailable']);
    expect(answer.text).not.toContain('disk');
  });
});

describe('the body of a start', () => {
  test('is answered with every problem at once, and without its values', async () => {
    const world = issuerWorld();
    const { answer } = await startJob(world, {
      owner: { name: ' acme', id: '' },
      ref: 'refs/tags/v1',
      sha: 'hush\u0000',
      surprise: 1,
      timeout_seconds: 0,
      environment_protected: true,
      extra_claims: { ref: 'x' },
      runner_environment: 'Local',
      fork: undefined,
    });
    const message = text(answer, 'message');
    expect(answer.status).toBe(400);
    for (const member of ['owner.name', 'owner.id', 'sha', 'surprise', 'timeout_seconds', 'ref_type']) {
      expect(message).toContain(member);
    }
    for (const member of ['environment_protected', 'extra_claims."ref"', 'runner_environment', 'fork']) {
      expect(message).toContain(member);
    }
    expect(message).toMatch(/^10 problems: /);
    expect(message).not.toContain('hush');
  });

  test.each<[string, Record<string, unknown>]>([
    ['an empty name', { job: '' }],
    ['a number for an id', { run_id: 1001 }],
    ['a control character', { actor: { name: 'a\u001b[2J', id: '1' } }],
    ['a line separator', { workflow: 'a\u2028b' }],
    ['spaces around', { ref: 'refs/heads/main ' }],
    ['256 characters', { sha: 'x'.repeat(256) }],
    ['an unknown member', { repo: 'x' }],
    ['an unknown member of the owner', { owner: { ...START.owner, admin: true } }],
    ['no idempotency key', { idempotency_key: undefined }],
    ['silence about forks', { fork: undefined }],
    ['silence about a debug shell', { interactive: undefined }],
    ['a flag in words', { fork: 'false' }],
    ['a timeout beyond the bound', { timeout_seconds: 86_401 }],
    ['half a second', { timeout_seconds: 0.5 }],
    ['a heartbeat of nothing', { heartbeat_seconds: 0 }],
    ['an unknown kind of ref', { ref: 'trunk', ref_type: 'note' }],
    ['a branch said to be a tag', { ref_type: 'tag' }],
    ['a protected environment that is not there', { environment_protected: true }],
    ['a head pipeline without a fork', { head_pipeline_id: '8' }],
    ['no runner environment', { runner_environment: undefined }],
    ['a runner environment that only local jobs have', { runner_environment: 'local' }],
    ['an audience twice', { audiences: ['a', 'a'] }],
    ['a wildcard for an audience', { audiences: ['*'] }],
    ['the issuer itself for an audience', { audiences: [ISSUER_URL] }],
    ['the issuer itself with a slash', { audiences: [`${ISSUER_URL}/`] }],
    ['an empty audience', { audiences: [''] }],
    ['too long an audience', { audiences: ['x'.repeat(256)] }],
    ['too many audiences', { audiences: Array.from({ length: 21 }, (_, at) => `a${at}`) }],
    ['an extra claim outside the prefix', { extra_claims: { 'labs.example/team': 'x' } }],
    ['an extra claim that is the prefix', { extra_claims: { 'acme.example/': 'x' } }],
    ['an extra claim that is no string', { extra_claims: { 'acme.example/n': 1 } }],
    ['an extra claim with a space', { extra_claims: { 'acme.example/a b': 'x' } }],
    [
      'too many extra claims',
      { extra_claims: Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`acme.example/${at}`, 'x'])) },
    ],
    ['a session tag of no claim', { aws_session_tags: ['password'] }],
    ['a session tag twice', { aws_session_tags: ['ref', 'ref'] }],
  ])('with %s is refused', async (_what, changes) => {
    const world = issuerWorld();
    const { answer } = await startJob(world, changes);
    expect([answer.status, lastReason(world)]).toEqual([400, 'facts_invalid']);
    expect(text(answer, 'message')).toMatch(/^1 problem: /);
    expect(world.store.jobs.size).toBe(0);
  });

  test('may say null for what there is not', async () => {
    const world = issuerWorld();
    const none = { environment: null, base_ref: null, heartbeat_seconds: null, trigger: null };
    expect((await startJob(world, none)).answer.status).toBe(201);
  });

  test('with a name twice is refused: two readers could see two jobs', async () => {
    const world = issuerWorld();
    const body = JSON.stringify(START).replace('{', '{"fork":true,');
    const route = world.issuer.routes.find(({ path }) => path === '/v1/jobs');
    const answer = await route?.handle({
      ...{ method: 'POST', params: {}, query: '', remoteAddress: '', signal: new AbortController().signal },
      ...{ headers: { authorization: 'Client woodpecker' }, body: new TextEncoder().encode(body) },
    });
    expect([answer?.status, lastReason(world)]).toEqual([400, 'request_malformed']);
  });

  test('of a controller without a prefix has no extra claims', async () => {
    const world = issuerWorld();
    const changes = { owner: { name: 'other', id: '50' }, extra_claims: { 'acme.example/team': 'red' } };
    const { answer } = await startJob(world, changes, 'jenkins');
    expect([answer.status, lastReason(world)]).toEqual([400, 'facts_invalid']);
  });
});

describe('a local controller', () => {
  test('starts local jobs only, whatever it says', async () => {
    const world = issuerWorld();
    const said = { environment: 'production', environment_protected: true, runner_environment: 'github-hosted' };
    const { id } = await startJob(world, said, 'laptop');
    expect(world.store.jobs.get(id)?.facts).toMatchObject({
      local: true,
      runnerEnvironment: 'local',
      refProtected: false,
      environmentProtected: false,
    });
  });

  test('need not name a runner environment', async () => {
    const { answer } = await startJob(issuerWorld(), { runner_environment: undefined }, 'laptop');
    expect(answer.status).toBe(201);
  });
});

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

describe('a refusal', () => {
  test('has one id for the caller and the operator, and its evidence for the operator only', async () => {
    const world = issuerWorld();
    const { answer } = await startJob(world, { owner: { name: 'other', id: '50' } });
    const line = world.log.at(-1);
    expect(answer.json).toEqual({
      message: 'this is not permitted',
      reason: 'access_denied',
      decision_id: line?.fields.decision,
    });
    expect(line).toMatchObject({
      level: 'warn',
      message: 'refused',
      fields: { who: 'client:woodpecker', route: 'POST /v1/jobs', detail: 'owner {"name":"other","id":"50"}' },
    });
    expect(text(answer, 'decision_id')).toMatch(/^D[0-9A-Z]{12}$/);
  });

  test('of strangers is written down at most twenty times a minute; of clients always', async () => {
    const world = issuerWorld();
    for (let count = 0; count < 30; count += 1) await startJob(world, {}, 'stranger');
    expect(world.log.length).toBe(20);
    for (let count = 0; count < 30; count += 1) await startJob(world, {}, 'sts');
    expect(world.log.length).toBe(50);
    world.clock.advance(60);
    await startJob(world, {}, 'stranger');
    expect(world.log.at(-1)?.fields.unwritten_before).toBe(10);
  });
});
