import { describe, expect, it } from 'vitest';
import { err, ok } from '../../base/core/result.ts';
import { Secret } from '../../base/core/secret.ts';
import type { Controller, JobStart } from '../controller.ts';
import type { RunEvent } from './events.ts';
import type { Machine } from './machine.ts';
import type { Pipeline, PipelineJob } from './pipeline.ts';
import type { StepCommand, StepEnd } from './processes.ts';
import { type RunOptions, runPipeline } from './run.ts';

const FACTS = {
  root: '/repo',
  sha: 'a'.repeat(40),
  ref: 'refs/heads/main',
  refType: 'branch',
  actor: { name: 'you', id: 'uid-1' },
  dirty: false,
} as const;

function jobNamed(name: string, change: Partial<PipelineJob> = {}): PipelineJob {
  const steps = [{ name: 'step 1', script: name, audiences: null }];
  return { name, needs: [], environment: null, audiences: [], timeoutSeconds: 600, outputs: [], steps, ...change };
}

const pipelineOf = (...jobs: readonly PipelineJob[]): Pipeline => ({
  workflow: 'pipeline',
  owner: { name: 'acme', id: '42' },
  pipeline: { name: 'web', id: '7' },
  jobs,
});

/** A world in which every call is written down, timers go off by hand, and steps do what the test says. */
function fakeWorld(steps: (step: StepCommand) => Promise<StepEnd> | StepEnd = () => ({ kind: 'exited', code: 0 })) {
  const log: string[] = [];
  const starts: JobStart[] = [];
  const timers = new Map<() => void, number>();
  const credential = (token: string) => ({ requestUrl: 'http://ci.test/t?v=1', requestToken: new Secret(token) });
  const controller: Controller = {
    async startJob(start) {
      starts.push(start);
      log.push(`start ${start.facts.job}`);
      return ok({ jobId: `J-${start.facts.job}`, deadline: 1600, identity: credential(`rt-${start.facts.job}`) });
    },
    async heartbeat(jobId) {
      log.push(`heartbeat ${jobId}`);
      return ok(undefined);
    },
    async finish(jobId) {
      log.push(`finish ${jobId}`);
      return ok(undefined);
    },
    async narrow(jobId, audiences) {
      log.push(`narrow ${jobId} ${audiences.join()}`);
      return ok(credential(`narrow-${audiences.join()}`));
    },
  };
  const machine: Machine = {
    runnerId: 'laptop',
    newRunId: () => 'r1',
    makeRunFolder: async () => '/run',
    async openWorkspace({ job }) {
      const folder = `/run/${job}`;
      return ok({ folder, checkout: `${folder}/work`, home: `${folder}/home`, tmp: `${folder}/tmp` });
    },
    collectOutputs: async (_, patterns) => ok(patterns.map((name) => ({ name, bytes: 1 }))),
    async placeOutputs(_, need) {
      log.push(`place ${need}`);
      return ok(undefined);
    },
    async removeFolder(folder) {
      log.push(`remove ${folder}`);
      return undefined;
    },
    async runStep(step) {
      log.push(`run ${step.script}`);
      return steps(step);
    },
    after(ms, action) {
      timers.set(action, ms);
      return () => timers.delete(action);
    },
    monotonicMs: () => 0,
  };
  return { log, starts, timers, controller, machine };
}

type World = ReturnType<typeof fakeWorld>;

async function runIn(world: World, pipeline: Pipeline, change: Partial<RunOptions> = {}) {
  const events: RunEvent[] = [];
  const result = await runPipeline({
    pipeline,
    facts: FACTS,
    controller: world.controller,
    local: false,
    machine: world.machine,
    report: (event) => events.push(event),
    signal: new AbortController().signal,
    concurrency: 2,
    stepEnvironment: { PATH: '/bin' },
    ...change,
  });
  if (!result.ok) throw new Error(result.error.message);
  return { ...result.value, events, outcomes: result.value.jobs.map(({ job, outcome }) => `${job} ${outcome}`) };
}

