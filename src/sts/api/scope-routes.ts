// The operator's routes for what is of a role, a tenant, an issuer, or all of it: epochs, which end it, and freezes, which let
// nothing more of it be granted.
import * as z from 'zod';
import { newAction } from '../../base/audit/new-action.ts';
import type { ActionRecord } from '../../base/audit/record.ts';
import type { StsGrant } from '../../base/client-auth/client.ts';
import { parseRoleRef, type RoleRef } from '../../base/core/decision.ts';
import { type EpochScope, formatScope, scopeOf } from '../../base/core/epoch.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { Clock } from '../../base/ports/clock.ts';
import { type HttpRequest, type HttpResponse, jsonResponse, type Route } from '../../base/ports/http.ts';
import type { Random } from '../../base/ports/random.ts';
import { type OperatorDeps, operatorRoute } from '../../base/refusal/operator-route.ts';
import type { PolicySet } from '../../policy/policy-set.ts';
import { freezeReach, isVisible, type Operator, scopeProblem, staysFrozen, tenantOf } from '../operator-reach.ts';
import type { Signal } from '../signal.ts';
import type { SessionFilter, StsStore } from '../store.ts';
import { FELT_WITHIN, headStart, readBody } from './end-answer.ts';

/** Sessions are counted so far; of more it is said that there are more. */
const MAX_COUNTED = 1000;

/** What the routes about epochs and freezes work on. */
export interface ScopeDeps extends OperatorDeps<StsGrant> {
  readonly store: Pick<StsStore, 'raiseEpoch' | 'listEpochs' | 'setFreeze' | 'listFreezes' | 'listSessions'>;
  /** Every configured tenant. */
  readonly tenants: readonly string[];
  /** Every registered issuer. */
  readonly issuers: readonly string[];
  readonly policies: { current(): PolicySet };
  /** Notified when an epoch was raised. */
  readonly news: Signal;
  readonly clock: Clock;
  readonly random: Random;
}

type Answer = Promise<Result<HttpResponse, Failure>>;
type Handler = (deps: ScopeDeps, request: HttpRequest, operator: Operator) => Answer;

/** For operators with `may.revoke` of the tenant, or `may.operate`. */
export function scopeRoutes(deps: ScopeDeps): readonly Route[] {
  const route = (method: Route['method'], path: string, handler: Handler): Route =>
    operatorRoute(deps, { method, path }, (request, operator) => handler(deps, request, operator));
  return [
    route('GET', '/admin/v1/epochs', listEpochs),
    route('POST', '/admin/v1/epochs', raiseEpoch),
    route('GET', '/admin/v1/freeze', listFreezes),
    route('POST', '/admin/v1/freeze', setFreeze),
  ];
}

/** `{"epochs": [{"scope", "name"?, "at"}]}`: those of scopes that the operator sees. */
async function listEpochs({ store }: ScopeDeps, _request: HttpRequest, operator: Operator): Answer {
  const epochs = await store.listEpochs();
  return ok(jsonResponse(200, { epochs: epochs.filter((epoch) => isVisible(operator, epoch)) }));
}

/** `{"freezes": [{"scope", "name"?, "since", "reach"}]}`; reach `all`: only `may.operate` lifts it, `tenant`: `may.revoke` of its tenant, too. */
async function listFreezes({ store }: ScopeDeps, _request: HttpRequest, operator: Operator): Answer {
  const freezes = await store.listFreezes();
  return ok(jsonResponse(200, { freezes: freezes.filter((freeze) => isVisible(operator, freeze)) }));
}

/** `{"scope", "name"?}` → `{"epoch", "sessions", "more", "felt"}`: how many sessions of the scope were in force, at least when there are more. */
async function raiseEpoch(deps: ScopeDeps, request: HttpRequest, operator: Operator): Answer {
  const body = readBody(request, z.strictObject(SCOPE));
  if (!body.ok) return body;
  const scope = await readScope(deps, body.value, operator);
  if (!scope.ok) return scope;
  // Counting takes as long as there are sessions: what must end does not wait for all of it.
  const counting = countSessions(deps, scope.value, deps.clock.nowSeconds()).catch(() => null);
  const isCounted = await headStart(counting);
  const record = recordOf(deps, operator, { action: 'epoch.raise', scope: scope.value });
  // The moment after the wait: what was issued meanwhile ends, too.
  const epoch = await deps.store.raiseEpoch({ scope: scope.value, now: deps.clock.nowSeconds(), record });
  deps.news.notify();
  const sessions = await counting;
  const more = !isCounted || sessions === null || sessions > MAX_COUNTED;
  const counted = { sessions: Math.min(sessions ?? 0, MAX_COUNTED), more };
  return ok(jsonResponse(200, { epoch, ...counted, felt: FELT_WITHIN }));
}

