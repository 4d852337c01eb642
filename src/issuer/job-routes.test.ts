// ID tokens: who gets one, for what, for how long, and what it says.
import { describe, expect, test } from 'vitest';
import {
  type Answer,
  askIdToken,
  CLOUD_AUDIENCE,
  claimsOf,
  ISSUER_URL,
  type IssuerWorld,
  issuerWorld,
  NOW,
  STS_AUDIENCE,
  startJob,
  text,
} from '../../test/fakes/issuer-world.ts';
import type { JsonObject } from '../base/core/json.ts';
import { parseJws } from '../base/jwt/jws.ts';
import { verifyJws } from '../base/jwt/verify.ts';

const lastReason = (world: IssuerWorld): unknown => world.log.at(-1)?.fields.reason;
const claimsIn = (answer: Answer): JsonObject => claimsOf(text(answer, 'value'));

const askBuildkite = (
  world: IssuerWorld,
  job: { readonly id: string; readonly requestToken: string },
  json: unknown,
): Promise<Answer> =>
  world.call(`POST /v3/jobs/${job.id}/oidc/tokens`, { json, headers: { authorization: `Token ${job.requestToken}` } });

describe('an ID token', () => {
  test('says what the record says, and nothing else', async () => {
    const world = issuerWorld();
    const job = await startJob(world, { extra_claims: { 'acme.example/team': 'red' }, aws_session_tags: ['owner_id'] });
    const answer = await askIdToken(world, job);
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.json)).toEqual(['value']);
    expect(answer.headers['cache-control']).toBe('no-store');
    const { jti, ...claims } = claimsIn(answer);
    expect(jti).toMatch(/^[\w-]{22}$/);
    expect(claims).toEqual({
      iss: ISSUER_URL,
      sub: 'owner:acme@42:pipeline:web@7:ref:refs/heads/main',
      sub127: 'owner:acme@42:pipeline:web@7:ref:refs/heads/main',
      aud: STS_AUDIENCE,
      iat: NOW,
      nbf: NOW,
      exp: NOW + 600,
      owner: 'acme',
      owner_id: '42',
      pipeline: 'web',
      pipeline_id: '7',
      workflow: 'release',
      run_id: '1001',
      run_number: '12',
      run_attempt: '1',
      job: 'publish',
      job_id: job.id,
      ref: 'refs/heads/main',
      ref_type: 'branch',
      ref_protected: 'true',
      sha: '4be1f0c',
      event: 'push',
      actor: 'ada',
      actor_id: '9',
      runner_id: 'r1',
      runner_environment: 'self-hosted',
      fork: 'false',
      interactive: 'false',
      job_deadline: String(NOW + 3600),
      'acme.example/team': 'red',
      'https://aws.amazon.com/tags': { principal_tags: { owner_id: ['42'] } },
    });
  });

  test('is signed by a published key as typ JWT', async () => {
    const world = issuerWorld();
    const parsed = parseJws(text(await askIdToken(world, await startJob(world)), 'value'));
    if (!parsed.ok) throw new Error(parsed.error.detail);
    expect(parsed.value.header).toEqual({ alg: 'ES256', kid: 'test', typ: 'JWT' });
    const verified = await verifyJws(parsed.value, world.keys.verificationKeys(), { algorithms: ['ES256'] });
    expect(verified.ok).toBe(true);
  });

  test('is another one each time, and each is recorded', async () => {
    const world = issuerWorld();
    const job = await startJob(world);
    const ids = [await askIdToken(world, job), await askIdToken(world, job)].map((answer) => claimsIn(answer).jti);
    expect(new Set(ids).size).toBe(2);
    expect([...world.store.tokens.keys()]).toEqual(ids);
    expect([...world.store.tokens.values()][0]).toMatchObject({
      jobId: job.id,
      audience: STS_AUDIENCE,
      expiresAt: NOW + 600,
    });
  });

  test('never outlives the deadline', async () => {
    const world = issuerWorld();
    const job = await startJob(world, { timeout_seconds: 100 });
    world.clock.advance(99);
    expect(claimsIn(await askIdToken(world, job)).exp).toBe(NOW + 100);
    world.clock.advance(1);
    expect((await askIdToken(world, job)).status).toBe(403);
    expect(lastReason(world)).toBe('job_ended');
    expect(world.store.jobs.get(job.id)?.endReason).toBe('deadline');
  });

  test('under GitHub’s profile carries GitHub’s names', async () => {
    const world = issuerWorld({ settings: { profile: 'github' } });
    const claims = claimsIn(await askIdToken(world, await startJob(world)));
    expect(claims).toMatchObject({ repository: 'acme/web', repository_owner_id: '42', event_name: 'push' });
    expect(claims.sub).toBe('repo:acme@42/web@7:ref:refs/heads/main');
  });

  test('of a local job has a local subject and no true flag', async () => {
    const world = issuerWorld();
    const claims = claimsIn(await askIdToken(world, await startJob(world, {}, 'laptop')));
    expect(claims).toMatchObject({ runner_environment: 'local', ref_protected: 'false' });
    expect(claims.sub).toBe('local:owner:acme@42:pipeline:web@7:ref:refs/heads/main');
  });
});

