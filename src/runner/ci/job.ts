// The life of one job: a folder, an identity, its steps, and the end of all three whatever happens.
import { join } from 'node:path';
import { formatDuration } from '../../base/core/duration.ts';
import type { Result } from '../../base/core/result.ts';
import { ok } from '../../base/core/result.ts';
import { REQUEST_TOKEN_VARIABLE, REQUEST_URL_VARIABLE } from '../client.ts';
import type { Controller, RequestCredential, StartedJob } from '../controller.ts';
import type { RunnerFailure } from '../failure.ts';
import type { JobOutcome, JobResult, RunEvent } from './events.ts';
import type { GitFacts } from './git-facts.ts';
import { jobFacts, type RunIdentity, type Trigger } from './job-facts.ts';
import type { Machine } from './machine.ts';
import { MaskedLines, SecretMask } from './mask.ts';
import type { Pipeline, PipelineJob, PipelineStep } from './pipeline.ts';
import type { StepEnd } from './processes.ts';
import type { Workspace } from './workspace.ts';

/** What the jobs of one run share. */
export interface RunContext {
  readonly pipeline: Pipeline;
  readonly git: GitFacts;
  readonly trigger: Trigger;
  readonly identity: RunIdentity;
  readonly controller: Controller;
  readonly machine: Machine;
  readonly report: (event: RunEvent) => void;
  /** Aborted: running jobs are stopped, and no other begins. */
  readonly signal: AbortSignal;
  /** Holds the workspaces and, under `outputs/`, what jobs made. */
  readonly runFolder: string;
  /** What every step gets besides its own folders and identity; PATH belongs here. */
  readonly stepEnvironment: Readonly<Record<string, string>>;
}

/** Three may be lost before the issuer gives the job up; a runner that was killed keeps its identity no longer than this. */
const HEARTBEAT_SECONDS = 15;
const HEARTBEATS_PER_INTERVAL = 3;

type StopReason = 'timed_out' | 'aborted' | 'job_ended';

/** What steps and their ends came to. */
interface Verdict {
  readonly outcome: JobOutcome;
  readonly message: string | null;
  readonly failure: RunnerFailure | null;
}
const SUCCEEDED: Verdict = { outcome: 'succeeded', message: null, failure: null };

const failedBy = (failure: RunnerFailure): Verdict => ({ outcome: 'failed', message: failure.message, failure });

/** Runs one job whose needs have all succeeded. The folder is gone and the identity ended when this resolves or throws. */
export async function runJob(context: RunContext, job: PipelineJob): Promise<JobResult> {
  const { machine } = context;
  const began = machine.monotonicMs();
  const result = (verdict: Verdict, jobId: string | null): JobResult => ({
    job: job.name,
    jobId,
    ...verdict,
    seconds: (machine.monotonicMs() - began) / 1000,
  });
  const { runFolder, git } = context;
  const workspace = await machine.openWorkspace({ runFolder, job: job.name, root: git.root, sha: git.sha });
  if (!workspace.ok) return result(failedBy(workspace.error), null);
  try {
    const placed = await placeNeeds(context, job, workspace.value);
    if (!placed.ok) return result(failedBy(placed.error), null);
    if (context.signal.aborted)
      return result({ ...SUCCEEDED, outcome: 'aborted', message: 'stopped before it began' }, null);
    const started = await context.controller.startJob({
      idempotencyKey: `${context.identity.runId}.${job.name}.1`,
      facts: jobFacts(context.pipeline, job, context),
      audiences: job.audiences,
      timeoutSeconds: job.timeoutSeconds,
      heartbeatSeconds: HEARTBEAT_SECONDS,
    });
    if (!started.ok) return result(failedBy(started.error), null);
    return result(
      await runStarted(context, job, { workspace: workspace.value, started: started.value }),
      started.value.jobId,
    );
  } finally {
    const problem = await machine.removeFolder(workspace.value.folder);
    if (problem !== undefined) context.report({ kind: 'folder_left', folder: workspace.value.folder, problem });
  }
}

async function placeNeeds(
  context: RunContext,
  job: PipelineJob,
  workspace: Workspace,
): Promise<Result<void, RunnerFailure>> {
  for (const need of job.needs) {
    const made = context.pipeline.jobs.find((other) => other.name === need)?.outputs ?? [];
    if (made.length === 0) continue;
    const placed = await context.machine.placeOutputs(workspace, need, outputFolder(context, need));
    if (!placed.ok) return placed;
  }
  return ok(undefined);
}

const outputFolder = (context: RunContext, job: string): string => join(context.runFolder, 'outputs', job);

interface RunningJob {
  readonly workspace: Workspace;
  readonly started: StartedJob;
}

/** From the moment the issuer knows the job to the moment it knows the end. */
async function runStarted(context: RunContext, job: PipelineJob, running: RunningJob): Promise<Verdict> {
  const stop = new AbortController();
  const stopFor = (reason: StopReason) => () => stop.abort(reason);
  const onAbort = stopFor('aborted');
  context.signal.addEventListener('abort', onAbort, { once: true });
  if (context.signal.aborted) onAbort();
  const cancelTimeout = context.machine.after(job.timeoutSeconds * 1000, stopFor('timed_out'));
  const cancelHeartbeat = beat(context, running.started.jobId, stopFor('job_ended'));
  try {
    const { jobId, deadline } = running.started;
    context.report({ kind: 'job_started', job, jobId, deadline });
    return await runSteps(context, job, { ...running, stop: stop.signal });
  } finally {
    cancelTimeout();
    cancelHeartbeat();
    context.signal.removeEventListener('abort', onAbort);
    await finish(context, job.name, running.started.jobId);
  }
}

