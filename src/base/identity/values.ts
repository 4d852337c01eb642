// The facts of a job as single strings, after the rules for forks and local jobs. The one place where those rules are applied.

import type { JobFacts } from './facts.ts';
import type { FactName } from './profile.ts';

/** Facts by name; an absent one is undefined. */
export type FactValues = Readonly<Partial<Record<FactName, string>>>;

const flag = (value: boolean): string => (value ? 'true' : 'false');

/** `a/b` for owner a, pipeline b; the first `/` always ends the owner, so two different pairs never look alike. */
const joinNames = (facts: JobFacts): string =>
  `${facts.owner.name.replaceAll('%', '%25').replaceAll('/', '%2F')}/${facts.pipeline.name}`;

/** Where the job runs and what is protected about it: forks have neither environment nor flags, local jobs no true flag. */
function contextValues(facts: JobFacts): FactValues {
  const isProtected = (value: boolean): string => flag(value && !facts.local);
  if (facts.fork) return {};
  const values: FactValues = { ref_protected: isProtected(facts.refProtected) };
  if (facts.environment === undefined) return values;
  return {
    ...values,
    environment: facts.environment,
    environment_protected: isProtected(facts.environmentProtected),
  };
}

const optional = (name: FactName, value: string | undefined): FactValues =>
  value === undefined ? {} : { [name]: value };

/**
 * Every fact that a claim or a subject may show, as a string (`"true"`/`"false"` for flags). An absent fact is absent.
 * Forks carry neither environment nor protected flags and local jobs no true one, whatever the facts say (design,
 * section 6). `job_id` and `job_deadline` are not facts of the controller and are added by claims.ts.
 */
export function factValues(facts: JobFacts): FactValues {
  return {
    owner: facts.owner.name,
    owner_id: facts.owner.id,
    pipeline: facts.pipeline.name,
    pipeline_id: facts.pipeline.id,
    owner_and_pipeline: joinNames(facts),
    workflow: facts.workflow,
    ...optional('workflow_ref', facts.workflowRef),
    ...optional('workflow_sha', facts.workflowSha),
    run_id: facts.runId,
    run_number: facts.runNumber,
    run_attempt: facts.runAttempt,
    job: facts.job,
    ref: facts.ref,
    ref_type: facts.refType,
    sha: facts.sha,
    ...optional('base_ref', facts.baseRef),
    ...optional('head_ref', facts.headRef),
    event: facts.event,
    actor: facts.actor.name,
    actor_id: facts.actor.id,
    ...contextValues(facts),
    runner_id: facts.runnerId,
    runner_environment: facts.local ? 'local' : facts.runnerEnvironment,
    fork: flag(facts.fork),
    ...optional('head_pipeline_id', facts.headPipelineId),
    ...optional('trigger', facts.trigger),
    interactive: flag(facts.interactive),
  };
}
