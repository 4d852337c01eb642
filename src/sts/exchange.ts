// The one pipeline from a request to a session, whatever the wire: verify, decide, record. Nothing is answered before it is
// durable, and nothing is granted anywhere else. Making a credential of the session is the wire's business.
import type { RoleRef } from '../base/core/decision.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import type { CredentialRequest, ExchangeRequest } from './exchange-request.ts';
import { decideOn, freshId, type GrantDeps, type Granted } from './grant.ts';
import type { StsObserver } from './observer.ts';
import type { ActivePolicies } from './policy-reload.ts';
import { type Case, refusalRecord } from './records.ts';
import { type Refused, refuseDurably, refuseUnverified } from './refusals.ts';
import type { FederatedSession, Session } from './store.ts';
import type { Unverified } from './verifier/verification.ts';
import { type VerifierDeps, verifyToken } from './verifier/verify.ts';

export interface ExchangeDeps extends GrantDeps {
  readonly verifier: VerifierDeps;
  readonly policies: Pick<ActivePolicies, 'current' | 'isFresh'>;
  /** Told of every decision. */
  readonly observer?: StsObserver;
}

const newCase = (deps: ExchangeDeps, request: Omit<Case, 'id' | 'at'>): Case => ({
  id: freshId(deps, 'D'),
  at: deps.clock.nowMs(),
  wire: request.wire,
  role: request.role,
  remoteAddress: request.remoteAddress,
});

/** Refuses a request that did not even become an exchange: it gets an id and a place in the ring. */
export function refuseUnread(deps: ExchangeDeps, request: Omit<Case, 'id' | 'at'>, refusal: Failure): Refused {
  const { reason } = refusal;
  deps.observer?.decided({
    wire: request.wire,
    outcome: 'refused',
    reason,
    role: activeOf(deps, request.role),
    ms: null,
  });
  return refuseUnverified(deps, newCase(deps, request), { failure: refusal, checks: [] });
}

/** Names of roles that there are; anybody may write others. */
const activeOf = ({ policies }: Pick<ExchangeDeps, 'policies'>, role: RoleRef | null): RoleRef | null =>
  role !== null && policies.current().find(role) !== undefined ? role : null;

/** Runs the pipeline. Never rejects: whatever fails unexpectedly is a refusal, and nothing was answered. */
export function exchange(deps: ExchangeDeps, request: ExchangeRequest): Promise<Granted | Refused> {
  const named = refOf(deps.policies.current(), request.role) ?? null;
  return inCase(deps, { request, named }, async (opened) => {
    const verification = await verifyToken(deps.verifier, request.token, request.audiences);
    if (!verification.ok) return refuseToken(deps, opened, { request, verification });
    // The policies of this moment decide, and they say whose the ARN is.
    const policies = deps.policies.current();
    const role = refOf(policies, request.role);
    return decideOn(deps, opened, {
      request,
      askedName: askedNameOf(policies, request.role),
      verified: verification,
      role,
      policies,
    });
  });
}

/** Runs one exchange under an id of its own. Never rejects. `named` is the role that the request names, as far as that is known. */
export async function inCase<T extends DurableGrant>(
  deps: ExchangeDeps,
  { named, request }: { readonly request: CredentialRequest; readonly named: RoleRef | null },
  run: (opened: Case) => Promise<T | Refused>,
): Promise<T | Refused> {
  const opened = newCase(deps, { wire: request.wire, role: named, remoteAddress: request.remoteAddress });
  const startedAt = deps.clock.monotonicMs();
  const answer = await (deps.policies.isFresh() ? run(opened) : Promise.resolve(refuseStale(deps, opened))).catch(
    (error: unknown) => refuseUnexpected(deps, opened, error),
  );
  deps.observer?.decided({
    wire: request.wire,
    ...(answer.ok ? { outcome: 'granted', reason: null } : { outcome: 'refused', reason: answer.reason }),
    role: activeOf(deps, answer.ok ? answer.session.role : named),
    ms: deps.clock.monotonicMs() - startedAt,
  });
  return answer;
}

/** What a case comes to when it is granted. */
interface DurableGrant {
  readonly ok: true;
  readonly session: Session | FederatedSession;
}

const refuseStale = (deps: Pick<ExchangeDeps, 'ring'>, opened: Case): Refused =>
  refuseUnverified(deps, opened, {
    failure: failure('policies_stale', 'which policies are active could not be learnt for ten seconds'),
    checks: [],
  });

/** Refuses a token that was not verified: durably when it is authentic and meant for us. */
export function refuseToken(
  deps: ExchangeDeps,
  opened: Case,
  o: { readonly request: CredentialRequest; readonly verification: Unverified },
): Refused | Promise<Refused> {
  const { authentic, checks, failure: refusal, isMeantForUs } = o.verification;
  if (authentic === null || !isMeantForUs) return refuseUnverified(deps, opened, o.verification);
  const trace = { checks, jobBound: authentic.jobBound };
  return refuseDurably(deps, refusalRecord(opened, authentic, { failure: refusal, trace }), o.request.token);
}

/** Makes the credential of a grant. Never rejects: what fails unexpectedly is a refusal under the id of the grant. */
export async function issued<T>(
  deps: Pick<ExchangeDeps, 'clock' | 'log' | 'ring'>,
  granted: { readonly decisionId: string; readonly session: Session | FederatedSession },
  o: { readonly request: CredentialRequest; readonly issue: () => Promise<T> },
): Promise<Result<T, Refused>> {
  try {
    return ok(await o.issue());
  } catch (error) {
    const { wire, remoteAddress } = o.request;
    const opened = { id: granted.decisionId, at: deps.clock.nowMs(), wire, role: granted.session.role, remoteAddress };
    return err(refuseUnexpected(deps, opened, error));
  }
}

function refuseUnexpected(deps: Pick<ExchangeDeps, 'log' | 'ring'>, opened: Case, error: unknown): Refused {
  deps.log.error({ decision: opened.id, err: error }, 'an exchange failed unexpectedly');
  return refuseUnverified(deps, opened, { failure: failure('internal_failure', String(error)), checks: [] });
}

/** How a request names its role, for the operator: with the number that Entra would give, which no caller is told. */
function askedNameOf(policies: PolicySet, asked: ExchangeRequest['role']): unknown {
  if (!('azure' in asked)) return asked;
  const isTenant = policies.hasAzureTenant(asked.azure.tenant);
  const entra = isTenant ? 'AADSTS700016: the application is not in the tenant' : 'AADSTS90002: the tenant is unknown';
  return { ...asked, entra };
}

/** The role that a request names, in one set of policies. */
function refOf(policies: PolicySet, asked: ExchangeRequest['role']): RoleRef | undefined {
  if ('awsRoleArn' in asked) return policies.findByAwsArn(asked.awsRoleArn);
  return 'azure' in asked ? policies.findByAzure(asked.azure.tenant, asked.azure.clientId) : asked;
}