/** A step that ends when it is stopped. */
const untilStopped = (step: StepCommand): Promise<StepEnd> =>
  new Promise((resolve) => {
    if (step.stop.aborted) resolve({ kind: 'killed', signal: 'SIGTERM' });
    step.stop.addEventListener('abort', () => resolve({ kind: 'killed', signal: 'SIGTERM' }));
  });

/** Lets the timers of this length go off. */
function fire(world: World, length: number): void {
  for (const [action, ms] of [...world.timers]) {
    if (ms === length && world.timers.delete(action)) action();
  }
}

/** Lets everything that can happen without a timer happen. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a job', () => {
  it('is started, run, finished and deleted, in this order', async () => {
    const world = fakeWorld();
    const run = await runIn(world, pipelineOf(jobNamed('build')));
    expect(run).toMatchObject({ outcome: 'succeeded', exitCode: 0 });
    expect(world.log).toEqual(['start build', 'run build', 'finish J-build', 'remove /run/build', 'remove /run']);
    expect(world.timers.size).toBe(0);
    expect(run.events.map((event) => event.kind)).toEqual([
      'run_started',
      'job_started',
      'step_started',
      'step_finished',
      'job_finished',
    ]);
  });

  it('states facts of the file and of git, and never a protection', async () => {
    const world = fakeWorld();
    await runIn(world, pipelineOf(jobNamed('publish', { environment: 'production', audiences: ['sts'] })));
    expect(world.starts[0]).toMatchObject({
      idempotencyKey: 'r1.publish.1',
      audiences: ['sts'],
      timeoutSeconds: 600,
      facts: {
        owner: { id: '42' },
        pipeline: { id: '7' },
        workflow: 'pipeline',
        ref: 'refs/heads/main',
        refProtected: false,
        environment: 'production',
        environmentProtected: false,
        runnerEnvironment: 'self-hosted',
        fork: false,
        event: 'manual',
      },
    });
  });

  it('of a local controller says so, and one from a fork says whence', async () => {
    const world = fakeWorld();
    await runIn(world, pipelineOf(jobNamed('preview')), {
      local: true,
      trigger: { fork: true, headPipelineId: '99', event: 'pull_request' },
    });
    expect(world.starts[0]?.facts).toMatchObject({
      runnerEnvironment: 'local',
      fork: true,
      headPipelineId: '99',
      event: 'pull_request',
    });
  });

  it('without audiences gets no identity; with them gets its own', async () => {
    const seen: Record<string, string | undefined> = {};
    const world = fakeWorld((step) => {
      seen[step.script] = step.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN;
      return { kind: 'exited', code: 0 };
    });
    await runIn(world, pipelineOf(jobNamed('plain'), jobNamed('publish', { audiences: ['sts'] })));
    expect(seen).toEqual({ plain: undefined, publish: 'rt-publish' });
  });

  it('gives a step that narrows a request token of its own, and one with no audience none', async () => {
    const seen: (string | undefined)[] = [];
    const world = fakeWorld((step) => {
      seen.push(step.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN);
      return { kind: 'exited', code: 0 };
    });
    const steps = [['a', 'b'], ['a'], [], null].map((audiences, index) => ({
      name: `${index}`,
      script: 'x',
      audiences,
    }));
    await runIn(world, pipelineOf(jobNamed('publish', { audiences: ['a', 'b'], steps })));
    expect(seen).toEqual(['rt-publish', 'narrow-a', undefined, 'rt-publish']);
    expect(world.log.filter((line) => line.startsWith('narrow'))).toEqual(['narrow J-publish a']);
  });

  it('has its request tokens masked in its output', async () => {
    const world = fakeWorld((step) => {
      step.onOutput('stdout', Buffer.from('my token is rt-publish\n'));
      return { kind: 'exited', code: 0 };
    });
    const run = await runIn(world, pipelineOf(jobNamed('publish', { audiences: ['a'] })));
    expect(run.events).toContainEqual({ kind: 'output', job: 'publish', stream: 'stdout', line: 'my token is ***' });
    expect(JSON.stringify(run.events)).not.toContain('rt-publish');
  });

  it('that fails is finished and deleted, and no later step runs', async () => {
    const world = fakeWorld(() => ({ kind: 'exited', code: 3 }));
    const steps = ['one', 'two'].map((script) => ({ name: script, script, audiences: null }));
    const run = await runIn(world, pipelineOf(jobNamed('build', { steps })));
    expect(run).toMatchObject({ outcome: 'failed', exitCode: 1, jobs: [{ message: 'one ended with exit code 3' }] });
    expect(world.log).toEqual(['start build', 'run one', 'finish J-build', 'remove /run/build', 'remove /run']);
  });

  it('that takes too long is stopped, finished and said to have timed out', async () => {
    const world = fakeWorld(untilStopped);
    const running = runIn(world, pipelineOf(jobNamed('build', { timeoutSeconds: 60 })));
    await settle();
    fire(world, 60_000);
    expect(await running).toMatchObject({ outcomes: ['build timed_out'], outcome: 'failed', exitCode: 1 });
    expect(world.log).toContain('finish J-build');
    expect(world.timers.size).toBe(0);
  });

  it('sends heartbeats, and stops when the issuer says that it is over', async () => {
    const world = fakeWorld(untilStopped);
    const over = { ...world.controller, heartbeat: async () => err({ kind: 'denied', message: 'over' } as const) };
    let beats = 0;
    const controller = {
      ...over,
      heartbeat: async (jobId: string) => (++beats < 3 ? world.controller.heartbeat(jobId) : over.heartbeat()),
    };
    const running = runIn({ ...world, controller }, pipelineOf(jobNamed('build')));
    for (let at = 0; at < 3; at += 1) {
      await settle();
      fire(world, 5000);
    }
    expect(await running).toMatchObject({
      jobs: [{ outcome: 'failed', message: 'the issuer ended the job' }],
      exitCode: 3,
    });
    expect(beats).toBe(3);
  });

  it('goes on when a heartbeat does not get through', async () => {
    const world = fakeWorld();
    let end: (() => void) | undefined;
    const machine: Machine = {
      ...world.machine,
      runStep: () => new Promise((resolve) => (end = () => resolve({ kind: 'exited', code: 0 }))),
    };
    const controller = {
      ...world.controller,
      heartbeat: async () => err({ kind: 'unreachable', message: 'gone' } as const),
    };
    const running = runIn({ ...world, controller, machine }, pipelineOf(jobNamed('build')));
    await settle();
    fire(world, 5000);
    await settle();
    end?.();
    expect(await running).toMatchObject({ outcome: 'succeeded' });
  });

  it('that the issuer refuses never runs, and its exit code is that of the refusal', async () => {
    const world = fakeWorld();
    const controller = {
      ...world.controller,
      startJob: async () => err({ kind: 'unreachable', message: 'no issuer' } as const),
    };
    expect(await runIn({ ...world, controller }, pipelineOf(jobNamed('build')))).toMatchObject({
      outcome: 'failed',
      exitCode: 4,
    });
    expect(world.log).toEqual(['remove /run/build', 'remove /run']);
  });

  it('whose end cannot be told is reported', async () => {
    const world = fakeWorld();
    const controller = {
      ...world.controller,
      finish: async () => err({ kind: 'unreachable', message: 'no issuer' } as const),
    };
    const run = await runIn({ ...world, controller }, pipelineOf(jobNamed('build')));
    expect(run.events).toContainEqual(expect.objectContaining({ kind: 'finish_failed', jobId: 'J-build' }));
  });
});

describe('a run', () => {
  it('keeps the order of needs, hands outputs on, and runs the rest side by side', async () => {
    const world = fakeWorld();
    const pipeline = pipelineOf(
      jobNamed('publish', { needs: ['build', 'lint'] }),
      jobNamed('build', { outputs: ['a.tar'] }),
      jobNamed('lint'),
    );
    expect(await runIn(world, pipeline)).toMatchObject({ outcome: 'succeeded' });
    const at = (line: string) => world.log.indexOf(line);
    expect(at('start lint')).toBeLessThan(at('finish J-build'));
    expect(at('finish J-build')).toBeLessThan(at('start publish'));
    expect(world.log.filter((line) => line.startsWith('place'))).toEqual(['place build']);
  });

  it('runs no more jobs at once than it may', async () => {
    const world = fakeWorld();
    await runIn(world, pipelineOf(jobNamed('a'), jobNamed('b'), jobNamed('c')), { concurrency: 1 });
    expect(world.log.filter((line) => /^(start|finish)/.test(line))).toEqual([
      'start a',
      'finish J-a',
      'start b',
      'finish J-b',
      'start c',
      'finish J-c',
    ]);
  });

  it('skips what needs a failed job, at any distance, and runs what does not', async () => {
    const world = fakeWorld((step) => ({ kind: 'exited', code: step.script === 'build' ? 1 : 0 }));
    const pipeline = pipelineOf(
      jobNamed('build'),
      jobNamed('publish', { needs: ['build'] }),
      jobNamed('tell', { needs: ['publish'] }),
      jobNamed('lint'),
    );
    expect((await runIn(world, pipeline)).outcomes).toEqual([
      'build failed',
      'publish skipped',
      'tell skipped',
      'lint succeeded',
    ]);
    expect(world.log).not.toContain('start publish');
  });

  it('of chosen jobs runs them and what they need', async () => {
    const world = fakeWorld();
    const pipeline = pipelineOf(jobNamed('build'), jobNamed('publish', { needs: ['build'] }), jobNamed('lint'));
    expect((await runIn(world, pipeline, { jobs: ['publish'] })).outcomes).toEqual([
      'build succeeded',
      'publish succeeded',
    ]);
    const options = {
      ...world,
      pipeline,
      facts: FACTS,
      local: false,
      report: () => undefined,
      signal: new AbortController().signal,
    };
    const unknown = await runPipeline({ ...options, concurrency: 1, stepEnvironment: {}, jobs: ['ghost'] });
    expect(unknown).toMatchObject({ ok: false, error: { kind: 'usage' } });
  });

  it('that is stopped finishes and deletes what runs, and starts nothing more', async () => {
    const world = fakeWorld(untilStopped);
    const stop = new AbortController();
    const running = runIn(world, pipelineOf(jobNamed('a'), jobNamed('b', { needs: ['a'] }), jobNamed('c')), {
      concurrency: 1,
      signal: stop.signal,
    });
    await settle();
    stop.abort();
    expect(await running).toMatchObject({
      outcome: 'aborted',
      exitCode: 1,
      outcomes: ['a aborted', 'b skipped', 'c skipped'],
    });
    expect(world.log).toEqual(['start a', 'run a', 'finish J-a', 'remove /run/a', 'remove /run']);
  });

  it.each(['step_started', 'output', 'job_finished'] as const)(
    'whose reporter throws on %s finishes and deletes everything, then throws the same',
    async (kind) => {
      const world = fakeWorld((step) => {
        step.onOutput('stdout', Buffer.from('a line\n'));
        return step.script === 'a' && kind !== 'job_finished' ? untilStopped(step) : { kind: 'exited', code: 0 };
      });
      const report = (event: RunEvent) => {
        if (event.kind === kind) throw new Error('cannot draw');
      };
      await expect(runIn(world, pipelineOf(jobNamed('a'), jobNamed('b')), { report })).rejects.toThrow('cannot draw');
      for (const end of ['finish J-a', 'finish J-b', 'remove /run/a', 'remove /run/b', 'remove /run'])
        expect(world.log).toContain(end);
    },
  );
});
