// From a verified identity and one role to a session: judged, and made durable before anything is answered. Which role it is, and
// what verified the identity, is exchange's business.
import type { RoleRef, Trace } from '../base/core/decision.ts';
import { ID_RANDOM_BYTES, type IdKind, newIdAt } from '../base/core/ids.ts';
import type { Statement } from '../base/core/permissions.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { Random } from '../base/ports/random.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import type { Role } from '../policy/role.ts';
import { carryingProblem } from './credentials.ts';
import type { CredentialRequest } from './exchange-request.ts';
import { type Identity, type JudgeDeps, type Judgement, judge, type Question } from './judge.ts';
import { notedLifetime } from './lifetime.ts';
import { type NarrowingDeps, narrow } from './narrowing.ts';
import { type Case, refusalRecord } from './records.ts';
import { type Refused, refuseDurably } from './refusals.ts';
import { openSession } from './sessions.ts';
import { recorded, refuseGrant, type SettleDeps, settle } from './settle.ts';
import type { Federation, Session, TokenUse } from './store.ts';
import type { ParentSession } from './verifier/federated.ts';
import { audienceOf } from './verifier/verification.ts';
import { type Verified, type VerifiedFacts, type VerifiedToken, verifiedFacts } from './verifier/verify.ts';

/** A grant that is durable. The wire makes its credential of it, with `issued`. */
export interface Granted {
  readonly ok: true;
  /** The one that granted the session, also when it is given again. */
  readonly decisionId: string;
  readonly session: Session;
  /** From now on: of a repeated session, what is left of it. */
  readonly expiresInSeconds: number;
  /** As it was decided on. */
  readonly role: Role;
  /** The token's one audience. */
  readonly audience: string;
}

