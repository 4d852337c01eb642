// What "in force" is in SQL, whatever the engine: one condition for every statement that asks it.
import type { EpochScope } from '../../base/core/epoch.ts';

/** On rows of `epoch`, and of the engine's table of freezes: the scopes that a session of these SQL expressions is of. */
export const scopesOf = (o: { readonly issuer: string; readonly tenant: string; readonly role: string }): string => `(
  scope = 'all'
  OR (scope = 'issuer' AND name = ${o.issuer})
  OR (scope = 'tenant' AND name = ${o.tenant})
  OR (scope = 'role' AND name = ${o.tenant} || '/' || ${o.role}))`;

/** On a row of `session`, or of an alias of it: it has no end of its own, and no epoch covers it. Expiry is not looked at. */
export const inForce = (row = 'session'): string => `
  NOT EXISTS (SELECT 1 FROM ended_session WHERE session_id = ${row}.id)
  AND NOT EXISTS (SELECT 1 FROM epoch WHERE at >= ${row}.issued_at
    AND ${scopesOf({ issuer: `${row}.issuer`, tenant: `${row}.role_tenant`, role: `${row}.role_name` })})`;

/**
 * Ends what came of sessions that are over. A session ends with the one it came of, also when that one's role is in an epoch and its own is
 * not: gateways see its own alone.
 */
export const END_OFFSPRING = `
  INSERT INTO ended_session (session_id, expires_at, gateway_group)
  SELECT id, expires_at, gateway_group FROM session
  WHERE parent_id IS NOT NULL AND ${inForce()}
    AND NOT EXISTS (SELECT 1 FROM session AS parent WHERE parent.id = session.parent_id AND ${inForce('parent')})`;

/**
 * Whether an epoch of the scope may cover a session and not those that came of it. Of one issuer they all are: an epoch of an issuer, or of
 * all, covers them by itself, and must not wait for looking through every session.
 */
export const partsFamilies = ({ scope }: EpochScope): boolean => scope === 'tenant' || scope === 'role';
