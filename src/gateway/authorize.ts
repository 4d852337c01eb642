// The gateway's one decision: may whoever holds this credential do this to that? Every listener asks here and nowhere else.
// It sends nothing and asks nobody: it judges by what the feed has told.

import { MAX_STALENESS_MS } from '../base/core/limits.ts';
import type { Statement } from '../base/core/permissions.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import { type AccessToken, type OpenedToken, openAccessToken } from '../base/credential/access-token.ts';
import type { VerificationKey } from '../base/jwt/jwk.ts';
import { authorize } from '../policy/iam/authorize.ts';
import type { CompiledPermissions } from '../policy/iam/statements.ts';
import { parseQuery } from '../wire/query.ts';

/** What the gateway knows at this moment. */
export interface Knowledge {
  /** Never earlier than the STS's own clock when it last spoke. */
  nowSeconds(): EpochSeconds;
  /** The STS's public keys; empty before the first feed message. */
  keys(): readonly VerificationKey[];
  isEnded(sessionId: string): boolean;
  /** How old the knowledge about sessions of this kind is at most. Infinity: unknown. */
  stalenessMs(session: { readonly jobBound: boolean; readonly jobIssuer: string }): number;
  /** The permissions of `tenant/name` in the active set. */
  permissionsOf(role: string): CompiledPermissions | undefined;
}

/** One request as it is decided on. */
export interface AccessRequest {
  /** Every Authorization header of the request. */
  readonly authorization: readonly string[];
  readonly method: string;
  readonly pathForPolicy: string;
  /** The raw query without `?`, for the condition keys `http:Query/<name>`. */
  readonly query: string;
}

export interface Permit extends OpenedToken {
  readonly action: string;
  readonly resource: string;
  readonly query: string;
  /** The statement that allowed it. */
  readonly statement: Statement;
}

/** A refusal; `token` is there when the credential was verified. */
export interface Refusal extends Failure {
  readonly token?: AccessToken;
}

/** Which gateway decides, and whose word it takes. */
export interface Authority {
  readonly gateway: string;
  readonly group: string;
  readonly stsUrl: string;
  readonly clockSkewSeconds: number;
  readonly knowledge: Knowledge;
}

/**
 * Allows a request, or says why not, in this order: exactly one bearer credential; something known to check it with; a valid
 * access token of this STS for this group; a session that has not ended or expired; fresh knowledge; a role in the active
 * permission set; a statement that allows `http:<METHOD>` on `arn:jobpass:http:::<gateway>/<path>`. Reasons: credential_missing,
 * token_*, key_*, group_mismatch and the like from opening, session_ended, session_expired, feed_stale, role_unknown,
 * permission_denied.
 */
export async function authorizeRequest(a: Authority, request: AccessRequest): Promise<Result<Permit, Refusal>> {
  const credential = bearerCredential(request.authorization);
  if (!credential.ok) return credential;
  const keys = a.knowledge.keys();
  if (keys.length === 0) return err(failure('feed_stale', 'the STS has not been heard from yet'));
  const opened = await openAccessToken(credential.value, {
    issuer: a.stsUrl,
    group: a.group,
    keys,
    nowSeconds: a.knowledge.nowSeconds(),
    skewSeconds: a.clockSkewSeconds,
  });
  if (!opened.ok) return opened;
  const { token } = opened.value;
  const action = `http:${request.method}`;
  const resource = `arn:jobpass:http:::${a.gateway}/${request.pathForPolicy}`;
  const lapsed = standingOf(token, a.knowledge);
  const asked = { token, action, resource, query: request.query };
  const decided = lapsed === undefined ? permitted(a.knowledge, asked) : err(lapsed);
  return decided.ok ? ok({ ...opened.value, ...asked, ...decided.value }) : err({ ...decided.error, token });
}

/**
 * Why a request that was permitted may go on no longer, or undefined: its session lapsed, the STS has withdrawn the key that
 * signed its credential, or the active permissions no longer allow what it does.
 */
export function withdrawalOf(permit: Permit, knowledge: Knowledge): Failure | undefined {
  const { token, key } = permit;
  if (!knowledge.keys().some((known) => !known.ambiguous && known.material.equals(key.material))) {
    return failure('key_unknown', 'the STS no longer publishes the key that signed the credential');
  }
  const lapsed = standingOf(token, knowledge);
  if (lapsed !== undefined) return lapsed;
  // By the same permissions too: a condition on the time may have come to an end.
  const decided = permitted(knowledge, permit);
  return decided.ok ? undefined : decided.error;
}

/**
 * Why a session that was good may go on no longer, or undefined. No leeway for clocks: an end that the STS no longer
 * tells because the session is past its expiry must not come to life again within the leeway.
 */
function standingOf(token: AccessToken, knowledge: Knowledge): Failure | undefined {
  if (knowledge.isEnded(token.sessionId)) return failure('session_ended', 'the STS ended the session');
  if (token.expiresAt <= knowledge.nowSeconds()) {
    return failure('session_expired', `the session expired at ${token.expiresAt}`);
  }
  const staleness = knowledge.stalenessMs(token);
  if (staleness <= MAX_STALENESS_MS) return undefined;
  const known = Number.isFinite(staleness) ? `${staleness} ms old` : 'missing';
  return failure('feed_stale', `what is known of jobs of ${token.jobIssuer} is ${known}`);
}

function permitted(
  knowledge: Knowledge,
  { token, action, resource, query }: Pick<Permit, 'token' | 'action' | 'resource' | 'query'>,
): Result<Pick<Permit, 'statement'>, Failure> {
  const permissions = knowledge.permissionsOf(token.role);
  if (permissions === undefined) {
    return err(failure('role_unknown', `role ${token.role} is not in the active permission set`));
  }
  const parsed = parseQuery(query);
  const facts = { now: knowledge.nowSeconds(), ...(parsed.ok ? { query: parsed.value } : {}) };
  const { allow, statement } = authorize(permissions, { action, resource, claims: token.claims, facts });
  if (allow && statement !== null) return ok({ statement });
  const why = statement === null ? 'no statement allows' : `the statement in line ${statement.line} denies`;
  return err(failure('permission_denied', `${why} ${action} on ${resource}`));
}

/**
 * The one bearer credential of a request (RFC 6750 §2.1; the scheme's name in any case, RFC 9110 §11.1). Query parameters,
 * forms and cookies are never looked at.
 */
function bearerCredential(authorization: readonly string[]): Result<string, Failure> {
  const [header, ...others] = authorization;
  if (header === undefined) return err(failure('credential_missing', 'no Authorization header'));
  if (others.length > 0) return err(failure('token_malformed', 'several Authorization headers'));
  const match = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(header);
  const credential = match?.[1];
  return credential === undefined ? err(failure('credential_missing', 'no bearer credential')) : ok(credential);
}
