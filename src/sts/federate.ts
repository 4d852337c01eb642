// Exchanges at a provider, which names its role by itself, and the session that comes of one with a service account. The pipeline is
// exchange's and grant's; here is only what a provider adds to it.
import { type CheckTrace, formatRoleRef, type RoleRef } from '../base/core/decision.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import { type ExchangeDeps, inCase, refuseToken } from './exchange.ts';
import type { AccountRequest, ProviderRequest } from './exchange-request.ts';
import { decideOn, federationOf, freshId, type Granted, identityOf, issuedFromOf, questionOf } from './grant.ts';
import { type Judgement, judge } from './judge.ts';
import { type Case, refusalRecord } from './records.ts';
import { type Refused, refuseDurably } from './refusals.ts';
import { openSession } from './sessions.ts';
import { recorded, settle } from './settle.ts';
import type { FederatedSession } from './store.ts';
import { type FederatedDeps, verifyFederated } from './verifier/federated.ts';
import { type Verified, verifiedFacts, verifyToken } from './verifier/verify.ts';

/** A grant, durable, of a session that has no role yet. */
export interface Federated {
  readonly ok: true;
  readonly decisionId: string;
  readonly session: FederatedSession;
}

/**
 * An exchange at a provider. The provider's own role, when there is one, decides; else the session has no role yet, and is granted
 * when at least one of the provider's roles with a service account would be. Never rejects. A provider that nobody lists is
 * refused as any unknown role is: after the token was verified.
 */
export function exchangeAtProvider(
  deps: ExchangeDeps,
  request: ProviderRequest,
): Promise<Granted | Federated | Refused> {
  const { provider, takesAccounts } = request;
  const named = deps.policies.current().findByGcpProvider(provider) ?? null;
  return inCase<Granted | Federated>(deps, { request, named }, async (opened) => {
    const verification = await verifyToken(deps.verifier, request.token, request.audiences);
    if (!verification.ok) return refuseToken(deps, opened, { request, verification });
    const policies = deps.policies.current();
    const role = policies.findByGcpProvider(provider);
    const accounts = role === undefined && takesAccounts ? policies.gcpAccountsOf(provider) : [];
    const asked = { request, verified: verification, policies };
    if (accounts.length > 0) return decideOnAccounts(deps, opened, { ...asked, accounts });
    const parenthood = takesAccounts ? { provider } : {};
    return decideOn(deps, opened, { ...asked, ...parenthood, askedName: { provider }, role });
  });
}

/** A session of the role that has the account at the provider of the presented session: one of it, and never longer. Never rejects. */
export function exchangeForAccount(
  deps: ExchangeDeps & { readonly federated: FederatedDeps },
  request: AccountRequest,
): Promise<Granted | Refused> {
  const { serviceAccount, token } = request;
  return inCase(deps, { request, named: null }, async (opened) => {
    const verification = await verifyFederated(deps.federated, token);
    if (!verification.ok) return refuseToken(deps, opened, { request, verification });
    const { parent } = verification;
    const policies = deps.policies.current();
    const role = policies.findByGcpAccount(parent.provider, serviceAccount);
    const askedName = { provider: parent.provider, serviceAccount };
    return decideOn(deps, opened, { request, askedName, verified: verification, role, policies, parent });
  });
}

interface AskedAccounts {
  readonly request: ProviderRequest;
  readonly verified: Verified;
  readonly policies: PolicySet;
  /** Never empty. */
  readonly accounts: readonly RoleRef[];
}

async function decideOnAccounts(deps: ExchangeDeps, opened: Case, o: AskedAccounts): Promise<Federated | Refused> {
  const { request, verified } = o;
  const facts = verifiedFacts(verified.token);
  const now = deps.clock.nowSeconds();
  const { checks, judgement } = judgeAccounts(deps, o, now);
  const trace = { checks: [...verified.checks, ...checks], ...judgement.trace, jobBound: facts.jobBound };
  if (!judgement.allow) {
    const record = refusalRecord(opened, recorded(facts), { failure: judgement.failure, trace });
    return refuseDurably(deps, record, request.token);
  }
  const session = openSession(verified.token, {
    decisionId: opened.id,
    sessionId: freshId(deps, 'S'),
    role: null,
    now,
    lifetimeSeconds: judgement.trace.lifetime.givenSeconds,
    federation: federationOf(facts, request.provider),
  });
  const issuedFrom = issuedFromOf(facts, { now, leewaySeconds: 0 });
  const wanted = { request, facts, trace, grantTrace: trace, session, uses: [], now, issuedFrom };
  const settled = await settle(deps, opened, wanted);
  if (!settled.ok) return settled.error;
  if (settled.value !== session) throw new TypeError('nothing was used up that could have been used before');
  return { ok: true, decisionId: opened.id, session };
}

/** So many roles are told of in a trace. */
const MAX_TOLD = 20;

/**
 * Judges every role of the provider. What the shortest of those that allow gives is what a session without a role gets: clients ask
 * again when it ends, and a session that comes of it would otherwise end first and could not be renewed by it.
 */
function judgeAccounts(
  deps: ExchangeDeps,
  { accounts, policies, request, verified }: AskedAccounts,
  now: number,
): { readonly judgement: Judgement; readonly checks: readonly CheckTrace[] } {
  const identity = identityOf(verifiedFacts(verified.token));
  const judgements = accounts.map((role) =>
    judge(deps, policies, { identity, question: questionOf(request, { role, now }) }),
  );
  const checks = judgements.slice(0, MAX_TOLD).map((judgement, index) => checkOf(accounts[index], judgement));
  const [first, ...others] = judgements.filter((judgement) => judgement.allow);
  if (first === undefined) return { checks, judgement: refusedBy(judgements) };
  const shortest = others.reduce((least, one) => (secondsOf(one) < secondsOf(least) ? one : least), first);
  return { checks, judgement: shortest };
}

const secondsOf = (allowed: Extract<Judgement, { allow: true }>): number => allowed.trace.lifetime.givenSeconds;

const checkOf = (ref: RoleRef | undefined, judgement: Judgement): CheckTrace => ({
  check: ref === undefined ? 'role' : `role ${formatRoleRef(ref)}`,
  outcome: judgement.allow ? 'held' : 'failed',
  detail: judgement.allow ? `would be granted for ${secondsOf(judgement)} s` : judgement.failure.detail,
});

/** With the trace of the first, so that an operator sees clauses. */
function refusedBy(judgements: readonly Judgement[]): Judgement {
  const refusals = judgements.filter((judgement) => !judgement.allow);
  const [first] = refusals;
  const one: Failure | undefined = refusals.length === 1 ? first?.failure : undefined;
  const none = `none of the ${refusals.length} roles with a service account at this provider takes the token`;
  return { allow: false, failure: one ?? failure('no_rule_matched', none), trace: first?.trace ?? {} };
}