/** Sends heartbeats until called off. The issuer's word that the job is over ends it here too. */
function beat(context: RunContext, jobId: string, onEnded: () => void): () => void {
  let over = false;
  let cancel = () => {};
  const schedule = () => {
    cancel = context.machine.after((HEARTBEAT_SECONDS * 1000) / HEARTBEATS_PER_INTERVAL, () => {
      void context.controller.heartbeat(jobId).then((answer) => {
        if (over) return;
        // What cannot be reached may come back; a refusal is final.
        if (!answer.ok && answer.error.kind === 'denied') onEnded();
        else schedule();
      });
    });
  };
  schedule();
  return () => {
    over = true;
    cancel();
  };
}

async function finish(context: RunContext, job: string, jobId: string): Promise<void> {
  const finished = await context.controller.finish(jobId);
  if (!finished.ok) context.report({ kind: 'finish_failed', job, jobId, failure: finished.error });
}

interface StoppableJob extends RunningJob {
  readonly stop: AbortSignal;
}

async function runSteps(context: RunContext, job: PipelineJob, running: StoppableJob): Promise<Verdict> {
  const mask = new SecretMask();
  for (const step of job.steps) {
    const identity = await identityFor(context, { job, step, started: running.started });
    if (!identity.ok) return failedBy(identity.error);
    if (identity.value !== null) mask.register(identity.value.requestToken.reveal());
    const began = context.machine.monotonicMs();
    context.report({ kind: 'step_started', job: job.name, step: step.name });
    const end = await runMasked(context, job, { ...running, step, identity: identity.value, mask });
    const succeeded = end.kind === 'exited' && end.code === 0 && !running.stop.aborted;
    const seconds = (context.machine.monotonicMs() - began) / 1000;
    context.report({ kind: 'step_finished', job: job.name, step: step.name, succeeded, seconds });
    if (!succeeded) return verdictOf(job, step, { end, stop: running.stop });
  }
  return collect(context, job, running.workspace);
}

/** The right to ask that this step gets: the job's, a narrower one of its own, or none. */
async function identityFor(
  context: RunContext,
  of: { readonly job: PipelineJob; readonly step: PipelineStep; readonly started: StartedJob },
): Promise<Result<RequestCredential | null, RunnerFailure>> {
  const wanted = of.step.audiences ?? of.job.audiences;
  if (wanted.length === 0) return ok(null);
  const narrower = of.job.audiences.some((audience) => !wanted.includes(audience));
  if (!narrower) return ok(of.started.identity);
  return context.controller.narrow(of.started.jobId, wanted);
}

interface RunningStep extends StoppableJob {
  readonly step: PipelineStep;
  readonly identity: RequestCredential | null;
  readonly mask: SecretMask;
}

async function runMasked(context: RunContext, job: PipelineJob, running: RunningStep): Promise<StepEnd> {
  const streams = {
    stdout: new MaskedLines(running.mask, (line) =>
      context.report({ kind: 'output', job: job.name, stream: 'stdout', line }),
    ),
    stderr: new MaskedLines(running.mask, (line) =>
      context.report({ kind: 'output', job: job.name, stream: 'stderr', line }),
    ),
  };
  const end = await context.machine.runStep({
    script: running.step.script,
    folder: running.workspace.checkout,
    env: environmentOf(context, job, running),
    stop: running.stop,
    onOutput: (stream, chunk) => streams[stream].write(chunk),
  });
  streams.stdout.end();
  streams.stderr.end();
  return end;
}

/** Everything a step finds in its environment; nothing of the person's own is among it but PATH and the language. */
function environmentOf(context: RunContext, job: PipelineJob, running: RunningStep): Readonly<Record<string, string>> {
  const { workspace, started, identity } = running;
  return {
    ...context.stepEnvironment,
    CI: 'true',
    HOME: workspace.home,
    TMPDIR: workspace.tmp,
    JOBPASS_JOB: job.name,
    JOBPASS_JOB_ID: started.jobId,
    JOBPASS_RUN_ID: context.identity.runId,
    JOBPASS_REF: context.git.ref,
    JOBPASS_SHA: context.git.sha,
    ...(identity === null
      ? {}
      : { [REQUEST_URL_VARIABLE]: identity.requestUrl, [REQUEST_TOKEN_VARIABLE]: identity.requestToken.reveal() }),
  };
}

function verdictOf(
  job: PipelineJob,
  step: PipelineStep,
  how: { readonly end: StepEnd; readonly stop: AbortSignal },
): Verdict {
  const reason = how.stop.aborted ? (how.stop.reason as StopReason) : null;
  switch (reason) {
    case 'timed_out':
      return { outcome: 'timed_out', message: `not done after ${formatDuration(job.timeoutSeconds)}`, failure: null };
    case 'aborted':
      return { outcome: 'aborted', message: 'stopped', failure: null };
    case 'job_ended':
      return failedBy({ kind: 'denied', message: 'the issuer ended the job' });
    case null:
      return { outcome: 'failed', message: `${step.name} ${describeEnd(how.end)}`, failure: null };
  }
}

function describeEnd(end: StepEnd): string {
  switch (end.kind) {
    case 'exited':
      return `ended with exit code ${end.code}`;
    case 'killed':
      return `was ended by ${end.signal}`;
    case 'not_started':
      return `did not start: ${end.problem}`;
  }
}

async function collect(context: RunContext, job: PipelineJob, workspace: Workspace): Promise<Verdict> {
  if (job.outputs.length === 0) return SUCCEEDED;
  const made = await context.machine.collectOutputs(workspace, job.outputs, outputFolder(context, job.name));
  if (!made.ok) return { outcome: 'failed', message: made.error.message, failure: null };
  for (const { name, bytes } of made.value) context.report({ kind: 'output_made', job: job.name, file: name, bytes });
  return SUCCEEDED;
}
