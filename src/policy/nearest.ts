// Finds the role that a refused token comes nearest to. For the operator's eyes; it grants nothing.
import type { RoleRef } from '../base/core/decision.ts';
import type { Claims } from '../base/core/json.ts';
import { claimOf, clauseHolds } from './clause.ts';
import type { PolicySet } from './policy-set.ts';
import type { TrustRule } from './role.ts';
import { defaultsOf } from './safe-defaults.ts';

/** A refusal must stay cheap: beyond these the search ends with the best found so far. */
const MAX_ROLES = 2000;
const MAX_CLAUSES = 20_000;

export interface NearestRole {
  readonly ref: RoleRef;
  readonly file: string;
  /** Clauses that fail, safe defaults among them; 0: the token would pass. */
  readonly missing: number;
}

/**
 * The role of the same tenant as `except`, and other than it, whose best rule for this issuer has the fewest failing clauses;
 * of equals the first by name. Undefined when no role names the issuer. Bounded: it looks at 2,000 roles at most.
 */
export function nearestRole(
  set: PolicySet,
  asked: { readonly issuer: string; readonly claims: Claims; readonly except: RoleRef },
): NearestRole | undefined {
  let best: NearestRole | undefined;
  let roles = 0;
  let clauses = 0;
  for (const role of set.rolesOf(asked.except.tenant)) {
    roles += 1;
    if (roles > MAX_ROLES || clauses > MAX_CLAUSES) break;
    if (role.ref.name === asked.except.name) continue;
    for (const rule of role.trust) {
      if (rule.issuer !== asked.issuer) continue;
      clauses += rule.clauses.length;
      const missing = failing(rule, asked.claims);
      if (best === undefined || missing < best.missing) best = { ref: role.ref, file: role.file, missing };
    }
    if (best?.missing === 0) break;
  }
  return best;
}

function failing(rule: TrustRule, claims: Claims): number {
  const written = rule.clauses.filter((clause) => !clauseHolds(clause, claimOf(claims, clause.claim))).length;
  return written + defaultsOf(rule).filter((safe) => !safe.holds(claims)).length;
}