describe('the job’s own word changes nothing', () => {
  test('in the query', async () => {
    const world = issuerWorld();
    const job = await startJob(world);
    const lies =
      '&sub=admin&ref=refs/heads/other&job_id=J1&exp=9999999999&iss=https://evil.example&environment=production';
    const answer = await world.call(`GET /v1/jobs/${job.id}/id-token?v=1&audience=${STS_AUDIENCE}${lies}`, {
      headers: {
        authorization: `bearer ${job.requestToken}`,
        'x-forwarded-host': 'evil.example',
        host: 'evil.example',
      },
    });
    const told = claimsIn(answer);
    const plain = claimsIn(await askIdToken(world, job));
    expect({ ...told, jti: '' }).toEqual({ ...plain, jti: '' });
  });

  test('in the body of Buildkite’s wire', async () => {
    const world = issuerWorld();
    const job = await startJob(world);
    const lies = { sub: 'admin', environment: 'production', job_id: 'J1', exp: 9_999_999_999 };
    const told = claimsOf(text(await askBuildkite(world, job, { audience: STS_AUDIENCE, ...lies }), 'token'));
    const plain = claimsIn(await askIdToken(world, job));
    expect({ ...told, jti: '' }).toEqual({ ...plain, jti: '' });
  });
});

describe('an ID token is refused', () => {
  test('to the request token of another job, of no job, and for a job that is not there, all alike', async () => {
    const world = issuerWorld();
    const mine = await startJob(world);
    const other = await startJob(world, { idempotency_key: 'other' });
    const answers = [
      await askIdToken(world, { id: mine.id, requestToken: other.requestToken }),
      await askIdToken(world, { id: mine.id, requestToken: `${mine.requestToken}x` }),
      await askIdToken(world, { id: 'J0000NOTHERE0', requestToken: mine.requestToken }),
      await askIdToken(world, { id: 'J0000NOTHERE0', requestToken: 'jpr_none' }),
    ];
    for (const { status, json } of answers) {
      expect([status, { ...json, decision_id: '' }]).toEqual([
        401,
        { message: 'the token is not valid here', reason: 'token_invalid', decision_id: '' },
      ]);
    }
    expect(lastReason(world)).toBe('request_token_invalid');
    expect(world.store.tokens.size).toBe(0);
  });

  test.each([
    ['no audience', 'v=1', 'request_malformed', 400],
    ['two audiences', `v=1&audience=${STS_AUDIENCE}&audience=${CLOUD_AUDIENCE}`, 'request_malformed', 400],
    ['an audience that is not the job’s', 'v=1&audience=https://elsewhere.example', 'audience_not_permitted', 403],
    ['an audience in another case', `v=1&audience=${STS_AUDIENCE.toUpperCase()}`, 'audience_not_permitted', 403],
    ['an audience with more to it', `v=1&audience=${STS_AUDIENCE}/`, 'audience_not_permitted', 403],
  ])('for %s', async (_what, query, reason, status) => {
    const world = issuerWorld();
    const job = await startJob(world);
    const answer = await world.call(`GET /v1/jobs/${job.id}/id-token?${query}`, {
      headers: { authorization: `Bearer ${job.requestToken}` },
    });
    expect([answer.status, lastReason(world)]).toEqual([status, reason]);
    expect(answer.json).not.toHaveProperty('value');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(text(answer, 'message')).not.toBe('');
  });

  test('to a job that may ask for nothing', async () => {
    const world = issuerWorld();
    const job = await startJob(world, { audiences: undefined });
    expect((await askIdToken(world, job)).status).toBe(403);
  });

  test('once the job is finished', async () => {
    const world = issuerWorld();
    const job = await startJob(world);
    await world.call(`POST /v1/jobs/${job.id}/finish`, { as: 'woodpecker' });
    expect((await askIdToken(world, job)).status).toBe(403);
    expect(lastReason(world)).toBe('job_ended');
  });

  test('once the job was silent for too long, though no sweeper ran', async () => {
    const world = issuerWorld();
    const job = await startJob(world, { heartbeat_seconds: 10 });
    world.clock.advance(9);
    expect((await askIdToken(world, job)).status).toBe(200);
    world.clock.advance(1);
    expect((await askIdToken(world, job)).status).toBe(403);
    expect(world.store.jobs.get(job.id)?.endReason).toBe('heartbeat_missed');
  });

  test('when the job ends while it is made: the store has the last word', async () => {
    const world = issuerWorld();
    const job = await startJob(world);
    world.store.before = async (operation) => {
      if (operation !== 'recordToken') return;
      world.store.before = () => undefined;
      await world.call(`POST /v1/jobs/${job.id}/finish`, { as: 'woodpecker' });
    };
    const answer = await askIdToken(world, job);
    expect([answer.status, lastReason(world)]).toEqual([403, 'job_ended']);
    expect(world.store.tokens.size).toBe(0);
  });

  test('when it cannot be recorded, as something to try again', async () => {
    const world = issuerWorld();
    const job = await startJob(world);
    world.store.before = (operation) => {
      if (operation === 'recordToken') throw new Error('disk full');
    };
    const answer = await askIdToken(world, job);
    expect([answer.status, answer.json.reason]).toEqual([503, 'unavailable']);
    expect(answer.json).not.toHaveProperty('value');
  });
});

