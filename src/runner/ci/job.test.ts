import { describe, expect, it } from 'vitest';
import {
  fakeWorld,
  fire,
  jobNamed,
  pipelineOf,
  runIn,
  settle,
  untilStopped,
} from '../../../test/fakes/runner-world.ts';
import { err } from '../../base/core/result.ts';
import type { Machine } from './machine.ts';

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
