// From the body of `POST /v1/jobs` to the facts of a job. A body with problems is refused with all of them at once.
import type { ControllerGrant } from '../base/client-auth/client.ts';
import { isJsonObject, type JsonObject } from '../base/core/json.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { JobFacts } from '../base/identity/facts.ts';
import { CLAIM_NAMES } from '../base/identity/profile.ts';
import { extraClaimProblem, MAX_EXTRA_CLAIMS } from './extra-claims.ts';
import type { StartBody, StartSchema } from './start-schema.ts';

/** What a controller asks for, checked but for the owner and the subject. */
export interface StartRequest {
  readonly idempotencyKey: string;
  readonly facts: JobFacts;
  readonly audiences: readonly string[];
  readonly timeoutSeconds: number;
  readonly heartbeatSeconds: number | null;
}

/** Who asks, and under which names the issuer publishes. */
export interface StartRules {
  readonly schema: StartSchema;
  readonly grant: ControllerGrant;
  readonly profile: 'jobpass' | 'github';
}

/** Enough to repair a body at one go; the answer stays small. */
const MAX_PROBLEMS_SHOWN = 20;
const MAX_PROBLEM_CHARS = 200;

/** Reads a body. Fails with `facts_invalid`; the detail lists every problem by member and repeats no value. */
export function readStartRequest(body: JsonObject, rules: StartRules): Result<StartRequest, Failure> {
  const parsed = rules.schema.safeParse(body);
  const problems = [
    ...(parsed.error?.issues ?? []).map((issue) => `${memberPath(issue.path)}: ${issue.message}`),
    ...contradictions(body),
    ...extraClaimProblems(body, rules.grant),
    ...sessionTagProblems(body, rules.profile),
    ...runnerProblems(body, rules.grant),
  ];
  if (!parsed.success || problems.length > 0) return err(failure('facts_invalid', listProblems(problems)));
  const start = parsed.data;
  return ok({
    idempotencyKey: start.idempotency_key,
    facts: factsOf(start, rules.grant.localOnly),
    audiences: start.audiences,
    timeoutSeconds: start.timeout_seconds,
    heartbeatSeconds: start.heartbeat_seconds ?? null,
  });
}

/** `2 problems: owner.id: must not be empty; ref: …`. */
function listProblems(problems: readonly string[]): string {
  const shown = problems
    .slice(0, MAX_PROBLEMS_SHOWN)
    .map((problem) => problem.slice(0, MAX_PROBLEM_CHARS))
    .join('; ');
  const more = problems.length - MAX_PROBLEMS_SHOWN;
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return `${count}: ${shown}${more > 0 ? `; and ${more} more` : ''}`;
}

const memberPath = (path: readonly PropertyKey[]): string =>
  path.length === 0 ? 'body' : path.map((part) => String(part).slice(0, 64)).join('.');

// The checks below read the raw body, so that they speak also when another member is broken.

function contradictions(body: JsonObject): readonly string[] {
  const problems: string[] = [];
  const { ref, ref_type: refType, environment } = body;
  if (typeof ref === 'string') {
    const wanted = ref.startsWith('refs/heads/') ? 'branch' : ref.startsWith('refs/tags/') ? 'tag' : refType;
    if (refType !== wanted) problems.push(`ref_type: the ref is a ${String(wanted)}`);
  }
  if (body.environment_protected === true && (environment === undefined || environment === null)) {
    problems.push('environment_protected: there is no environment');
  }
  if (body.fork === false && typeof body.head_pipeline_id === 'string') {
    problems.push('head_pipeline_id: only a fork has one');
  }
  return problems;
}

function extraClaimProblems(body: JsonObject, grant: ControllerGrant): readonly string[] {
  const extra = body.extra_claims;
  if (!isJsonObject(extra)) return [];
  const names = Object.keys(extra);
  if (names.length > MAX_EXTRA_CLAIMS) return [`extra_claims: more than ${MAX_EXTRA_CLAIMS}`];
  return names.flatMap((name) => {
    const problem = extraClaimProblem(name, grant.extraClaimPrefix);
    return problem === undefined ? [] : [`extra_claims.${JSON.stringify(name.slice(0, 64))}: ${problem}`];
  });
}

/** A tag repeats a claim of the token; AWS reads nothing else of it but `sub` and `aud`. */
function sessionTagProblems(body: JsonObject, profile: StartRules['profile']): readonly string[] {
  const { aws_session_tags: tags, extra_claims: extra } = body;
  if (!Array.isArray(tags)) return [];
  const known = new Set([...CLAIM_NAMES[profile], ...(isJsonObject(extra) ? Object.keys(extra) : [])]);
  return tags.flatMap((tag, at) =>
    typeof tag === 'string' && !known.has(tag) ? [`aws_session_tags.${at}: no claim has this name`] : [],
  );
}

/** `local` is said by the issuer about local controllers only; nobody else may claim it or look like it. */
function runnerProblems(body: JsonObject, grant: ControllerGrant): readonly string[] {
  const stated = body.runner_environment;
  if (grant.localOnly) return [];
  if (stated === undefined || stated === null) return ['runner_environment: is required'];
  const local = typeof stated === 'string' && stated.toLowerCase() === 'local';
  return local ? ['runner_environment: only local controllers run local jobs'] : [];
}

function factsOf(start: StartBody, local: boolean): JobFacts {
  return {
    owner: start.owner,
    pipeline: start.pipeline,
    workflow: start.workflow,
    ...optional('workflowRef', start.workflow_ref),
    ...optional('workflowSha', start.workflow_sha),
    job: start.job,
    runId: start.run_id,
    runNumber: start.run_number,
    runAttempt: start.run_attempt,
    ref: start.ref,
    refType: start.ref_type,
    refProtected: start.ref_protected && !local,
    sha: start.sha,
    ...optional('baseRef', start.base_ref),
    ...optional('headRef', start.head_ref),
    event: start.event,
    actor: start.actor,
    ...optional('environment', start.environment),
    environmentProtected: start.environment_protected && !local,
    runnerId: start.runner_id,
    runnerEnvironment: local ? 'local' : (start.runner_environment ?? ''),
    fork: start.fork,
    ...optional('headPipelineId', start.head_pipeline_id),
    ...optional('trigger', start.trigger),
    interactive: start.interactive,
    local,
    extra: start.extra_claims,
    awsSessionTags: start.aws_session_tags,
  };
}

const optional = <Name extends keyof JobFacts>(
  name: Name,
  value: string | null | undefined,
): { readonly [N in Name]?: string } =>
  value === undefined || value === null ? {} : ({ [name]: value } as { readonly [N in Name]?: string });
