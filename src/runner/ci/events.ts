// What happens during a run, as events for whoever draws it. No event holds a token; output lines are masked already.
import type { EpochSeconds } from '../../base/core/time.ts';
import type { RunnerFailure } from '../failure.ts';
import type { GitFacts } from './git-facts.ts';
import type { PipelineJob } from './pipeline.ts';

export type JobOutcome = 'succeeded' | 'failed' | 'timed_out' | 'aborted';

export type RunEvent =
  | {
      readonly kind: 'run_started';
      readonly runId: string;
      readonly facts: GitFacts;
      readonly fork: boolean;
      /** Names, in the order of the file. */
      readonly jobs: readonly string[];
    }
  | {
      /** The issuer knows the job; its steps are about to run. */
      readonly kind: 'job_started';
      readonly job: PipelineJob;
      readonly jobId: string;
      readonly deadline: EpochSeconds;
    }
  | { readonly kind: 'step_started'; readonly job: string; readonly step: string }
  | { readonly kind: 'output'; readonly job: string; readonly stream: 'stdout' | 'stderr'; readonly line: string }
  | {
      readonly kind: 'step_finished';
      readonly job: string;
      readonly step: string;
      readonly succeeded: boolean;
      readonly seconds: number;
    }
  | { readonly kind: 'output_made'; readonly job: string; readonly file: string; readonly bytes: number }
  | { readonly kind: 'job_finished'; readonly result: JobResult }
  | { readonly kind: 'job_skipped'; readonly job: string; readonly because: string }
  | {
      /** The issuer could not be told: the identity lives until its heartbeat is missed or its deadline comes. */
      readonly kind: 'finish_failed';
      readonly job: string;
      readonly jobId: string;
      readonly failure: RunnerFailure;
    }
  | { readonly kind: 'folder_left'; readonly folder: string; readonly problem: string };

/** How a job went. */
export interface JobResult {
  readonly job: string;
  readonly outcome: JobOutcome | 'skipped';
  readonly seconds: number;
  /** Null: the issuer never knew it. */
  readonly jobId: string | null;
  /** Why it did not succeed, in words; null when it did. */
  readonly message: string | null;
  /** Set when the issuer or this machine, not the job's own steps, is the reason. */
  readonly failure: RunnerFailure | null;
}
