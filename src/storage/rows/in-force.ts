// What "in force" is in SQL, whatever the engine: one condition for every statement that asks it.

/** On rows of `epoch` and `freeze`: the scopes that a session of these SQL expressions is of. */
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
