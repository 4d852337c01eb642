// Starting a job: what it gives, when it is the same job again, and who may not.
import { describe, expect, test } from 'vitest';
import { askIdToken, ISSUER_URL, issuerWorld, NOW, startJob, text } from '../../test/fakes/issuer-world.ts';

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
    expect(stranger.answer.headers['www-authenticate']).toBe('Basic realm="jobpass"');
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
