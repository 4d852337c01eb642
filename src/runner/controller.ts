// The controller's side of the issuer: it states the facts of jobs, says that they run, and ends them. It runs no job.
import type { JsonObject, JsonValue } from '../base/core/json.ts';
import { isJsonObject, stringMember } from '../base/core/json.ts';
import type { Result } from '../base/core/result.ts';
import { err, ok } from '../base/core/result.ts';
import { Secret } from '../base/core/secret.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import type { JobFacts } from '../base/identity/facts.ts';
import { basicAuthorization } from '../wire/authorization.ts';
import type { ControllerCredential } from './controller-file.ts';
import type { RunnerFailure } from './failure.ts';
import { callJson, type Transport } from './http.ts';

/** What a controller says of a job when it starts it. The issuer adds what only it may say: locality, and what forks lose. */
export interface JobStart {
  /** The same key and the same facts give the same job, so that a lost answer can be asked for again. */
  readonly idempotencyKey: string;
  readonly facts: Omit<JobFacts, 'local'>;
  readonly audiences: readonly string[];
  readonly timeoutSeconds: number;
  /** Null: the job sends no heartbeats. */
  readonly heartbeatSeconds: number | null;
}

export interface StartedJob {
  readonly jobId: string;
  readonly deadline: EpochSeconds;
  readonly identity: RequestCredential;
}

/** An audience that the job got ID tokens for, and how it hears that the job is over. */
export interface ToldAudience {
  readonly audience: string;
  /** `event`: at once; `introspection`: when it asks about a token; anything else: not at all. */
  readonly heard: string;
  /** When the last ID token for it expires; null: it has long expired. */
  readonly tokensUntil: EpochSeconds | null;
}

/** The right to ask for ID tokens of one job. */
export interface RequestCredential {
  readonly requestUrl: string;
  readonly requestToken: Secret;
}

/** The calls of a controller; a run needs no more than this. */
export interface Controller {
  startJob(start: JobStart): Promise<Result<StartedJob, RunnerFailure>>;
  /** `denied` when the job is over or not this controller's. */
  heartbeat(jobId: string): Promise<Result<void, RunnerFailure>>;
  /** Ends the job, and says who hears of it. Succeeds again for a job that is over. */
  finish(jobId: string): Promise<Result<readonly ToldAudience[], RunnerFailure>>;
  /** A further request token that reaches only these audiences, for one step. */
  narrow(jobId: string, audiences: readonly string[]): Promise<Result<RequestCredential, RunnerFailure>>;
}

/** An end that is not told keeps an identity alive, so it is tried for longer than anything else. */
const FINISH_WAITS_MS: readonly number[] = [250, 500, 1000, 2000, 4000];

/** A controller over HTTP with its client secret (RFC 6749 §2.3.1). */
export function createController(transport: Transport, credential: ControllerCredential): Controller {
  const call = callIssuer(transport, credential);
  const jobPath = (jobId: string, verb: string): string => `/v1/jobs/${encodeURIComponent(jobId)}/${verb}`;
  const discard = (answer: Result<JsonObject, RunnerFailure>): Result<void, RunnerFailure> =>
    answer.ok ? ok(undefined) : answer;
  return {
    async startJob(start) {
      const answer = await call('/v1/jobs', encodeJobStart(start));
      return answer.ok ? readStartedJob(answer.value) : answer;
    },
    heartbeat: async (jobId) => discard(await call(jobPath(jobId, 'heartbeat'), {})),
    async finish(jobId) {
      const answer = await call(jobPath(jobId, 'finish'), {}, FINISH_WAITS_MS);
      return answer.ok ? ok(readTold(answer.value.told)) : answer;
    },
    async narrow(jobId, audiences) {
      const answer = await call(jobPath(jobId, 'request-tokens'), { audiences });
      return answer.ok ? readRequestCredential(answer.value) : answer;
    },
  };
}

/** A started job with the variables that the issuer wants its job to have; they hold the request token. */
export interface StartedJobWithEnv extends StartedJob {
  readonly env: Readonly<Record<string, string>>;
}

