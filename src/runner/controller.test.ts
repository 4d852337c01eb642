import { describe, expect, it } from 'vitest';
import { Secret } from '../base/core/secret.ts';
import { createController, type JobStart } from './controller.ts';
import type { Transport } from './http.ts';

const START: JobStart = {
  idempotencyKey: 'run.build.1',
  facts: {
    owner: { name: 'acme', id: '42' },
    pipeline: { name: 'web', id: '7' },
    workflow: 'pipeline',
    job: 'build',
    runId: 'r1',
    runNumber: '1',
    runAttempt: '1',
    ref: 'refs/heads/main',
    refType: 'branch',
    refProtected: false,
    sha: 'a'.repeat(40),
    event: 'manual',
    actor: { name: 'you', id: 'uid-1' },
    environmentProtected: false,
    runnerId: 'laptop',
    runnerEnvironment: 'self-hosted',
    fork: false,
    interactive: false,
    extra: {},
    awsSessionTags: [],
  },
  audiences: ['http://sts.test'],
  timeoutSeconds: 600,
  heartbeatSeconds: 15,
};

function controllerAnswering(...answers: readonly (() => Response)[]) {
  const calls: { url: string; headers: unknown; body: unknown }[] = [];
  const transport: Transport = {
    fetch: async (input, init) => {
      calls.push({ url: String(input), headers: init?.headers, body: JSON.parse(String(init?.body)) });
      const answer = answers[calls.length - 1];
      if (answer === undefined) throw new TypeError('fetch failed');
      return answer();
    },
    sleep: async () => undefined,
  };
  const credential = { url: 'http://ci.test', client: 'lap:top', secret: new Secret('s+e c'), local: false };
  return { controller: createController(transport, credential), calls };
}

const STARTED = { job_id: 'J1', deadline: 1600, request_url: 'http://ci.test/t?v=1', request_token: 'rt' };

describe('a controller', () => {
  it('starts a job with its facts and its client secret', async () => {
    const { controller, calls } = controllerAnswering(() => Response.json(STARTED, { status: 201 }));
    const started = await controller.startJob(START);
    expect(started).toMatchObject({ ok: true, value: { jobId: 'J1', deadline: 1600 } });
    expect(started.ok && started.value.identity.requestToken.reveal()).toBe('rt');
    expect(calls[0]).toMatchObject({
      url: 'http://ci.test/v1/jobs',
      headers: { authorization: `Basic ${btoa('lap%3Atop:s%2Be+c')}` },
      body: {
        idempotency_key: 'run.build.1',
        owner: { name: 'acme', id: '42' },
        fork: false,
        environment: null,
        heartbeat_seconds: 15,
      },
    });
  });

  it('asks again with the same key when the answer was lost', async () => {
    const { controller, calls } = controllerAnswering(
      () => new Response('', { status: 502 }),
      () => Response.json(STARTED),
    );
    expect(await controller.startJob(START)).toMatchObject({ ok: true });
    expect(calls[1]?.body).toEqual(calls[0]?.body);
  });

  it('finishes for longer than it does anything else', async () => {
    const lost = () => new Response('', { status: 503 });
    const { controller, calls } = controllerAnswering(lost, lost, lost, lost, lost, () => new Response('{}'));
    expect(await controller.finish('J/1')).toEqual({ ok: true, value: [] });
    expect(calls).toHaveLength(6);
    expect(calls[0]?.url).toBe('http://ci.test/v1/jobs/J%2F1/finish');
  });

  it('learns who hears that the job is over', async () => {
    const told = [
      { audience: 'https://sts.test', heard: 'event', tokens_until: 7 },
      { audience: 'cloud', heard: 'nobody', tokens_until: null },
      { audience: 'x' },
      1,
    ];
    const { controller } = controllerAnswering(() => Response.json({ status: 'ended', told }));
    expect(await controller.finish('J1')).toEqual({
      ok: true,
      value: [
        { audience: 'https://sts.test', heard: 'event', tokensUntil: 7 },
        { audience: 'cloud', heard: 'nobody', tokensUntil: null },
      ],
    });
  });

  it('learns from a heartbeat that the job is over', async () => {
    const { controller } = controllerAnswering(() => Response.json({ reason: 'access_denied' }, { status: 409 }));
    expect(await controller.heartbeat('J1')).toMatchObject({ ok: false, error: { kind: 'denied' } });
  });

  it('gets a narrower request token for a step', async () => {
    const { controller, calls } = controllerAnswering(() =>
      Response.json({ request_url: 'u', request_token: 'n' }, { status: 201 }),
    );
    expect(await controller.narrow('J1', ['a'])).toMatchObject({ ok: true, value: { requestUrl: 'u' } });
    expect(calls[0]).toMatchObject({ url: 'http://ci.test/v1/jobs/J1/request-tokens', body: { audiences: ['a'] } });
  });

  it.each([{}, { ...STARTED, deadline: 'soon' }, { ...STARTED, request_token: 1 }])(
    'fails on the answer %j',
    async (body) => {
      const { controller } = controllerAnswering(() => Response.json(body));
      expect(await controller.startJob(START)).toMatchObject({ ok: false, error: { kind: 'failed' } });
    },
  );
});
