// The one pipeline from a request to a session, whatever the wire: verify, decide, record. Nothing is answered before it is
// durable, and nothing is granted anywhere else. Making a credential of the session is the wire's business.
import type { Wire } from '../base/audit/record.ts';
import type { RoleRef, Trace } from '../base/core/decision.ts';
import { ID_RANDOM_BYTES, type IdKind, newId } from '../base/core/ids.ts';
import type { Claims } from '../base/core/json.ts';
import type { Statement } from '../base/core/permissions.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { Random } from '../base/ports/random.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import type { Role } from '../policy/role.ts';
import { carryingProblem } from './credentials.ts';
import { type Identity, type JudgeDeps, type Judgement, judge, type Question } from './judge.ts';
import { notedLifetime } from './lifetime.ts';
import { type Case, grantRecord, type RecordedToken, refusalRecord } from './records.ts';
import { type RefusalDeps, type Refused, refuseDurably, refuseUnverified } from './refusals.ts';
import { openSession } from './sessions.ts';
import type { StsSettings } from './settings.ts';
import type { GrantOutcome, Session, StsStore } from './store.ts';
import {
  type VerifiedFacts,
  type VerifiedToken,
  type VerifierDeps,
  verifiedFacts,
  verifyToken,
} from './verifier/verify.ts';

/** What every wire asks for. */
export interface ExchangeRequest {
  readonly wire: Wire;
  readonly token: string;
  /** An ARN that no role has is refused as any unknown role is: after the token was verified. */
  readonly role: RoleRef | { readonly awsRoleArn: string };
  /** Undefined: as long as the role allows. */
  readonly askedSeconds: number | undefined;
  readonly remoteAddress: string;
  /** Audiences that the wire takes besides those of the issuer's registration, for this request alone. */
  readonly audiences?: readonly string[];
  /** What the caller calls its session; only on wires that have such a name. */
  readonly sessionName?: string;
  /** Narrows the session beyond its role; null or absent: it does not. Precondition: readSessionPolicy or a named policy made it. */
  readonly sessionPolicy?: readonly Statement[] | null;
  /** Named session policies, by their ARNs; what is allowed is the union of them and `sessionPolicy`. */
  readonly policyArns?: readonly string[];
}

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

export interface ExchangeDeps extends JudgeDeps, RefusalDeps {
  readonly verifier: VerifierDeps;
  readonly policies: { current(): PolicySet };
  readonly awsPolicies: StsSettings['awsPolicies'];
  readonly store: Pick<StsStore, 'grant' | 'recordRefusal'>;
  /** `iss` of the credentials. */
  readonly stsUrl: string;
  readonly clockSkewSeconds: number;
  readonly clock: Clock;
  readonly random: Random;
}

const newCase = (deps: ExchangeDeps, request: Omit<Case, 'id' | 'at'>): Case => ({
  id: freshId(deps, 'D'),
  at: deps.clock.nowMs(),
  wire: request.wire,
  role: request.role,
  remoteAddress: request.remoteAddress,
});

const freshId = (deps: ExchangeDeps, kind: IdKind): string => newId(kind, deps.random.bytes(ID_RANDOM_BYTES));

/** Refuses a request that did not even become an exchange: it gets an id and a place in the ring. */
export const refuseUnread = (deps: ExchangeDeps, request: Omit<Case, 'id' | 'at'>, refusal: Failure): Refused =>
  refuseUnverified(deps, newCase(deps, request), { failure: refusal, checks: [] });

/** Runs the pipeline. Never rejects: whatever fails unexpectedly is a refusal, and nothing was answered. */
export async function exchange(deps: ExchangeDeps, request: ExchangeRequest): Promise<Granted | Refused> {
  const role = refOf(deps.policies.current(), request.role) ?? null;
  const opened = newCase(deps, { wire: request.wire, role, remoteAddress: request.remoteAddress });
  try {
    return await run(deps, request, opened);
  } catch (error) {
    return refuseUnexpected(deps, opened, error);
  }
}

/** Makes the credential of a grant. Never rejects: what fails unexpectedly is a refusal under the id of the grant. */
export async function issued<T>(
  deps: Pick<ExchangeDeps, 'clock' | 'log' | 'ring'>,
  granted: Granted,
  o: { readonly request: ExchangeRequest; readonly issue: () => Promise<T> },
): Promise<Result<T, Refused>> {
  try {
    return ok(await o.issue());
  } catch (error) {
    const { wire, remoteAddress } = o.request;
    const opened = { id: granted.decisionId, at: deps.clock.nowMs(), wire, role: granted.role.ref, remoteAddress };
    return err(refuseUnexpected(deps, opened, error));
  }
}

function refuseUnexpected(deps: Pick<ExchangeDeps, 'log' | 'ring'>, opened: Case, error: unknown): Refused {
  deps.log.error({ decision: opened.id, err: error }, 'an exchange failed unexpectedly');
  return refuseUnverified(deps, opened, { failure: failure('internal_failure', String(error)), checks: [] });
}

/** The role that a request names, in one set of policies. */
const refOf = (policies: PolicySet, asked: ExchangeRequest['role']): RoleRef | undefined =>
  'awsRoleArn' in asked ? policies.findByAwsArn(asked.awsRoleArn) : asked;

async function run(deps: ExchangeDeps, request: ExchangeRequest, before: Case): Promise<Granted | Refused> {
  const verification = await verifyToken(deps.verifier, request.token, request.audiences);
  if (!verification.ok) {
    const { authentic, checks } = verification;
    if (authentic === null || !verification.isMeantForUs) return refuseUnverified(deps, before, verification);
    const trace = { checks, jobBound: authentic.jobBound };
    const record = refusalRecord(before, authentic, { failure: verification.failure, trace });
    return refuseDurably(deps, record, request.token);
  }
  const { token, checks } = verification;
  const facts = verifiedFacts(token);
  // The policies of this moment decide, and they say whose the ARN is.
  const policies = deps.policies.current();
  const role = refOf(policies, request.role);
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
async function grant(deps: ExchangeDeps, opened: Case, allowed: Allowed): Promise<Granted | Refused> {
  const { judgement, now, request, token } = allowed;
  const facts = verifiedFacts(token);
  const { role } = judgement;
  const policy = sessionPolicyOf(deps, role.ref.tenant, request);
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

/** The union of the inline and the named policies; null when there are none. */
function sessionPolicyOf(
  { awsPolicies }: Pick<ExchangeDeps, 'awsPolicies'>,
  tenant: string,
  { policyArns = [], sessionPolicy = null }: ExchangeRequest,
): Result<readonly Statement[] | null, Failure> {
  if (policyArns.length === 0) return ok(sessionPolicy);
  const statements = [...(sessionPolicy ?? [])];
  for (const arn of policyArns) {
    const named = awsPolicies.get(tenant)?.get(arn);
    if (named === undefined) {
      return err(failure('session_policy_malformed', `tenant ${tenant} has no policy ${JSON.stringify(arn)}`));
    }
    statements.push(...named);
  }
  return ok(statements);
}

interface Narrowed extends Allowed {
  readonly policy: readonly Statement[] | null;
}

function sessionOf(deps: ExchangeDeps, opened: Case, { judgement, now, policy, request, token }: Narrowed): Session {
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
  deps: ExchangeDeps,
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