export interface GrantDeps extends JudgeDeps, SettleDeps, NarrowingDeps {
  /** `iss` of the credentials. */
  readonly stsUrl: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** What is decided on. */
interface Asked {
  readonly request: CredentialRequest;
  /** How the request names the role, for people. */
  readonly askedName: unknown;
  readonly verified: Verified;
  /** Undefined when no active role is what the request names. */
  readonly role: RoleRef | undefined;
  readonly policies: PolicySet;
  /** The session that the new one comes of; absent: it comes of an identity token. */
  readonly parent?: ParentSession;
  /** The provider by which another session may come of the new one; absent: none may. */
  readonly provider?: string;
}

/** A new id of this kind. */
export const freshId = ({ clock, random }: Pick<GrantDeps, 'clock' | 'random'>, kind: IdKind): string =>
  newIdAt(kind, clock.nowSeconds(), random.bytes(ID_RANDOM_BYTES));

/** Judges, and grants or refuses; either is durable before it is told, as far as the store lets it be. */
export async function decideOn(deps: GrantDeps, before: Case, o: Asked): Promise<Granted | Refused> {
  const { askedName, parent, policies, request, role, verified } = o;
  const { token, checks } = verified;
  const facts = verifiedFacts(token);
  const opened = { ...before, role: role ?? null };
  const now = deps.clock.nowSeconds();
  const judgement =
    role === undefined
      ? unknownRole(askedName)
      : judge(deps, policies, { identity: identityOf(facts), question: questionOf(request, { role, now, parent }) });
  const trace = { checks, ...judgement.trace, jobBound: facts.jobBound };
  if (!judgement.allow) {
    const record = refusalRecord(opened, recorded(facts), { failure: judgement.failure, trace });
    return refuseDurably(deps, record, request.token);
  }
  return grant(deps, opened, { ...o, token, facts, judgement, trace, now });
}

const unknownRole = (askedName: unknown): Judgement => ({
  allow: false,
  failure: failure('role_unknown', `no active role is called ${JSON.stringify(askedName)}`),
  trace: {},
});

/** What is asked of one role. */
export const questionOf = (
  request: CredentialRequest,
  o: Pick<Question, 'role' | 'now'> & { readonly parent?: ParentSession | undefined },
): Question => ({
  role: o.role,
  now: o.now,
  askedSeconds: request.askedSeconds,
  sourceAddress: request.remoteAddress,
  ...(request.sessionName === undefined ? {} : { sessionName: request.sessionName }),
  ...(o.parent === undefined ? {} : { parentEnd: o.parent.expiresAt }),
});

/** What the policy decides on. */
export const identityOf = (facts: VerifiedFacts): Identity => ({
  issuer: facts.issuer.issuer,
  claims: facts.claims,
  tokenId: facts.tokenId,
  jobBound: facts.jobBound,
  deadline: facts.deadline,
  issuerSeconds: facts.issuer.maxSessionSeconds,
});

interface Allowed extends Pick<Asked, 'request' | 'parent' | 'provider'> {
  readonly token: VerifiedToken;
  readonly facts: VerifiedFacts;
  readonly judgement: Extract<Judgement, { allow: true }>;
  readonly trace: Trace;
  readonly now: number;
}

/** Makes session and record durable in one transaction. */
async function grant(deps: GrantDeps, opened: Case, allowed: Allowed): Promise<Granted | Refused> {
  const { facts, judgement, request } = allowed;
  const { attributes, claims, role } = judgement;
  const refuse = (refusal: Failure): Promise<Refused> => refuseGrant(deps, opened, { ...allowed, refusal });
  const crossing = groupProblem(role, allowed.parent);
  if (crossing !== undefined) return refuse(crossing);
  const policy = narrow(deps, { role, claims, tags: attributes.tags }, request);
  if (!policy.ok) return refuse(policy.error);
  const session = sessionOf(deps, opened, { ...allowed, policy: policy.value });
  const problem = carryingProblem(request.wire, { session, role, stsUrl: deps.stsUrl });
  if (problem !== undefined) {
    const refused = await refuse(problem);
    return problem.percent === undefined ? refused : { ...refused, packedPolicyPercent: problem.percent };
  }
  const uses = usesOf(deps, role, allowed);
  if (!uses.ok) return refuse(uses.error);
  const grantTrace = traceOf(session, allowed);
  const issuedFrom = issuedFromOf(facts, {
    now: allowed.now,
    leewaySeconds: role.session.singleUse ? deps.clockSkewSeconds : 0,
  });
  const settled = await settle(deps, opened, { ...allowed, session, grantTrace, uses: uses.value, issuedFrom });
  if (!settled.ok) return settled.error;
  const { decisionId, expiresAt } = settled.value;
  const expiresInSeconds = expiresAt - allowed.now;
  return { ok: true, decisionId, session: settled.value, expiresInSeconds, role, audience: audienceOf(facts.claims) };
}

/** A gateway that a session's token was shown to must not get by it into another group (design, section 2). */
function groupProblem({ session: { gateway } }: Role, parent: ParentSession | undefined): Failure | undefined {
  if (parent === undefined || parent.group === null || parent.group === gateway) return undefined;
  return failure('chaining_refused', `the session is of group ${parent.group}, and the role of group ${gateway}`);
}

/** What the grant uses up: the token of a role that takes each once, and the one session that may come of a parent. */
function usesOf(
  { clockSkewSeconds, stsUrl }: Pick<GrantDeps, 'clockSkewSeconds' | 'stsUrl'>,
  { session: { singleUse } }: Role,
  { facts, now, parent }: Allowed,
): Result<readonly TokenUse[], Failure> {
  const uses = parent === undefined ? [] : [{ exp: parent.expiresAt, iss: stsUrl, jti: parent.id }];
  const { expiresAt: exp, tokenId: jti } = facts;
  if (!singleUse || jti === null) return ok(uses);
  // Beyond that moment the store may have forgotten that the token was used.
  if (exp + clockSkewSeconds <= now) {
    return err(
      failure('token_expired', 'the role takes each token once, and the one behind the session is past its expiry'),
    );
  }
  // The token's own expiry and no setting: a use must be met again after the skew was changed. The store remembers it for
  // longer than any skew lets the token be accepted.
  return ok([...uses, { exp, iss: facts.issuer.issuer, jti }]);
}

/**
 * Since when the token can be. A token that lies ahead of our clock may have been issued at any moment up to now; where each
 * token counts once, a clock of the issuer's that is ahead must not carry one over an epoch either.
 */
export const issuedFromOf = (
  { issuedAt }: Pick<VerifiedFacts, 'issuedAt'>,
  { leewaySeconds, now }: { readonly now: number; readonly leewaySeconds: number },
): number => Math.floor(Math.min(issuedAt - leewaySeconds, now));

interface Shaped extends Allowed {
  readonly policy: readonly Statement[] | null;
}

function sessionOf(deps: GrantDeps, opened: Case, o: Shaped): Session {
  const { facts, judgement, now, parent, policy, provider, request, token } = o;
  const { attributes, claims, role, trace } = judgement;
  return openSession(token, {
    decisionId: opened.id,
    sessionId: freshId(deps, 'S'),
    role: role.ref,
    group: role.session.gateway,
    now,
    lifetimeSeconds: trace.lifetime.givenSeconds,
    claims,
    tags: attributes.tags,
    sourceIdentity: attributes.sourceIdentity,
    name: request.sessionName ?? null,
    policy,
    federation: provider === undefined ? null : federationOf(facts, provider),
    parentId: parent?.id ?? null,
  });
}

/** What is remembered of the identity for another session to come of it. */
export const federationOf = ({ claims, expiresAt, issuedAt }: VerifiedFacts, provider: string): Federation => ({
  provider,
  claims,
  tokenIssuedAt: Math.floor(issuedAt),
  tokenExpiresAt: expiresAt,
});

/** The trace with what only a grant has: what the session is besides its role, and a note on its life. */
function traceOf({ name, policy, sourceIdentity, tags }: Session, { judgement, request, trace }: Allowed): Trace {
  const lifetime = notedLifetime(judgement.trace.lifetime, request.wire);
  const narrowed = policy !== null;
  const isPlain = name === null && !narrowed && sourceIdentity === null && Object.keys(tags).length === 0;
  if (isPlain) return { ...trace, lifetime };
  return { ...trace, lifetime, session: { ...(name === null ? {} : { name }), tags, sourceIdentity, narrowed } };
}
