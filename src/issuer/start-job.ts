// Starts a job: facts checked against the controller's bounds, job and request token durable before the answer.
// Idempotent by key.
import { createHash } from 'node:crypto';
import type { Client, ControllerGrant, IssuerGrant } from '../base/client-auth/client.ts';
import { ID_RANDOM_BYTES, newId } from '../base/core/ids.ts';
import type { JsonObject } from '../base/core/json.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { Secret } from '../base/core/secret.ts';
import { identityClaims } from '../base/identity/claims.ts';
import { subjectOf } from '../base/identity/subject.ts';
import { canonicalJson } from '../base/json/parse.ts';
import type { IssuerContext } from './context.ts';
import { MAX_REQUEST_TOKENS, newRequestToken, requestTokenRecord } from './request-token.ts';
import { readStartRequest, type StartRequest } from './start-request.ts';
import type { StartSchema } from './start-schema.ts';
import type { Job, RequestToken } from './store.ts';

/** A client that may start jobs. */
export type Controller = Client<IssuerGrant> & { readonly may: { readonly jobs: ControllerGrant } };

export interface StartedJob {
  readonly job: Job;
  readonly requestToken: Secret;
  /** False: the same start was answered before, and this is the same job with one more request token. */
  readonly created: boolean;
}

/** Leaves room in 16 KiB for the registered claims, the encoding and an RS256 signature. */
const MAX_IDENTITY_BYTES = 8 * 1024;

/**
 * Starts the job that `body` describes. Fails with `facts_invalid`, `owner_not_permitted`, `subject_too_long`,
 * `idempotency_conflict`, `job_ended` (the same start, but that job is over), `too_many_request_tokens`.
 */
export async function startJob(
  context: IssuerContext,
  schema: StartSchema,
  start: { readonly controller: Controller; readonly body: JsonObject },
): Promise<Result<StartedJob, Failure>> {
  const { controller, body } = start;
  const grant = controller.may.jobs;
  const request = readStartRequest(body, { schema, grant, profile: context.settings.profile });
  if (!request.ok) return request;
  const { owner } = request.value.facts;
  // Both must be one entry's: an id with another owner's name would lend that name to this controller's subjects.
  if (!grant.owners.some((own) => own.id === owner.id && own.name === owner.name)) {
    return err(failure('owner_not_permitted', `owner ${JSON.stringify(owner)}`));
  }
  const job = newJob(context, request.value, { controller: controller.name, digest: digestOf(body) });
  const checked = checkIdentity(job, context.settings.profile);
  if (!checked.ok) return checked;
  const requestToken = newRequestToken(context.random);
  const record = requestTokenRecord(requestToken, job.id, null);
  const stored = await context.store.startJob(job, record);
  if (!stored.created) return await repeatStart(context, { job, found: stored.job, requestToken, record });
  context.log.info({ job: job.id, controller: controller.name }, 'job started');
  return ok({ job: stored.job, requestToken, created: true });
}

function newJob(
  context: IssuerContext,
  request: StartRequest,
  origin: { readonly controller: string; readonly digest: string },
): Job {
  const now = context.clock.nowSeconds();
  return {
    id: newId('J', context.random.bytes(ID_RANDOM_BYTES)),
    controller: origin.controller,
    idempotencyKey: request.idempotencyKey,
    requestDigest: origin.digest,
    facts: request.facts,
    audiences: request.audiences,
    startedAt: now,
    deadline: now + request.timeoutSeconds,
    heartbeatSeconds: request.heartbeatSeconds,
    lastHeartbeatAt: now,
    endedAt: null,
    endReason: null,
  };
}

/** A job that could never get a token is refused when it starts, not when it asks. */
function checkIdentity(job: Job, profile: 'jobpass' | 'github'): Result<null, Failure> {
  const subject = subjectOf(job.facts, profile);
  if (!subject.ok) return subject;
  const claims = identityClaims(job.facts, { profile, jobId: job.id, deadline: job.deadline });
  if (Buffer.byteLength(JSON.stringify(claims)) > MAX_IDENTITY_BYTES) {
    return err(failure('facts_invalid', `1 problem: body: the claims take more than ${MAX_IDENTITY_BYTES} bytes`));
  }
  return ok(null);
}

async function repeatStart(
  context: IssuerContext,
  repeat: {
    readonly job: Job;
    readonly found: Job;
    readonly requestToken: Secret;
    readonly record: RequestToken;
  },
): Promise<Result<StartedJob, Failure>> {
  const { found, requestToken, record } = repeat;
  if (found.requestDigest !== repeat.job.requestDigest) {
    return err(failure('idempotency_conflict', `job ${found.id} was started with other facts`));
  }
  const settled = await context.ends.settle(found);
  const added = await context.store.addRequestToken({ ...record, jobId: found.id }, MAX_REQUEST_TOKENS);
  if (added === 'job_ended') return err(failure('job_ended', `job ${found.id} is over: ${settled.endReason}`));
  if (added === 'too_many') return err(failure('too_many_request_tokens', `job ${found.id}`));
  return ok({ job: settled, requestToken, created: false });
}

/** SHA-256 of the canonical body, hex: two spellings of one request are one request. */
const digestOf = (body: JsonObject): string => createHash('sha256').update(canonicalJson(body)).digest('hex');
