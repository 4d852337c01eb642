// The decision that every front of a gateway shares: does the session stand, and do its permissions allow what is asked, now
// and for as long as the request lasts? It reads no request and no credential, and asks nobody: it judges by what the feed told.

import { type Epoch, formatScope } from '../base/core/epoch.ts';
import { MAX_STALENESS_MS } from '../base/core/limits.ts';
import type { Statement } from '../base/core/permissions.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import type { CarriedSession } from '../base/credential/carried-session.ts';
import type { VerificationKey } from '../base/jwt/jwk.ts';
import { authorize, type PermissionRequest } from '../policy/iam/authorize.ts';
import type { RequestFacts } from '../policy/iam/permission-conditions.ts';
import type { CompiledPermissions } from '../policy/iam/statements.ts';

/** What the gateway knows at this moment. */
export interface Knowledge {
  /** Never earlier than the STS's own clock when it last spoke. */
  nowSeconds(): EpochSeconds;
  /** The STS's public keys; empty before the first feed message. */
  keys(): readonly VerificationKey[];
  isEnded(sessionId: string): boolean;
  /** The epoch that ended a session like this one, if one did. */
  epochOf(session: Pick<CarriedSession, 'role' | 'jobIssuer' | 'issuedAt'>): Epoch | undefined;
  /** How old the knowledge about sessions of this kind is at most. Infinity: unknown. */
  stalenessMs(session: { readonly jobBound: boolean; readonly jobIssuer: string }): number;
  /** The permissions of `tenant/name` in the active set. */
  permissionsOf(role: string): CompiledPermissions | undefined;
}

/** Which gateway decides, and whose word it takes. */
export interface Authority {
  readonly gateway: string;
  readonly group: string;
  readonly stsUrl: string;
  readonly clockSkewSeconds: number;
  readonly knowledge: Knowledge;
}

/** A verified credential, whatever its form. */
export interface Credential {
  readonly session: CarriedSession;
  /** The STS's key that its signature was checked with. */
  readonly key: VerificationKey;
  /** What narrows the role's permissions for this session; null: the role alone decides. */
  readonly policy: CompiledPermissions | null;
}

/** One thing that a request does. */
export interface Ask {
  readonly action: string;
  readonly resource: string;
  /** What conditions may ask about; the time, and what the session says of itself, are added at each decision. */
  readonly facts: Omit<RequestFacts, 'now' | 'tags' | 'sourceIdentity'>;
}

/** An ask of one session that is decided on again while its request lasts. */
interface StandingAsk extends Ask {
  readonly matched: NonNullable<PermissionRequest['matched']>;
}

/** What was allowed, and by what. */
export interface Permit {
  readonly credential: Credential;
  readonly asks: readonly StandingAsk[];
  /** The role's statement that allowed the first of them. */
  readonly statement: Statement;
}

/** A refusal; `session` is there when the credential was verified. */
export interface Refusal extends Failure {
  readonly session?: CarriedSession;
}

/**
 * Allows all of `asks` to whoever holds the credential, or none, in this order: a session that has not ended or expired; fresh
 * knowledge; for each ask a role in the active permission set, and a statement that allows it. Reasons: session_ended,
 * session_expired, feed_stale, role_unknown, permission_denied. The key is not looked at: opening the credential did that.
 */
export function permit(
  credential: Credential,
  asks: readonly [Ask, ...Ask[]],
  knowledge: Knowledge,
): Result<Permit, Refusal> {
  const { session } = credential;
  const [first, ...others] = [standing(asks[0]), ...asks.slice(1).map(standing)] as const;
  const lapsed = standingOf(session, knowledge);
  const decided = lapsed === undefined ? permitted(credential, first, knowledge) : err(lapsed);
  if (!decided.ok) return err({ ...decided.error, session });
  for (const ask of others) {
    const further = permitted(credential, ask, knowledge);
    if (!further.ok) return err({ ...further.error, session });
  }
  return ok({ credential, asks: [first, ...others], statement: decided.value });
}

const standing = (ask: Ask): StandingAsk => ({ ...ask, matched: new WeakMap() });

/**
 * Why a request that was permitted may go on no longer, or undefined: its session lapsed, the STS has withdrawn the key that
 * signed its credential, or the active permissions no longer allow what it does.
 */
export function withdrawalOf(
  { credential, asks }: Omit<Permit, 'statement'>,
  knowledge: Knowledge,
): Failure | undefined {
  const withdrawn = keyWithdrawal(credential.key, knowledge) ?? standingOf(credential.session, knowledge);
  if (withdrawn !== undefined) return withdrawn;
  for (const ask of asks) {
    // By the same permissions too: a condition on the time may have come to an end.
    const decided = permitted(credential, ask, knowledge);
    if (!decided.ok) return decided.error;
  }
  return undefined;
}

/** Why a credential that was signed with `key` is no longer one of the STS, or undefined. */
export function keyWithdrawal(key: VerificationKey, knowledge: Knowledge): Failure | undefined {
  const isKey = (known: VerificationKey): boolean => known === key || known.material.equals(key.material);
  return knowledge.keys().some((known) => !known.ambiguous && isKey(known))
    ? undefined
    : failure('key_unknown', 'the STS no longer publishes the key that signed the credential');
}

/**
 * Why a session that was good may go on no longer, or undefined. No leeway for clocks: an end that the STS no longer
 * tells because the session is past its expiry must not come to life again within the leeway.
 */
export function standingOf(session: CarriedSession, knowledge: Knowledge): Failure | undefined {
  if (knowledge.isEnded(session.sessionId)) return failure('session_ended', 'the STS ended the session');
  const epoch = knowledge.epochOf(session);
  if (epoch !== undefined) {
    return failure('session_ended', `an epoch ended what was issued up to ${epoch.at}: ${formatScope(epoch)}`);
  }
  if (session.expiresAt <= knowledge.nowSeconds()) {
    return failure('session_expired', `the session expired at ${session.expiresAt}`);
  }
  const staleness = knowledge.stalenessMs(session);
  if (staleness <= MAX_STALENESS_MS) return undefined;
  const known = Number.isFinite(staleness) ? `${staleness} ms old` : 'missing';
  return failure('feed_stale', `what is known of jobs of ${session.jobIssuer} is ${known}`);
}

/** The role's permissions and the session's own policy, each of which must allow it. */
function permitted(
  { session, policy }: Credential,
  ask: StandingAsk,
  knowledge: Knowledge,
): Result<Statement, Failure> {
  const role = knowledge.permissionsOf(session.role);
  if (role === undefined) {
    return err(failure('role_unknown', `role ${session.role} is not in the active permission set`));
  }
  const { action, matched, resource } = ask;
  const { claims, sourceIdentity, tags } = session;
  const request = {
    action,
    resource,
    claims,
    matched,
    facts: { ...ask.facts, now: knowledge.nowSeconds(), tags, sourceIdentity },
  };
  const { allow, statement } = authorize(role, request);
  if (!allow || statement === null) {
    const why = statement === null ? 'no statement allows' : `the statement in line ${statement.line} denies`;
    return err(failure('permission_denied', `${why} ${action} on ${resource}`));
  }
  return policy === null || authorize(policy, request).allow
    ? ok(statement)
    : err(failure('permission_denied', `the session policy does not allow ${action} on ${resource}`));
}
