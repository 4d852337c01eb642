// The decision on one verified identity and one role: policy, session claims, lifetime. Pure; exchange and dry-run share it.
import type { LifetimeTrace, RoleRef, RoleTrace } from '../base/core/decision.ts';
import type { Claims } from '../base/core/json.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import { decide, type PolicyRequest } from '../policy/decide.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import type { Ceiling, Role } from '../policy/role.ts';
import { sessionClaims } from '../policy/session-claims.ts';
import type { SessionAttributes } from '../policy/trust/trust.ts';
import { type LifetimeBounds, sessionLifetime } from './lifetime.ts';

/** The identity as far as it was established. */
export interface Identity {
  readonly issuer: string;
  readonly claims: Claims;
  readonly tokenId: string | null;
  readonly jobBound: boolean;
  readonly deadline: EpochSeconds | null;
  /** The bound that the operator set for sessions of this issuer; null: none. */
  readonly issuerSeconds: number | null;
}

export interface Question {
  readonly role: RoleRef;
  readonly askedSeconds: number | undefined;
  readonly now: EpochSeconds;
  /** Undefined in a dry run: nobody asked from anywhere. */
  readonly sourceAddress?: string;
  /** What the caller calls its session; absent on wires that have no such name. */
  readonly sessionName?: string;
  /** The end of the session that the new one comes of; absent: it comes of none. */
  readonly parentEnd?: EpochSeconds;
}

/** The answer, with whatever of the trace was reached. */
export type Judgement =
  | {
      readonly allow: true;
      readonly role: Role;
      readonly claims: Readonly<Record<string, string>>;
      /** Tags and source identity, as the trust entry that held lets them be. */
      readonly attributes: SessionAttributes;
      readonly trace: { readonly role: RoleTrace; readonly lifetime: LifetimeTrace };
    }
  | {
      readonly allow: false;
      readonly failure: Failure;
      readonly trace: { readonly role?: RoleTrace; readonly lifetime?: LifetimeTrace };
    };

export interface JudgeDeps {
  /** By tenant. A role of a tenant without a ceiling does not exist. */
  readonly ceilings: ReadonlyMap<string, Ceiling>;
}

/** Decides by one immutable policy set. It stores nothing, uses nothing up, and asks nobody. */
export function judge(deps: JudgeDeps, policies: PolicySet, o: { identity: Identity; question: Question }): Judgement {
  const { identity, question } = o;
  const ceiling = deps.ceilings.get(question.role.tenant);
  if (ceiling === undefined) {
    return { allow: false, failure: failure('role_unknown', 'there is no such tenant'), trace: {} };
  }
  const decision = decide(policies, requestOf(identity, question));
  if (!decision.allow) {
    const trace = decision.trace === undefined ? {} : { role: decision.trace };
    return { allow: false, failure: failure(decision.reason, decision.detail), trace };
  }
  const { role } = decision;
  const refuse = (refusal: Failure, lifetime?: LifetimeTrace): Judgement => ({
    allow: false,
    failure: failure(refusal.reason, refusal.detail),
    trace: { role: decision.trace, ...(lifetime === undefined ? {} : { lifetime }) },
  });
  // Without an id a token's one use could not be told from another's.
  if (role.session.singleUse && identity.tokenId === null) {
    return refuse(failure('claim_missing', 'the role takes each token once, and this one has no jti'));
  }
  const picked = sessionClaims(role, identity.claims);
  if (!picked.ok) return refuse(picked.error);
  const lifetime = sessionLifetime(boundsOf(o, { role, ceiling }));
  if (!lifetime.ok) return refuse(lifetime.error, lifetime.error.trace);
  return {
    allow: true,
    role,
    claims: picked.value,
    attributes: decision.attributes,
    trace: { role: decision.trace, lifetime: lifetime.value },
  };
}

const boundsOf = (
  { identity, question }: { identity: Identity; question: Question },
  { ceiling, role }: { ceiling: Ceiling; role: Role },
): LifetimeBounds => ({
  now: question.now,
  askedSeconds: question.askedSeconds,
  roleSeconds: role.session.maxDurationSeconds,
  ceilingSeconds: ceiling.maxDurationSeconds,
  issuerSeconds: identity.issuerSeconds,
  jobBound: identity.jobBound,
  deadline: identity.deadline,
  parentEnd: question.parentEnd,
});

const requestOf = (
  { claims, issuer }: Identity,
  { now, role, sessionName, sourceAddress }: Question,
): PolicyRequest => ({
  role,
  issuer,
  claims,
  now,
  ...(sourceAddress === undefined ? {} : { sourceAddress }),
  ...(sessionName === undefined ? {} : { sessionName }),
});

/** The ceilings by tenant. */
export const ceilingsOf = (tenants: readonly Ceiling[]): ReadonlyMap<string, Ceiling> =>
  new Map(tenants.map((ceiling) => [ceiling.tenant, ceiling]));