describe('a job from a fork', () => {
  const fork = { fork: true, head_pipeline_id: '8', environment: 'production', event: 'pull_request' };

  test.each([
    ['none by default', { allow: false, audiences: [] }, 403],
    ['none when they are off, whatever the list says', { allow: false, audiences: [STS_AUDIENCE] }, 403],
    ['none when the list is empty', { allow: true, audiences: [] }, 403],
    ['none for another audience', { allow: true, audiences: [CLOUD_AUDIENCE] }, 403],
    ['one for a listed audience', { allow: true, audiences: [STS_AUDIENCE] }, 200],
  ])('gets %s', async (_what, forks, status) => {
    const world = issuerWorld({ settings: { forks } });
    expect((await askIdToken(world, await startJob(world, fork))).status).toBe(status);
    if (status === 403) expect(lastReason(world)).toBe('fork_not_permitted');
  });

  test('never carries environment or protection, and no prefix of the pipeline’s', async () => {
    const world = issuerWorld({ settings: { forks: { allow: true, audiences: [STS_AUDIENCE] } } });
    const claims = claimsIn(await askIdToken(world, await startJob(world, fork)));
    expect(claims.sub).toBe('fork:owner:acme@42:pipeline:web@7:ref:refs/heads/main');
    for (const absent of ['environment', 'environment_protected', 'ref_protected'])
      expect(claims).not.toHaveProperty(absent);
  });
});
