// From a verified identity and one role to a session: judged, and made durable before anything is answered. Which role it is, and
// what verified the identity, is exchange's business.
import type { RoleRef, Trace } from '../base/core/decision.ts';
import { ID_RANDOM_BYTES, type IdKind, newId } from '../base/core/ids.ts';
import type { Claims } from '../base/core/json.ts';
import type { Statement } from '../base/core/permissions.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { Random } from '../base/ports/random.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import type { Role } from '../policy/role.ts';
import { carryingProblem } from './credentials.ts';
import type { ExchangeRequest } from './exchange-request.ts';
import { type Identity, type JudgeDeps, type Judgement, judge, type Question } from './judge.ts';
import { notedLifetime } from './lifetime.ts';
import { type NarrowingDeps, narrow } from './narrowing.ts';
import { type Case, grantRecord, type RecordedToken, refusalRecord } from './records.ts';
import { type RefusalDeps, type Refused, refuseDurably, refuseUnverified } from './refusals.ts';
import { openSession } from './sessions.ts';
import type { GrantOutcome, Session, StsStore } from './store.ts';
import { type Verification, type VerifiedFacts, type VerifiedToken, verifiedFacts } from './verifier/verify.ts';

/** A grant that is durable. The wire makes its credential of it, with `issued`. */
export interface Granted {
  readonly ok: true;
  readonly decisionId: string;
  readonly session: Session;
  /** As it was decided on. */
  readonly role: Role;
  /** The token's one audience. */
  readonly audience: string;
}

