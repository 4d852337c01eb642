// How far an operator's word reaches: whose sessions an entry may end or list, and which scopes it may raise an epoch of or freeze.
import type { Client, StsGrant } from '../base/client-auth/client.ts';
import { parseRoleRef } from '../base/core/decision.ts';
import { type EpochScope, formatScope } from '../base/core/epoch.ts';
import type { Freeze, FreezeReach } from '../base/core/freeze.ts';
import { type Failure, failure } from '../base/core/reasons.ts';

/** An authenticated operator of the STS. */
export type Operator = Client<StsGrant>;

/** Ends and lists what is of no tenant, and of every one. */
const operatesAll = ({ may }: Operator, tenants: readonly string[]): boolean =>
  may.operate || tenants.every((tenant) => may.revoke.includes(tenant));

/** The tenants whose sessions the operator may see; the empty name stands for sessions that have no role yet. */
export function visibleTenants(operator: Operator, tenants: readonly string[]): readonly string[] {
  const { operate, read, revoke } = operator.may;
  const visible = tenants.filter((tenant) => operate || read.includes(tenant) || revoke.includes(tenant));
  return visible.length === tenants.length ? [...visible, ''] : visible;
}

/** Why the operator may not end a session of this tenant; null: of one without a role, or of a job, which may be of any tenant. */
export function endingProblem(
  operator: Operator,
  tenant: string | null,
  tenants: readonly string[],
): Failure | undefined {
  if (operatesAll(operator, tenants)) return undefined;
  if (tenant === null) return notPermitted('it needs may.operate, or may.revoke of every tenant');
  return operator.may.revoke.includes(tenant) ? undefined : notPermitted(`it needs may.revoke of tenant ${tenant}`);
}

/** Why the operator may raise no epoch of the scope, nor freeze it. */
export function scopeProblem(operator: Operator, scope: EpochScope): Failure | undefined {
  if (operator.may.operate) return undefined;
  const tenant = tenantOf(scope);
  if (tenant === null) return notPermitted('it needs may.operate');
  return operator.may.revoke.includes(tenant) ? undefined : notPermitted(`it needs may.revoke of tenant ${tenant}`);
}

/** How far the operator's authority reaches where it stops granting. To may everything of each tenant there is now is not to may all. */
export const freezeReach = ({ may }: Operator): FreezeReach => (may.operate ? 'all' : 'tenant');

/** Why a freeze stays though an operator who may act on its scope lifts it. */
export const staysFrozen = (freeze: Freeze): Failure =>
  failure(
    'freeze_beyond_reach',
    `${formatScope(freeze)} was frozen by an operator of all tenants: it needs may.operate`,
  );

/** Whether the operator may see epochs and freezes of the scope. Those of all and of issuers concern every tenant. */
export function isVisible(operator: Operator, scope: EpochScope): boolean {
  const { operate, read, revoke } = operator.may;
  const tenant = tenantOf(scope);
  if (tenant === null) return operate || read.length > 0 || revoke.length > 0;
  return operate || read.includes(tenant) || revoke.includes(tenant);
}

/** The tenant that the scope is within; null: it reaches beyond one. */
export function tenantOf(scope: EpochScope): string | null {
  if (scope.scope === 'tenant') return scope.name;
  return scope.scope === 'role' ? (parseRoleRef(scope.name)?.tenant ?? null) : null;
}

const notPermitted = (detail: string): Failure => failure('client_not_permitted', detail);