/** Starts a job from a body that a CI of scripts wrote itself; the issuer checks it. */
export async function startJobFrom(
  transport: Transport,
  credential: ControllerCredential,
  body: JsonObject,
): Promise<Result<StartedJobWithEnv, RunnerFailure>> {
  const answer = await callIssuer(transport, credential)('/v1/jobs', body);
  if (!answer.ok) return answer;
  const started = readStartedJob(answer.value);
  if (!started.ok) return started;
  const env = readEnv(answer.value.env);
  return env === undefined ? unreadable() : ok({ ...started.value, env });
}

/** Variables as NAME=value lines can hold them; undefined for anything else. */
function readEnv(value: JsonValue | undefined): Readonly<Record<string, string>> | undefined {
  if (!isJsonObject(value)) return undefined;
  const env = new Map<string, string>();
  for (const [name, member] of Object.entries(value)) {
    const isPlain = typeof member === 'string' && /^[\x20-\x7e]*$/.test(member);
    if (!isPlain || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return undefined;
    env.set(name, member);
  }
  return env.size === 0 ? undefined : Object.fromEntries(env);
}

const callIssuer =
  (transport: Transport, credential: ControllerCredential) =>
  (path: string, body: JsonObject, waitsMs?: readonly number[]): Promise<Result<JsonObject, RunnerFailure>> =>
    callJson(transport, {
      url: `${credential.url}${path}`,
      method: 'POST',
      headers: {
        authorization: basicAuthorization(credential.client, credential.secret),
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
      peer: 'the issuer',
      ...(waitsMs === undefined ? {} : { waitsMs }),
    });

/** The body of `POST /v1/jobs`. */
function encodeJobStart(start: JobStart): JsonObject {
  const { facts } = start;
  return {
    idempotency_key: start.idempotencyKey,
    owner: { ...facts.owner },
    pipeline: { ...facts.pipeline },
    workflow: facts.workflow,
    workflow_ref: facts.workflowRef ?? null,
    workflow_sha: facts.workflowSha ?? null,
    job: facts.job,
    run_id: facts.runId,
    run_number: facts.runNumber,
    run_attempt: facts.runAttempt,
    ref: facts.ref,
    ref_type: facts.refType,
    ref_protected: facts.refProtected,
    sha: facts.sha,
    base_ref: facts.baseRef ?? null,
    head_ref: facts.headRef ?? null,
    event: facts.event,
    actor: { ...facts.actor },
    environment: facts.environment ?? null,
    environment_protected: facts.environmentProtected,
    runner_id: facts.runnerId,
    runner_environment: facts.runnerEnvironment,
    fork: facts.fork,
    head_pipeline_id: facts.headPipelineId ?? null,
    trigger: facts.trigger ?? null,
    interactive: facts.interactive,
    timeout_seconds: start.timeoutSeconds,
    heartbeat_seconds: start.heartbeatSeconds,
    audiences: start.audiences,
    extra_claims: { ...facts.extra },
    aws_session_tags: facts.awsSessionTags,
  };
}

function readStartedJob(body: JsonObject): Result<StartedJob, RunnerFailure> {
  const identity = readRequestCredential(body);
  if (!identity.ok) return identity;
  const jobId = stringMember(body, 'job_id');
  const deadline = body.deadline;
  if (jobId === undefined || typeof deadline !== 'number') return unreadable();
  return ok({ jobId, deadline, identity: identity.value });
}

/** An issuer of before says nothing of it, and the job is over all the same. */
function readTold(value: JsonValue | undefined): readonly ToldAudience[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isJsonObject).flatMap((member) => {
    const [audience, heard] = [stringMember(member, 'audience'), stringMember(member, 'heard')];
    if (audience === undefined || heard === undefined) return [];
    const { tokens_until: until } = member;
    return [{ audience, heard, tokensUntil: typeof until === 'number' ? until : null }];
  });
}

function readRequestCredential(body: JsonObject): Result<RequestCredential, RunnerFailure> {
  const requestUrl = stringMember(body, 'request_url');
  const requestToken = stringMember(body, 'request_token');
  if (requestUrl === undefined || requestToken === undefined) return unreadable();
  return ok({ requestUrl, requestToken: new Secret(requestToken) });
}

const unreadable = (): Result<never, RunnerFailure> =>
  err({ kind: 'failed', message: 'the issuer answered with something else than a job' });
