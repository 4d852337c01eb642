// Issues one ID token to a job. What it says comes from the job's record alone; the mint is durable before the token
// leaves.
import type { Claims } from '../base/core/json.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { Secret } from '../base/core/secret.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import { identityClaims } from '../base/identity/claims.ts';
import { assembleJws } from '../base/jwt/assemble.ts';
import { encodeBase64url } from '../base/jwt/base64url.ts';
import { type Refusal, refuse } from '../base/refusal/refusal.ts';
import type { IssuerContext } from './context.ts';
import { lintIdToken } from './id-token-lint.ts';
import { hashRequestToken } from './request-token.ts';
import type { Job, RequestToken } from './store.ts';

/** The header's `typ` of an ID token; events of the same keys carry another. */
export const ID_TOKEN_TYPE = 'JWT';

const TOKEN_ID_BYTES = 16;

/** What a job asks for. It can only narrow what its record allows. */
export interface IdTokenAsk {
  readonly audience: string;
  /** Undefined: the issuer's setting. */
  readonly lifetimeSeconds?: number;
  /** Optional claims that must be in the token. */
  readonly wantedClaims?: readonly string[];
  /** Undefined: all that the record names. */
  readonly awsSessionTags?: readonly string[];
}

/** A job whose request token was presented and that still runs. */
export interface RunningJob {
  readonly job: Job;
  readonly requestToken: RequestToken;
}

/**
 * The job of the path, if the request token is its. A token of another job, of no job, and a job that does not exist
 * are the same refusal (`request_token_invalid`); then `rate_limited`; then `job_ended`, also when the deadline has passed and no sweeper
 * has seen it.
 */
export async function findRunningJob(
  context: IssuerContext,
  jobId: string,
  requestToken: Secret,
): Promise<Result<RunningJob, Refusal>> {
  const record = await context.store.findRequestToken(hashRequestToken(requestToken));
  const found = record?.jobId === jobId ? await context.store.findJob(jobId) : undefined;
  if (record === undefined || found === undefined) {
    return err(refuse(failure('request_token_invalid', 'no request token of the job in the path'), null));
  }
  const limited = context.limits?.check('job', jobId);
  if (limited !== undefined) return err(refuse(limited, whoOf(found)));
  const job = await context.ends.settle(found);
  if (job.endedAt !== null)
    return err(refuse(failure('job_ended', `over since ${job.endedAt}: ${job.endReason}`), whoOf(job)));
  return ok({ job, requestToken: record });
}

/** Who a job is in the log. */
export const whoOf = (job: Job): string => `job:${job.id}`;

/**
 * A signed ID token for exactly the asked audience. Fails with `audience_not_permitted`, `fork_not_permitted`,
 * `lifetime_exhausted`, `request_malformed` (a wanted claim that the token does not carry, a tag that the record does
 * not name), `job_ended`.
 */
export async function issueIdToken(
  context: IssuerContext,
  running: RunningJob,
  ask: IdTokenAsk,
): Promise<Result<string, Failure>> {
  const { job } = running;
  const permitted = permitAudience(context, running, ask.audience);
  if (!permitted.ok) return permitted;
  const now = context.clock.nowSeconds();
  const expiresAt = expiryOf(context, job, { now, lifetimeSeconds: ask.lifetimeSeconds });
  if (expiresAt <= now) return err(failure('lifetime_exhausted', `deadline ${job.deadline}, now ${now}`));
  const claims = makeClaims(context, job, { ask, now, expiresAt });
  if (!claims.ok) return claims;
  lintIdToken(claims.value.claims, {
    issuer: context.settings.url,
    audience: ask.audience,
    nowSeconds: now,
    deadline: job.deadline,
    maxLifetimeSeconds: context.settings.idTokenSeconds,
  });
  const { jti } = claims.value;
  const [token, recorded] = await Promise.all([
    assembleJws({ typ: ID_TOKEN_TYPE }, claims.value.claims, context.keys.signer()),
    context.store.recordToken({ jti, jobId: job.id, audience: ask.audience, expiresAt }),
  ]);
  // The store decides between a mint and the job's end: a token that it did not record is thrown away here.
  if (!recorded) return err(failure('job_ended', 'the job ended while the token was made'));
  return ok(token);
}

function permitAudience(context: IssuerContext, running: RunningJob, audience: string): Result<null, Failure> {
  const { job, requestToken } = running;
  const shown = JSON.stringify(audience.slice(0, 255));
  if (!job.audiences.includes(audience)) {
    return err(failure('audience_not_permitted', `${shown} is not among the job's`));
  }
  if (requestToken.audiences !== null && !requestToken.audiences.includes(audience)) {
    return err(failure('audience_not_permitted', `${shown} is not among this request token's`));
  }
  const { forks } = context.settings;
  if (job.facts.fork && !(forks.allow && forks.audiences.includes(audience))) {
    return err(failure('fork_not_permitted', `${shown} for a job from a fork`));
  }
  return ok(null);
}

function expiryOf(
  context: IssuerContext,
  job: Job,
  asked: { readonly now: EpochSeconds; readonly lifetimeSeconds: number | undefined },
): EpochSeconds {
  const lifetime = Math.min(context.settings.idTokenSeconds, asked.lifetimeSeconds ?? Number.POSITIVE_INFINITY);
  return Math.min(asked.now + lifetime, job.deadline);
}

function makeClaims(
  context: IssuerContext,
  job: Job,
  token: { readonly ask: IdTokenAsk; readonly now: EpochSeconds; readonly expiresAt: EpochSeconds },
): Result<{ readonly claims: Claims; readonly jti: string }, Failure> {
  const { ask, now, expiresAt } = token;
  const tags = ask.awsSessionTags ?? job.facts.awsSessionTags;
  if (!tags.every((tag) => job.facts.awsSessionTags.includes(tag))) {
    return err(failure('request_malformed', 'aws_session_tags: the job was not started with such a tag'));
  }
  const { profile, url } = context.settings;
  const identity = identityClaims(
    { ...job.facts, awsSessionTags: tags },
    { profile, jobId: job.id, deadline: job.deadline },
  );
  if (!(ask.wantedClaims ?? []).every((name) => Object.hasOwn(identity, name))) {
    return err(failure('request_malformed', 'claims: the token of this job carries no such claim'));
  }
  const jti = encodeBase64url(context.random.bytes(TOKEN_ID_BYTES));
  // The registered claims come last: nothing a controller says can stand in their place.
  const registered = { iss: url, aud: ask.audience, iat: now, nbf: now, exp: expiresAt, jti };
  return ok({ jti, claims: { ...identity, ...registered } });
}
