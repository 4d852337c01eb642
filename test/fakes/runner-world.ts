// A machine, an issuer and a pipeline for tests of runs: every call is written down, timers go off by hand.
import { ok } from '../../src/base/core/result.ts';
import { Secret } from '../../src/base/core/secret.ts';
import type { RunEvent } from '../../src/runner/ci/events.ts';
import type { Machine } from '../../src/runner/ci/machine.ts';
import type { Pipeline, PipelineJob } from '../../src/runner/ci/pipeline.ts';
import type { StepCommand, StepEnd } from '../../src/runner/ci/processes.ts';
import { type RunOptions, runPipeline } from '../../src/runner/ci/run.ts';
import type { Controller, JobStart } from '../../src/runner/controller.ts';

export const FACTS = {
  root: '/repo',
  sha: 'a'.repeat(40),
  ref: 'refs/heads/main',
  refType: 'branch',
  actor: { name: 'you', id: 'uid-1' },
  dirty: false,
} as const;

export function jobNamed(name: string, change: Partial<PipelineJob> = {}): PipelineJob {
  const steps = [{ name: 'step 1', script: name, audiences: null }];
  return { name, needs: [], environment: null, audiences: [], timeoutSeconds: 600, outputs: [], steps, ...change };
}

export const pipelineOf = (...jobs: readonly PipelineJob[]): Pipeline => ({
  workflow: 'pipeline',
  owner: { name: 'acme', id: '42' },
  pipeline: { name: 'web', id: '7' },
  jobs,
});

/** A world in which every call is written down, timers go off by hand, and steps do what the test says. */
export function fakeWorld(
  steps: (step: StepCommand) => Promise<StepEnd> | StepEnd = () => ({ kind: 'exited', code: 0 }),
) {
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
      return ok([]);
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

export async function runIn(world: World, pipeline: Pipeline, change: Partial<RunOptions> = {}) {
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
export const untilStopped = (step: StepCommand): Promise<StepEnd> =>
  new Promise((resolve) => {
    if (step.stop.aborted) resolve({ kind: 'killed', signal: 'SIGTERM' });
    step.stop.addEventListener('abort', () => resolve({ kind: 'killed', signal: 'SIGTERM' }));
  });

/** Lets the timers of this length go off. */
export function fire(world: World, length: number): void {
  for (const [action, ms] of [...world.timers]) {
    if (ms === length && world.timers.delete(action)) action();
  }
}

/** Lets everything that can happen without a timer happen. */
export const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