/** `{"scope", "name"?, "frozen"}` → `{"scope", "name"?, "frozen", "was_frozen"}`, and `reach` of what is frozen. */
async function setFreeze(deps: ScopeDeps, request: HttpRequest, operator: Operator): Answer {
  const body = readBody(request, z.strictObject({ ...SCOPE, frozen: z.boolean() }));
  if (!body.ok) return body;
  const { frozen } = body.value;
  const scope = frozen ? await readScope(deps, body.value, operator) : readAnyScope(body.value, operator);
  if (!scope.ok) return scope;
  const reach = freezeReach(operator);
  const record = recordOf(deps, operator, { action: frozen ? 'freeze.on' : 'freeze.off', scope: scope.value });
  const { after, before } = await deps.store.setFreeze({ scope: scope.value, frozen, reach, record });
  if (!frozen && after !== undefined) return err(staysFrozen(after));
  const stands = after === undefined ? {} : { reach: after.reach };
  return ok(jsonResponse(200, { ...scope.value, frozen, was_frozen: before !== undefined, ...stands }));
}

/** No scope has a control in its name, and not every store could look for one. */
const SCOPE = {
  scope: z.string(),
  name: z
    .string()
    .max(2048)
    .regex(/^\P{Cc}*$/u)
    .optional(),
} as const;

/** A scope that the operator may act on, whether there is anything in it or not. */
function readAnyScope(
  { name = '', scope: kind }: { readonly scope: string; readonly name?: string | undefined },
  operator: Operator,
): Result<EpochScope, Failure> {
  const scope = scopeOf(kind, name);
  if (scope === undefined) {
    return err(failure('request_malformed', 'wanted scope all, or issuer, tenant or role with a name'));
  }
  const problem = scopeProblem(operator, scope);
  return problem === undefined ? ok(scope) : err(problem);
}

/** Likewise, of something that there is: an epoch or a freeze of a name that is spelt wrongly would do nothing, and look as if it did. */
async function readScope(
  deps: ScopeDeps,
  body: Parameters<typeof readAnyScope>[0],
  operator: Operator,
): Promise<Result<EpochScope, Failure>> {
  const scope = readAnyScope(body, operator);
  if (!scope.ok) return scope;
  const problem = await unknownProblem(deps, scope.value);
  return problem === undefined ? scope : err(failure('scope_unknown', problem));
}

async function unknownProblem(deps: ScopeDeps, scope: EpochScope): Promise<string | undefined> {
  const { issuers, tenants } = deps;
  switch (scope.scope) {
    case 'all':
      return undefined;
    case 'issuer':
      return issuers.includes(scope.name) ? undefined : `no issuer is registered as ${scope.name}`;
    case 'tenant':
      return tenants.includes(scope.name) ? undefined : `there is no tenant ${scope.name}`;
    case 'role':
      return (await isKnownRole(deps, scope.name))
        ? undefined
        : `no role is called ${scope.name}, and no session is of it`;
  }
}

/** A role that was deleted may have sessions still. */
async function isKnownRole(deps: ScopeDeps, name: string): Promise<boolean> {
  const role = parseRoleRef(name);
  if (role === undefined || !deps.tenants.includes(role.tenant)) return false;
  if (deps.policies.current().find(role) !== undefined) return true;
  return (await deps.store.listSessions(filterOf(deps, { role }), null, 1)).length > 0;
}

const filterOf = (
  { clock, tenants }: ScopeDeps,
  of: { readonly role?: RoleRef; readonly issuer?: string; readonly tenant?: string },
): SessionFilter => {
  const { tenant, ...rest } = of;
  return { tenants: tenant === undefined ? [...tenants, ''] : [tenant], now: clock.nowSeconds(), ...rest };
};

async function countSessions(deps: ScopeDeps, scope: EpochScope, now: number): Promise<number> {
  const role = scope.scope === 'role' ? parseRoleRef(scope.name) : undefined;
  const of = {
    ...(role === undefined ? {} : { role }),
    ...(scope.scope === 'issuer' ? { issuer: scope.name } : {}),
    ...(scope.scope === 'tenant' ? { tenant: scope.name } : {}),
  };
  return (await deps.store.listSessions({ ...filterOf(deps, of), now }, null, MAX_COUNTED + 1)).length;
}

const recordOf = (
  deps: ScopeDeps,
  operator: Operator,
  { action, scope }: { readonly action: ActionRecord['action']; readonly scope: EpochScope },
): ActionRecord =>
  newAction(deps, {
    actor: { kind: 'client', name: operator.name },
    action,
    tenant: tenantOf(scope),
    target: formatScope(scope),
    detail: {},
  });
