// What "in force" is in SQL, whatever the engine: one condition for every statement that asks it.
import type { EpochScope } from '../../base/core/epoch.ts';

/** On rows of `epoch`, and of the engine's table of freezes: the scopes that a session of these SQL expressions is of. */
export const scopesOf = (o: { readonly issuer: string; readonly tenant: string; readonly role: string }): string => `(
  scope = 'all'
  OR (scope = 'issuer' AND name = ${o.issuer})
  OR (scope = 'tenant' AND name = ${o.tenant})
  OR (scope = 'role' AND name = ${o.tenant} || '/' || ${o.role}))`;

/**
 * On a row of `session`: it has no end of its own, and no epoch covers it. Expiry is not looked at. `fence` ends the subqueries, for an
 * engine that would rather join whole tables than look up row by row.
 */
export const inForce = (fence = ''): string => `
  NOT EXISTS (SELECT 1 FROM ended_session WHERE session_id = session.id ${fence})
  AND NOT EXISTS (SELECT 1 FROM epoch WHERE at >= session.issued_at
    AND ${scopesOf({ issuer: 'session.issuer', tenant: 'session.role_tenant', role: 'session.role_name' })} ${fence})`;

/** Scopes whose epochs may cover a session and not those that came of it, and what of them a row is of. */
const OF_SCOPE = {
  tenant: (row: string) => `${row}.role_tenant = $name`,
  role: (row: string) => `${row}.role_tenant || '/' || ${row}.role_name = $name`,
};

/** A scope that parts families. */
export type PartingScope = Extract<EpochScope, { readonly scope: keyof typeof OF_SCOPE }>;

/**
 * Whether an epoch of the scope may cover a session and not those that came of it. Of one issuer they all are: an epoch of an issuer, or of
 * all, covers them by itself, and must not wait for looking through every session.
 */
export const partsFamilies = (scope: EpochScope): scope is PartingScope => scope.scope in OF_SCOPE;

const isCovered = (row: string, scope: PartingScope['scope']): string => `
  ${OF_SCOPE[scope](row)} AND ${row}.issued_at <= (SELECT at FROM epoch WHERE scope = '${scope}' AND name = $name)`;

/**
 * Ends what came of the sessions that the epoch of the scope `$name` covers, and is not covered itself. A session ends with the one it came
 * of, also when that one's role is in an epoch and its own is not: gateways see its own alone. The work grows with the sessions that
 * came of others, not with all. Precondition: the epoch is raised.
 */
export const endOffspring = (scope: PartingScope['scope']): string => `
  INSERT INTO ended_session (session_id, expires_at, gateway_group)
  SELECT id, expires_at, gateway_group FROM session
  WHERE parent_id IS NOT NULL AND NOT (${isCovered('session', scope)})
    AND EXISTS (SELECT 1 FROM session AS parent WHERE parent.id = session.parent_id AND ${isCovered('parent', scope)})
  ON CONFLICT (session_id) DO NOTHING`;
