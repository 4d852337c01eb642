// RFC 7662 token introspection, both directions. Whether a token is active is the issuer's business.
import { type JsonObject, stringMember } from '../../base/core/json.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { EpochSeconds } from '../../base/core/time.ts';

/** What an active token is (RFC 7662 §2.2), with the job it belongs to. */
export interface ActiveToken {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
  readonly expiresAt: EpochSeconds;
  readonly issuedAt: EpochSeconds;
  readonly tokenId: string;
  readonly jobId: string;
}

/**
 * The presented token (RFC 7662 §2.1). The hint changes nothing here and is ignored. Fails with `request_malformed`.
 */
export function decodeIntrospectionRequest(form: ReadonlyMap<string, string>): Result<string, Failure> {
  const token = form.get('token') ?? '';
  return token === '' ? err(failure('request_malformed', 'the token parameter is missing')) : ok(token);
}

/** The client's side: the form body that asks about `token`. */
export const encodeIntrospectionRequest = (token: string): string => new URLSearchParams({ token }).toString();

/** RFC 7662 §2.2: of a token that is not active, nothing else is said, not even why. */
export function encodeIntrospectionResponse(token: ActiveToken | null): JsonObject {
  if (token === null) return { active: false };
  return {
    active: true,
    iss: token.issuer,
    sub: token.subject,
    aud: token.audience,
    exp: token.expiresAt,
    iat: token.issuedAt,
    jti: token.tokenId,
    job_id: token.jobId,
  };
}

/**
 * The client's side. Null: the token is not active. Fails with `job_status_unknown` when the answer is neither a clear
 * yes with its members nor a clear no.
 */
export function decodeIntrospectionResponse(body: JsonObject): Result<ActiveToken | null, Failure> {
  const active = Object.hasOwn(body, 'active') ? body.active : undefined;
  if (active === false) return ok(null);
  const issuer = stringMember(body, 'iss');
  const subject = stringMember(body, 'sub');
  const audience = stringMember(body, 'aud');
  const tokenId = stringMember(body, 'jti');
  const jobId = stringMember(body, 'job_id');
  const { exp, iat } = body;
  const whole = typeof exp === 'number' && typeof iat === 'number';
  if (active !== true || !issuer || !subject || !audience || !tokenId || !jobId || !whole) {
    return err(failure('job_status_unknown', 'the introspection answer is incomplete'));
  }
  return ok({ issuer, subject, audience, expiresAt: exp, issuedAt: iat, tokenId, jobId });
}
