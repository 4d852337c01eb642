// Finds the role that a refused token comes nearest to. For the operator's eyes; it grants nothing.
import type { RoleRef } from '../base/core/decision.ts';
import type { PolicySet } from './policy-set.ts';
import type { TokenView, Verdict } from './trust/trust.ts';

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
  asked: { readonly token: TokenView; readonly except: RoleRef },
): NearestRole | undefined {
  let best: NearestRole | undefined;
  let roles = 0;
  let clauses = 0;
  for (const role of set.rolesOf(asked.except.tenant)) {
    roles += 1;
    if (roles > MAX_ROLES || clauses > MAX_CLAUSES) break;
    if (role.ref.name === asked.except.name) continue;
    for (const trust of role.trust) {
      if (!trust.issuers.includes(asked.token.issuer)) continue;
      const verdict = trust.judge(asked.token, 'every_clause');
      clauses += verdict.rules.reduce((count, rule) => count + rule.clauses.length, 0);
      const missing = missingFor(verdict);
      if (best === undefined || missing < best.missing) best = { ref: role.ref, file: role.file, missing };
    }
    if (best?.missing === 0) break;
  }
  return best;
}

/** What keeps the rule that got furthest from holding, and every deny rule that holds. */
export function missingFor(verdict: Verdict): number {
  if (verdict.held) return 0;
  const denials = verdict.rules.filter((rule) => rule.effect === 'deny' && rule.held).length;
  const failures = verdict.rules
    .filter((rule) => rule.effect !== 'deny')
    .map((rule) => rule.clauses.filter((clause) => clause.outcome !== 'held').length);
  return Math.max(1, denials + (failures.length === 0 ? 0 : Math.min(...failures)));
}
