// The checks of one token, each on its own. verify.ts runs them in order; none of them decides on a role.
import { type Claims, type JsonValue, stringMember } from '../../base/core/json.ts';
import { MAX_SUBJECT_CHARS } from '../../base/core/limits.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import { isVisibleId, MAX_ID_CHARS } from '../../base/core/visible-id.ts';
import { quote } from '../../base/json/quote.ts';
import { checkAudience } from '../../base/jwt/claims.ts';
import type { ParsedJws } from '../../base/jwt/jws.ts';
import type { TrustedIssuer } from '../settings.ts';

/** The algorithm is one that the operator allows for this issuer, compared exactly (RFC 8725 §3.1). */
export function checkAlgorithm(parsed: ParsedJws, issuer: TrustedIssuer): Result<string, Failure> {
  const alg = parsed.header.alg;
  return issuer.algorithms.includes(alg)
    ? ok(alg)
    : err(failure('algorithm_refused', `alg ${quote(alg)}, allowed ${issuer.algorithms.join(', ')}`));
}

/** OIDC Core §2: `sub` is a non-empty string of at most 255 ASCII characters; controls would break logs and patterns. */
export function checkSubject(claims: Claims): Result<string, Failure> {
  const sub = member(claims, 'sub');
  if (sub === undefined) return err(failure('claim_missing', 'sub'));
  if (typeof sub !== 'string' || !/^[\x20-\x7e]+$/.test(sub) || sub.length > MAX_SUBJECT_CHARS) {
    return err(
      failure('claim_malformed', `sub is not a string of 1 to ${MAX_SUBJECT_CHARS} printable ASCII characters`),
    );
  }
  return ok(sub);
}

/** `jti` may be absent (a single-use role refuses that later); when present it is a short string. */
export function checkTokenId(claims: Claims): Result<string | null, Failure> {
  return optionalId(claims, 'jti');
}

/** The job, for an issuer that tells of its jobs: its tokens must say which one they belong to. */
export function checkJobId(claims: Claims, issuer: TrustedIssuer): Result<string | null, Failure> {
  if (issuer.jobStatus.kind === 'none') return ok(null);
  const jobId = optionalId(claims, 'job_id');
  return jobId.ok && jobId.value === null ? err(failure('claim_missing', 'job_id')) : jobId;
}

/**
 * When the job must be over, for an issuer that tells of its jobs: a string of seconds since 1970, as every claim of ours
 * is a string. Null when the token does not say.
 */
export function checkDeadline(claims: Claims, issuer: TrustedIssuer): Result<EpochSeconds | null, Failure> {
  if (issuer.jobStatus.kind === 'none' || member(claims, 'job_deadline') === undefined) return ok(null);
  const text = stringMember(claims, 'job_deadline');
  return text !== undefined && /^[1-9][0-9]{0,11}$/.test(text)
    ? ok(Number(text))
    : err(failure('claim_malformed', 'job_deadline is not a string of whole seconds'));
}

function optionalId(claims: Claims, name: string): Result<string | null, Failure> {
  const id = member(claims, name);
  if (id === undefined) return ok(null);
  return typeof id === 'string' && isVisibleId(id)
    ? ok(id)
    : err(failure('claim_malformed', `${name} is not a string of 1 to ${MAX_ID_CHARS} visible ASCII characters`));
}

const member = (claims: Claims, name: string): JsonValue | undefined =>
  Object.hasOwn(claims, name) ? claims[name] : undefined;

/**
 * The token's audience, one of `allowed`. A token that also names the party it was made out to (`azp`, OIDC Core §2) must name
 * one of them there: AWS takes `azp` in the audience's place, and a token of somebody else's client is not for us.
 */
export function checkParties(claims: Claims, allowed: readonly string[]): Result<string, Failure> {
  const audience = checkAudience(claims, allowed);
  if (!audience.ok || !Object.hasOwn(claims, 'azp')) return audience;
  const { azp } = claims;
  if (typeof azp === 'string' && allowed.includes(azp)) return audience;
  return err(failure('audience_mismatch', `azp is ${quote(azp ?? null)}, which is no audience of ours`));
}
