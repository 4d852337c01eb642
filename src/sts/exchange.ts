// The one pipeline from a request to a session, whatever the wire: verify, decide, record. Nothing is answered before it is
// durable, and nothing is granted anywhere else. Making a credential of the session is the wire's business.
import type { RoleRef } from '../base/core/decision.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import type { ExchangeRequest } from './exchange-request.ts';
import { decideOn, freshId, type GrantDeps, type Granted } from './grant.ts';
import { type Case, refusalRecord } from './records.ts';
import { type Refused, refuseDurably, refuseUnverified } from './refusals.ts';
import { type VerifierDeps, verifyToken } from './verifier/verify.ts';

export interface ExchangeDeps extends GrantDeps {
  readonly verifier: VerifierDeps;
  readonly policies: { current(): PolicySet };
}

const newCase = (deps: ExchangeDeps, request: Omit<Case, 'id' | 'at'>): Case => ({
  id: freshId(deps, 'D'),
  at: deps.clock.nowMs(),
  wire: request.wire,
  role: request.role,
  remoteAddress: request.remoteAddress,
});

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
function refOf(policies: PolicySet, asked: ExchangeRequest['role']): RoleRef | undefined {
  if ('awsRoleArn' in asked) return policies.findByAwsArn(asked.awsRoleArn);
  return 'azure' in asked ? policies.findByAzure(asked.azure.tenant, asked.azure.clientId) : asked;
}

async function run(deps: ExchangeDeps, request: ExchangeRequest, before: Case): Promise<Granted | Refused> {
  const verification = await verifyToken(deps.verifier, request.token, request.audiences);
  if (!verification.ok) {
    const { authentic, checks } = verification;
    if (authentic === null || !verification.isMeantForUs) return refuseUnverified(deps, before, verification);
    const trace = { checks, jobBound: authentic.jobBound };
    const record = refusalRecord(before, authentic, { failure: verification.failure, trace });
    return refuseDurably(deps, record, request.token);
  }
  // The policies of this moment decide, and they say whose the ARN is.
  const policies = deps.policies.current();
  return decideOn(deps, before, { request, verified: verification, role: refOf(policies, request.role), policies });
}
