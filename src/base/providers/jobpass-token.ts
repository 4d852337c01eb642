// The claims of our own issuer's tokens, made by the same code that makes them for real jobs.
import type { Claims } from '../core/json.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { EpochSeconds } from '../core/time.ts';
import { identityClaims } from '../identity/claims.ts';
import type { JobFacts } from '../identity/facts.ts';
import type { ProfileName } from '../identity/profile.ts';
import { subjectOf } from '../identity/subject.ts';
import type { ParameterValues } from './parameter-values.ts';

const JOB_SECONDS = 3600;

/** The claims of a job with these parameters, without `iss` and times. Fails when no subject can be made of them. */
export function jobpassClaims(
  values: ParameterValues,
  options: { readonly profile: ProfileName; readonly now: EpochSeconds },
): Result<Claims, readonly { readonly message: string }[]> {
  const facts = factsOf(values);
  const subject = subjectOf(facts, options.profile);
  if (!subject.ok) return err([{ message: subject.error.detail }]);
  const identity = identityClaims(facts, {
    profile: options.profile,
    jobId: values.get('job_id') ?? '',
    deadline: options.now + JOB_SECONDS,
  });
  return ok({ jti: 'E7Q2K40KQZ7HT', aud: values.get('audience') ?? '', ...identity });
}

function factsOf(values: ParameterValues): JobFacts {
  const text = (name: string): string => values.get(name) ?? '';
  const flag = (name: string): boolean => values.get(name) === 'true';
  const refType = text('ref_type');
  const optional = {
    workflowRef: values.get('workflow_ref'),
    workflowSha: values.get('workflow_sha'),
    baseRef: values.get('base_ref'),
    headRef: values.get('head_ref'),
    environment: values.get('environment'),
    headPipelineId: values.get('head_pipeline_id'),
    trigger: values.get('trigger'),
  };
  return {
    owner: { name: text('owner'), id: text('owner_id') },
    pipeline: { name: text('pipeline'), id: text('pipeline_id') },
    workflow: text('workflow'),
    job: text('job'),
    runId: text('run_id'),
    runNumber: text('run_number'),
    runAttempt: text('run_attempt'),
    ref: text('ref'),
    refType: refType === 'branch' || refType === 'tag' ? refType : 'other',
    refProtected: flag('ref_protected'),
    sha: text('sha'),
    event: text('event'),
    actor: { name: text('actor'), id: text('actor_id') },
    environmentProtected: flag('environment_protected'),
    runnerId: text('runner_id'),
    runnerEnvironment: text('runner_environment'),
    fork: flag('fork'),
    interactive: flag('interactive'),
    local: flag('local'),
    extra: {},
    awsSessionTags: [],
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}
