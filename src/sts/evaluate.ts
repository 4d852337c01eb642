// The dry-run: the same checks and the same decision as an exchange, and nothing granted, stored or used up.
import { formatRoleRef, type RoleRef, type Trace } from '../base/core/decision.ts';
import type { Claims } from '../base/core/json.ts';
import { type Failure, type Reason, type SafeReason, safeReason } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import { identityOf } from './grant.ts';
import { type Identity, type JudgeDeps, judge } from './judge.ts';
import { findStop } from './stopped.ts';
import type { StsStore } from './store.ts';
import { checkDeadline, checkTokenId } from './verifier/checks.ts';
import { findIssuer } from './verifier/trusted-issuers.ts';
import { type VerifierDeps, verifiedFacts, verifyToken } from './verifier/verify.ts';

/** What would happen to this identity. Claims stand for a token that passed every check. */
export interface Evaluation {
  readonly role: RoleRef;
  readonly identity: { readonly token: string } | { readonly claims: Claims };
  readonly askedSeconds: number | undefined;
}

export interface EvaluationResult {
  readonly decision: 'allow' | 'deny';
  readonly reason: Reason | null;
  readonly safe_reason: SafeReason | null;
  readonly detail: string;
  readonly trace: Trace;
}

export interface EvaluateDeps extends JudgeDeps {
  readonly verifier: VerifierDeps;
  readonly policies: { current(): PolicySet };
  readonly clock: Clock;
  readonly store: Pick<StsStore, 'listEpochs' | 'listFreezes'>;
}

/** Runs verifier (for a token) and policy. Asks the issuer for keys and job status as an exchange would. */
export async function evaluate(deps: EvaluateDeps, asked: Evaluation): Promise<EvaluationResult> {
  const established = await establish(deps, asked.identity);
  if (!established.ok) return denied(established.error.failure, established.error.trace);
  const { identity, issuedFrom, trace } = established.value;
  const question = { role: asked.role, askedSeconds: asked.askedSeconds, now: deps.clock.nowSeconds() };
  const judgement = judge(deps, deps.policies.current(), { identity, question });
  const whole = { ...trace, ...judgement.trace };
  if (!judgement.allow) return denied(judgement.failure, whole);
  const scoped = { role: formatRoleRef(asked.role), issuer: identity.issuer, issuedFrom };
  const stop = await findStop(deps.store, scoped);
  if (stop !== undefined) return denied(stop, whole);
  const detail = `a session of ${judgement.trace.lifetime.givenSeconds} s at group ${judgement.role.session.gateway}`;
  return { decision: 'allow', reason: null, safe_reason: null, detail, trace: whole };
}

type Established = Result<
  { identity: Identity; issuedFrom: EpochSeconds; trace: Trace },
  { failure: Failure; trace: Trace }
>;

/** Claims that stand for a token stand for one that is issued now. */
const NEW_TOKEN = Number.POSITIVE_INFINITY;

async function establish(deps: EvaluateDeps, given: Evaluation['identity']): Promise<Established> {
  if ('claims' in given) return establishClaims(deps, given.claims);
  const verification = await verifyToken(deps.verifier, given.token);
  const { checks } = verification;
  if (!verification.ok) {
    const trace = { checks, jobBound: verification.authentic?.jobBound ?? false };
    return err({ failure: verification.failure, trace });
  }
  const facts = verifiedFacts(verification.token);
  const { issuedAt: issuedFrom, jobBound } = facts;
  return ok({ identity: identityOf(facts), issuedFrom, trace: { checks, jobBound } });
}

/** Claims as if verified: the issuer must be registered, and what the decision itself reads must be well formed. */
function establishClaims(deps: EvaluateDeps, claims: Claims): Established {
  const issuer = findIssuer(deps.verifier.issuers, Object.hasOwn(claims, 'iss') ? claims.iss : undefined);
  const refuse = (failure: Failure, jobBound: boolean): Established =>
    err({ failure, trace: { checks: [{ check: 'claims', outcome: 'failed', detail: failure.detail }], jobBound } });
  if (!issuer.ok) return refuse(issuer.error, false);
  const jobBound = issuer.value.jobStatus.kind === 'feed';
  const tokenId = checkTokenId(claims);
  if (!tokenId.ok) return refuse(tokenId.error, jobBound);
  const deadline = checkDeadline(claims, issuer.value);
  if (!deadline.ok) return refuse(deadline.error, jobBound);
  const identity: Identity = {
    issuer: issuer.value.issuer,
    claims,
    tokenId: tokenId.value,
    jobBound,
    deadline: deadline.value,
    issuerSeconds: issuer.value.maxSessionSeconds,
  };
  const checks = [{ check: 'claims', outcome: 'held', detail: 'taken as given: no token was verified' }] as const;
  return ok({ identity, issuedFrom: NEW_TOKEN, trace: { checks, jobBound } });
}

const denied = (refusal: Failure, trace: Trace): EvaluationResult => ({
  decision: 'deny',
  reason: refusal.reason,
  safe_reason: safeReason(refusal.reason),
  detail: refusal.detail,
  trace,
});
