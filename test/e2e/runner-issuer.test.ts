// The runner's side of the issuer's routes against the issuer itself: both codecs must mean the same. Nothing listens.
import { describe, expect, it } from 'vitest';
import { presentedClient } from '../../src/base/client-auth/presented.ts';
import { Secret } from '../../src/base/core/secret.ts';
import type { GitFacts } from '../../src/runner/ci/git-facts.ts';
import { jobFacts, type Trigger } from '../../src/runner/ci/job-facts.ts';
import { readPipeline } from '../../src/runner/ci/pipeline.ts';
import { readJobEnvironment, requestIdToken, type Transport } from '../../src/runner/client.ts';
import { createController, type JobStart, type RequestCredential } from '../../src/runner/controller.ts';
import { whoami } from '../../src/runner/whoami.ts';
import { CLOUD_AUDIENCE, ISSUER_URL, type IssuerWorld, issuerWorld, STS_AUDIENCE } from '../fakes/issuer-world.ts';

const GIT: GitFacts = {
  root: '/repo',
  sha: '4be1f0c'.padEnd(40, '0'),
  ref: 'refs/heads/main',
  refType: 'branch',
  actor: { name: 'You', id: 'uid-1000' },
  dirty: false,
};
const PIPELINE = `owner: {name: acme, id: "42"}
pipeline: {name: web, id: "7"}
jobs: {publish: {environment: production, audiences: ["${STS_AUDIENCE}", ${CLOUD_AUDIENCE}], run: ["true"]}}
`;

/** Carries requests to the issuer's routes; the client is the one that the request names. */
function transportTo(world: IssuerWorld): Transport {
  return {
    async fetch(input, init) {
      const url = new URL(String(input));
      const headers = Object.fromEntries(new Headers(init?.headers));
      const body = new TextEncoder().encode(String(init?.body ?? ''));
      const request = {
        method: 'POST',
        params: {},
        query: '',
        headers,
        body,
        remoteAddress: '',
        signal: AbortSignal.abort(),
      };
      const presented = headers.authorization?.startsWith('Basic ') ? presentedClient(request, undefined) : undefined;
      const name = presented?.ok && presented.value.kind === 'secret' ? presented.value.name : undefined;
      const answer = await world.call(`${init?.method} ${url.pathname}${url.search}`, {
        ...(name === undefined ? { headers } : { as: name }),
        ...(body.length === 0 ? {} : { json: JSON.parse(String(init?.body)) }),
      });
      return new Response(answer.text, { status: answer.status });
    },
    sleep: async () => undefined,
  };
}

function controllerOf(world: IssuerWorld, client: string) {
  const credential = { url: ISSUER_URL, client, secret: new Secret('of its own'), local: client === 'laptop' };
  return createController(transportTo(world), credential);
}

function startOf(how: { readonly local?: boolean; readonly trigger?: Trigger } = {}): JobStart {
  const pipeline = readPipeline({ file: 'pipeline.yaml', text: PIPELINE });
  const job = pipeline.ok ? pipeline.value.jobs[0] : undefined;
  if (!pipeline.ok || job === undefined) throw new Error('the pipeline is good');
  const identity = { runId: 'r1', runnerId: 'host', local: how.local ?? false };
  return {
    idempotencyKey: 'r1.publish.1',
    facts: jobFacts(pipeline.value, job, { git: GIT, trigger: how.trigger ?? {}, identity }),
    audiences: job.audiences,
    timeoutSeconds: job.timeoutSeconds,
    heartbeatSeconds: 15,
  };
}

const envOf = (identity: RequestCredential) => ({
  ACTIONS_ID_TOKEN_REQUEST_URL: identity.requestUrl,
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: identity.requestToken.reveal(),
});

describe('the runner and the issuer', () => {
  it('agree on the life of a job', async () => {
    const world = issuerWorld();
    const controller = controllerOf(world, 'woodpecker');
    const started = await controller.startJob(startOf());
    if (!started.ok) throw new Error(started.error.message);
    const { jobId, identity } = started.value;
    expect(readJobEnvironment(envOf(identity))).toMatchObject({ ok: true });

    const asking = { env: envOf(identity), audience: STS_AUDIENCE };
    const token = await requestIdToken(transportTo(world), asking);
    expect(token).toMatchObject({
      ok: true,
      value: {
        claims: {
          sub: 'owner:acme@42:pipeline:web@7:environment:production',
          job_id: jobId,
          runner_environment: 'self-hosted',
        },
      },
    });
    expect(await whoami(transportTo(world), asking)).toMatchObject({
      value: { audience: STS_AUDIENCE, issuer: ISSUER_URL },
    });

    expect(await controller.heartbeat(jobId)).toMatchObject({ ok: true });
    expect(await controller.finish(jobId)).toMatchObject({ ok: true });
    expect(await controller.finish(jobId)).toMatchObject({ ok: true });
    expect(await controller.heartbeat(jobId)).toMatchObject({ error: { kind: 'denied' } });
    expect(await requestIdToken(transportTo(world), asking)).toMatchObject({
      error: { kind: 'denied', reason: 'access_denied' },
    });
  });

  it('agree on a repeated start: the same job, one more request token', async () => {
    const controller = controllerOf(issuerWorld(), 'woodpecker');
    const [first, second] = [await controller.startJob(startOf()), await controller.startJob(startOf())];
    expect(first.ok && second.ok && second.value.jobId === first.value.jobId).toBe(true);
    expect(
      first.ok &&
        second.ok &&
        second.value.identity.requestToken.reveal() !== first.value.identity.requestToken.reveal(),
    ).toBe(true);
  });

  it('agree on narrowing: the step’s token reaches its own audience only', async () => {
    const world = issuerWorld();
    const controller = controllerOf(world, 'woodpecker');
    const started = await controller.startJob(startOf());
    const narrow = started.ok ? await controller.narrow(started.value.jobId, [CLOUD_AUDIENCE]) : started;
    if (!narrow.ok) throw new Error(narrow.error.message);
    const env = envOf(narrow.value);
    expect(await requestIdToken(transportTo(world), { env, audience: CLOUD_AUDIENCE })).toMatchObject({ ok: true });
    expect(await requestIdToken(transportTo(world), { env, audience: STS_AUDIENCE })).toMatchObject({
      error: { kind: 'denied' },
    });
  });

  it('agree on local jobs and on forks', async () => {
    const world = issuerWorld({ settings: { forks: { allow: true, audiences: [STS_AUDIENCE] } } });
    const trigger = { fork: true, headPipelineId: '99', event: 'pull_request' };
    for (const [client, start, subject] of [
      ['laptop', startOf({ local: true }), /^local:owner:acme@42:/],
      ['woodpecker', startOf({ trigger }), /^fork:owner:acme@42:/],
    ] as const) {
      const started = await controllerOf(world, client).startJob(start);
      if (!started.ok) throw new Error(started.error.message);
      const token = await requestIdToken(transportTo(world), {
        env: envOf(started.value.identity),
        audience: STS_AUDIENCE,
      });
      expect(token.ok ? token.value.claims.sub : token.error.message).toMatch(subject);
    }
  });

  it('a controller that is not local cannot start local jobs', async () => {
    const refused = await controllerOf(issuerWorld(), 'woodpecker').startJob(startOf({ local: true }));
    expect(refused).toMatchObject({ ok: false, error: { kind: 'failed', reason: 'request_invalid' } });
    expect(refused.ok ? '' : refused.error.message).toContain('runner_environment');
  });
});
