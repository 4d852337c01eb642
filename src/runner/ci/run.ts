// Runs a pipeline: jobs in the order of their needs, side by side where they can. What happens inside a job is job.ts's business.

import type { Result } from '../../base/core/result.ts';
import { err, ok } from '../../base/core/result.ts';
import type { Controller } from '../controller.ts';
import { exitCodeOf, type RunnerFailure } from '../failure.ts';
import type { JobResult, RunEvent } from './events.ts';
import type { GitFacts } from './git-facts.ts';
import { closureOf } from './graph.ts';
import { type RunContext, runJob } from './job.ts';
import type { Trigger } from './job-facts.ts';
import type { Machine } from './machine.ts';
import type { Pipeline, PipelineJob } from './pipeline.ts';

export interface RunOptions {
  readonly pipeline: Pipeline;
  readonly facts: GitFacts;
  readonly controller: Controller;
  /** Whether the controller file says that it is a person's own (`serve --dev`). */
  readonly local: boolean;
  readonly machine: Machine;
  /** Draws the run. If it throws, the run stops, finishes its jobs, and throws the same. */
  readonly report: (event: RunEvent) => void;
  /** Ctrl-C: running jobs get SIGTERM, are finished, and their folders deleted. */
  readonly signal: AbortSignal;
  /** How many jobs run at once; the number of cores is a good one. */
  readonly concurrency: number;
  /** What every step gets besides its own: PATH, and LANG where there is one. Nothing secret: all jobs see it. */
  readonly stepEnvironment: Readonly<Record<string, string>>;
  /** Only these jobs and what they need. Default: all. */
  readonly jobs?: readonly string[];
  readonly trigger?: Trigger;
}

export interface RunResult {
  readonly runId: string;
  readonly outcome: 'succeeded' | 'failed' | 'aborted';
  /** In the order of the file. */
  readonly jobs: readonly JobResult[];
  /** As the design documents them: 1 when steps failed; that of the issuer's refusal or silence when nothing else did. */
  readonly exitCode: number;
}

/** Runs the pipeline to its end. `usage` when a chosen job does not exist. Whatever happens, started jobs are finished. */
export async function runPipeline(options: RunOptions): Promise<Result<RunResult, RunnerFailure>> {
  const { pipeline, machine } = options;
  const jobs = chooseJobs(pipeline, options.jobs);
  if (!jobs.ok) return jobs;
  const runId = machine.newRunId();
  const crash = new AbortController();
  const report = guardedReport(options.report, crash);
  const runFolder = await machine.makeRunFolder();
  const context: RunContext = {
    pipeline,
    git: options.facts,
    trigger: options.trigger ?? {},
    identity: { runId, runnerId: machine.runnerId, local: options.local },
    controller: options.controller,
    machine,
    report,
    signal: AbortSignal.any([options.signal, crash.signal]),
    runFolder,
    stepEnvironment: options.stepEnvironment,
  };
  try {
    const fork = context.trigger.fork === true;
    report({ kind: 'run_started', runId, facts: options.facts, fork, jobs: jobs.value.map((job) => job.name) });
    const results = await runAll(context, jobs.value, { concurrency: options.concurrency, crash });
    if (crash.signal.aborted) throw crash.signal.reason;
    return ok({ runId, ...summarize(results), jobs: results });
  } finally {
    const problem = await machine.removeFolder(runFolder);
    if (problem !== undefined) report({ kind: 'folder_left', folder: runFolder, problem });
  }
}

/** A reporter that breaks must not break a job halfway: it is asked no more, and the run is stopped with what it threw. */
function guardedReport(report: RunOptions['report'], crash: AbortController): RunOptions['report'] {
  return (event) => {
    if (crash.signal.aborted) return;
    try {
      report(event);
    } catch (cause) {
      crash.abort(cause);
    }
  };
}

function chooseJobs(pipeline: Pipeline, chosen?: readonly string[]): Result<readonly PipelineJob[], RunnerFailure> {
  if (chosen === undefined) return ok(pipeline.jobs);
  const needs = new Map(pipeline.jobs.map((job) => [job.name, job.needs]));
  const unknown = chosen.filter((name) => !needs.has(name));
  if (unknown.length > 0) {
    const hint = `the pipeline has ${[...needs.keys()].join(', ')}`;
    return err({ kind: 'usage', message: `no job is named ${unknown.join(', ')}`, hint });
  }
  const wanted = closureOf(needs, chosen);
  return ok(pipeline.jobs.filter((job) => wanted.has(job.name)));
}

/** All results in the order of `jobs`. When one throws, the others are stopped and finished before it is thrown on. */
async function runAll(
  context: RunContext,
  jobs: readonly PipelineJob[],
  how: { readonly concurrency: number; readonly crash: AbortController },
): Promise<readonly JobResult[]> {
  const slots = new Slots(how.concurrency);
  const byName = new Map(jobs.map((job) => [job.name, job]));
  const running = new Map<string, Promise<JobResult>>();
  const resultOf = (job: PipelineJob): Promise<JobResult> => {
    const known = running.get(job.name);
    if (known !== undefined) return known;
    const needed = job.needs.flatMap((need) => byName.get(need) ?? []).map(resultOf);
    const result = runWhenReady(context, job, { needed: Promise.all(needed), slots });
    running.set(job.name, result);
    result.catch((cause: unknown) => how.crash.abort(cause));
    return result;
  };
  const settled = await Promise.allSettled(jobs.map(resultOf));
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

async function runWhenReady(
  context: RunContext,
  job: PipelineJob,
  when: { readonly needed: Promise<readonly JobResult[]>; readonly slots: Slots },
): Promise<JobResult> {
  const unmet = (await when.needed).find((need) => need.outcome !== 'succeeded');
  if (unmet !== undefined)
    return skip(context, job, `${unmet.job} ${unmet.outcome === 'skipped' ? 'was skipped' : 'did not succeed'}`);
  await when.slots.take();
  try {
    if (context.signal.aborted) return skip(context, job, 'the run was stopped');
    const result = await runJob(context, job);
    context.report({ kind: 'job_finished', result });
    return result;
  } finally {
    when.slots.give();
  }
}

function skip(context: RunContext, job: PipelineJob, because: string): JobResult {
  context.report({ kind: 'job_skipped', job: job.name, because });
  return { job: job.name, outcome: 'skipped', seconds: 0, jobId: null, message: because, failure: null };
}

function summarize(results: readonly JobResult[]): Pick<RunResult, 'outcome' | 'exitCode'> {
  const bad = results.filter((result) => result.outcome !== 'succeeded' && result.outcome !== 'skipped');
  const first = bad[0];
  if (first === undefined) {
    // Everything skipped means that the run was stopped before it began.
    return results.every((result) => result.outcome === 'succeeded')
      ? { outcome: 'succeeded', exitCode: 0 }
      : { outcome: 'aborted', exitCode: 1 };
  }
  const outcome = bad.some((result) => result.outcome === 'aborted') ? 'aborted' : 'failed';
  const ours = bad.every((result) => result.failure !== null) ? first.failure : null;
  return { outcome, exitCode: ours === null ? 1 : exitCodeOf(ours) };
}

/** Lets at most `count` in at once, in the order they came. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = Math.max(1, Math.floor(count));
  }

  async take(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve) => void this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