export interface GrantDeps extends JudgeDeps, RefusalDeps, NarrowingDeps {
  readonly store: Pick<StsStore, 'grant' | 'recordRefusal'>;
  /** `iss` of the credentials. */
  readonly stsUrl: string;
  readonly clockSkewSeconds: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** What is decided on. */
interface Asked {
  readonly request: ExchangeRequest;
  readonly verified: Extract<Verification, { ok: true }>;
  /** Undefined when no active role is what the request names. */
  readonly role: RoleRef | undefined;
  readonly policies: PolicySet;
}

/** A new id of this kind. */
export const freshId = ({ random }: Pick<GrantDeps, 'random'>, kind: IdKind): string =>
  newId(kind, random.bytes(ID_RANDOM_BYTES));

/** Judges, and grants or refuses; either is durable before it is told, as far as the store lets it be. */
export async function decideOn(
  deps: GrantDeps,
  before: Case,
  { policies, request, role, verified }: Asked,
): Promise<Granted | Refused> {
  const { token, checks } = verified;
  const facts = verifiedFacts(token);
  const opened = { ...before, role: role ?? null };
  const now = deps.clock.nowSeconds();
  const judgement =
    role === undefined
      ? unknownRole(request.role)
      : judge(deps, policies, { identity: identityOf(facts), question: questionOf(request, { role, now }) });
  const trace = { checks, ...judgement.trace, jobBound: facts.jobBound };
  if (!judgement.allow) {
    const record = refusalRecord(opened, recorded(facts), { failure: judgement.failure, trace });
    return refuseDurably(deps, record, request.token);
  }
  return grant(deps, opened, { token, request, judgement, trace, now });
}

const unknownRole = (asked: ExchangeRequest['role']): Judgement => ({
  allow: false,
  failure: failure('role_unknown', `no active role is called ${JSON.stringify(asked)}`),
  trace: {},
});

const questionOf = (request: ExchangeRequest, o: Pick<Question, 'role' | 'now'>): Question => ({
  ...o,
  askedSeconds: request.askedSeconds,
  sourceAddress: request.remoteAddress,
  ...(request.sessionName === undefined ? {} : { sessionName: request.sessionName }),
});

const recorded = (facts: VerifiedFacts): RecordedToken => ({
  issuer: facts.issuer.issuer,
  claims: facts.claims,
  jobId: facts.jobId,
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

interface Allowed {
  readonly token: VerifiedToken;
  readonly request: ExchangeRequest;
  readonly judgement: Extract<Judgement, { allow: true }>;
  readonly trace: Trace;
  readonly now: number;
}

/** Makes session and record durable in one transaction. */
async function grant(deps: GrantDeps, opened: Case, allowed: Allowed): Promise<Granted | Refused> {
  const { judgement, now, request, token } = allowed;
  const facts = verifiedFacts(token);
  const { attributes, claims, role } = judgement;
  const policy = narrow(deps, { role, claims, tags: attributes.tags }, request);
  const session = sessionOf(deps, opened, { ...allowed, policy: policy.ok ? policy.value : [] });
  const trace = grantTrace(session, allowed);
  const refuse = (refusal: Failure): Promise<Refused> => {
    const checks = [...trace.checks, { check: 'grant', outcome: 'failed', detail: refusal.detail } as const];
    const record = refusalRecord(opened, recorded(facts), { failure: refusal, trace: { ...allowed.trace, checks } });
    return refuseDurably(deps, record, request.token);
  };
  if (!policy.ok) return refuse(policy.error);
  const problem = carryingProblem(request.wire, { session, role, stsUrl: deps.stsUrl });
  if (problem !== undefined) {
    const refused = await refuse(problem);
    return problem.percent === undefined ? refused : { ...refused, packedPolicyPercent: problem.percent };
  }
  const record = grantRecord(opened, recorded(facts), { session, trace });
  const isSingleUse = role.session.singleUse && facts.tokenId !== null;
  // The token's own expiry and no setting: a use must be met again after the skew was changed. The store remembers it for
  // longer than any skew lets the token be accepted.
  const use = isSingleUse ? { exp: facts.expiresAt, iss: facts.issuer.issuer, jti: facts.tokenId } : null;
  const outcome = await tryGrant(deps, { session, record, use, now, skewSeconds: deps.clockSkewSeconds });
  if (outcome === 'granted') {
    return { ok: true, decisionId: opened.id, session, role, audience: audienceOf(facts.claims) };
  }
  const refusal = failureOf(outcome);
  if (outcome !== 'store_unavailable') return refuse(refusal);
  return refuseUnverified(deps, opened, { failure: refusal, checks: trace.checks });
}

interface Shaped extends Allowed {
  readonly policy: readonly Statement[] | null;
}

function sessionOf(deps: GrantDeps, opened: Case, { judgement, now, policy, request, token }: Shaped): Session {
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
  });
}

/** The trace with what only a grant has: what the session is besides its role, and a note on its life. */
function grantTrace({ name, policy, sourceIdentity, tags }: Session, { judgement, request, trace }: Allowed): Trace {
  const lifetime = notedLifetime(judgement.trace.lifetime, request.wire);
  const narrowed = policy !== null;
  const isPlain = name === null && !narrowed && sourceIdentity === null && Object.keys(tags).length === 0;
  if (isPlain) return { ...trace, lifetime };
  return { ...trace, lifetime, session: { ...(name === null ? {} : { name }), tags, sourceIdentity, narrowed } };
}

/** Precondition: verified, so it is a string or a list of one. */
const audienceOf = ({ aud }: Claims): string => String(Array.isArray(aud) ? aud[0] : aud);

async function tryGrant(
  deps: GrantDeps,
  wanted: Parameters<StsStore['grant']>[0],
): Promise<GrantOutcome | 'store_unavailable'> {
  try {
    return await deps.store.grant(wanted);
  } catch (error) {
    deps.log.error({ decision: wanted.record.id, err: error }, 'a grant could not be made durable');
    return 'store_unavailable';
  }
}

function failureOf(outcome: Exclude<GrantOutcome, 'granted'> | 'store_unavailable'): Failure {
  switch (outcome) {
    case 'job_ended':
      return failure('job_ended', 'the job ended before the grant was durable');
    case 'token_replayed':
      return failure('token_replayed', 'this token was used for a single-use role before');
    case 'clock_behind':
      return failure('clock_behind', 'the clock is behind the latest time already acted on, by more than the skew');
    case 'store_unavailable':
      return failure('store_unavailable', 'the store did not take session and record');
  }
}
