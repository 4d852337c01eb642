// Picks the claims that a session carries: those its role's permissions mention, and no other.

import type { Claims } from '../base/core/json.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import { claimsMentioned } from './iam/statements.ts';
import { usableClaim } from './iam/template.ts';
import type { Role } from './role.ts';

/**
 * The claims, as strings, that the permissions of `role` mention. A missing, empty or non-string one is refused, as
 * `permission_denied`: for the caller a refusal of access like any other, so that it says nothing about the role.
 * Precondition: `claims` are of a verified token that the role's trust let in.
 */
export function sessionClaims(role: Role, claims: Claims): Result<Record<string, string>, Failure> {
  const picked: [string, string][] = [];
  for (const name of claimsMentioned(role.permissions)) {
    const value = usableClaim(claims, name);
    if (value === undefined) {
      return err(
        failure('permission_denied', `the permissions mention claims.${name}, which the token does not carry as text`),
      );
    }
    picked.push([name, value]);
  }
  return ok(Object.fromEntries(picked));
}
