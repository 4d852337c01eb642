// Buildkite’s wire to the same tokens: the job may only narrow.
import { describe, expect, test } from 'vitest';
import {
  type Answer,
  claimsOf,
  type IssuerWorld,
  issuerWorld,
  NOW,
  STS_AUDIENCE,
  startJob,
  text,
} from '../../test/fakes/issuer-world.ts';

const lastReason = (world: IssuerWorld): unknown => world.log.at(-1)?.fields.reason;

const askBuildkite = (
  world: IssuerWorld,
  job: { readonly id: string; readonly requestToken: string },
  json: unknown,
): Promise<Answer> =>
  world.call(`POST /v3/jobs/${job.id}/oidc/tokens`, { json, headers: { authorization: `Token ${job.requestToken}` } });

describe('Buildkite’s wire', () => {
  const ask = { audience: STS_AUDIENCE };

  test('gives the same token under its own member', async () => {
    const world = issuerWorld();
    const answer = await askBuildkite(world, await startJob(world), ask);
    expect([answer.status, Object.keys(answer.json)]).toEqual([200, ['token']]);
    expect(claimsOf(text(answer, 'token')).aud).toBe(STS_AUDIENCE);
  });

  test.each([
    [60, 60],
    [0, 600],
    [86_400, 600],
  ])('a lifetime of %i gives %i seconds', async (lifetime, seconds) => {
    const world = issuerWorld();
    const answer = await askBuildkite(world, await startJob(world), { ...ask, lifetime });
    expect(claimsOf(text(answer, 'token')).exp).toBe(NOW + seconds);
  });

  test('a claim that the token carries may be asked for, and tags may be fewer', async () => {
    const world = issuerWorld();
    const job = await startJob(world, { aws_session_tags: ['owner_id', 'ref'] });
    const answer = await askBuildkite(world, job, { ...ask, claims: ['pipeline_id'], aws_session_tags: ['ref'] });
    expect(claimsOf(text(answer, 'token'))['https://aws.amazon.com/tags']).toEqual({
      principal_tags: { ref: ['refs/heads/main'] },
    });
  });

  test.each([
    ['a claim that the token has not', { ...ask, claims: ['cluster_id'] }, 'request_malformed'],
    ['a tag that the record has not', { ...ask, aws_session_tags: ['ref'] }, 'request_malformed'],
    ['a subject of its own', { ...ask, subject_claim: 'pipeline_id' }, 'request_malformed'],
    ['no audience', {}, 'request_malformed'],
    ['a negative lifetime', { ...ask, lifetime: -1 }, 'duration_invalid'],
    ['a body that is no object', 'x', 'request_malformed'],
  ])('refuses %s', async (_what, body, reason) => {
    const world = issuerWorld();
    const answer = await askBuildkite(world, await startJob(world), body);
    expect([answer.status, lastReason(world)]).toEqual([400, reason]);
    expect(world.store.tokens.size).toBe(0);
  });

  test('refuses GitHub’s scheme', async () => {
    const world = issuerWorld();
    const job = await startJob(world);
    const headers = { authorization: `Bearer ${job.requestToken}` };
    const answer = await world.call(`POST /v3/jobs/${job.id}/oidc/tokens`, { json: ask, headers });
    expect([answer.status, lastReason(world)]).toEqual([401, 'token_missing']);
  });
});
