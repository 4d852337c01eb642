// The body of a start: every problem at once, and each one alone is enough.
import { describe, expect, test } from 'vitest';
import { ISSUER_URL, issuerWorld, START, startJob, text } from '../../test/fakes/issuer-world.ts';

const lastReason = (world: ReturnType<typeof issuerWorld>): unknown => world.log.at(-1)?.fields.reason;

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
