// The facts of a job, from the pipeline file, from git and from how the run was triggered. Nothing comes from the job itself.
import type { JobFacts } from '../../base/identity/facts.ts';
import type { GitFacts } from './git-facts.ts';
import type { Pipeline, PipelineJob } from './pipeline.ts';

/** How a run came about, where it is more than a person's `run`. */
export interface Trigger {
  readonly event?: string;
  /** The change comes from outside the pipeline's own repository. */
  readonly fork?: boolean;
  readonly headPipelineId?: string;
  readonly baseRef?: string;
  readonly headRef?: string;
  readonly trigger?: string;
}

/** What all jobs of a run share. */
export interface RunIdentity {
  readonly runId: string;
  readonly runnerId: string;
  /** The controller file says that it belongs to a `serve --dev`; the issuer decides on its own record. */
  readonly local: boolean;
}

/** The facts of one job. A local repository knows no protection, so no protected flag is ever set. */
export function jobFacts(
  pipeline: Pipeline,
  job: PipelineJob,
  run: { readonly git: GitFacts; readonly trigger: Trigger; readonly identity: RunIdentity },
): Omit<JobFacts, 'local'> {
  const { event = 'manual', fork = false, ...origin } = run.trigger;
  return {
    owner: pipeline.owner,
    pipeline: pipeline.pipeline,
    workflow: pipeline.workflow,
    job: job.name,
    runId: run.identity.runId,
    runNumber: '1',
    runAttempt: '1',
    ref: run.git.ref,
    refType: run.git.refType,
    refProtected: false,
    sha: run.git.sha,
    event,
    actor: run.git.actor,
    ...(job.environment === null ? {} : { environment: job.environment }),
    environmentProtected: false,
    runnerId: run.identity.runnerId,
    runnerEnvironment: run.identity.local ? 'local' : 'self-hosted',
    fork,
    ...origin,
    interactive: false,
    extra: {},
    awsSessionTags: [],
  };
}
