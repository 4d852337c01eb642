// Claims in, decision out. Pure: the one function behind exchange, dry-run, test and explain.

import type { RoleRef, RoleTrace, RuleTrace } from '../base/core/decision.ts';
import { ownMember } from '../base/core/json.ts';
import type { Reason } from '../base/core/reasons.ts';
import { MAX_COST } from './expression/cost.ts';
import type { PolicySet } from './policy-set.ts';

import type { Role } from './role.ts';
import { LOCAL } from './safe-defaults.ts';
import { summarize } from './summary.ts';
import { NO_ATTRIBUTES, type Reach, type SessionAttributes, type TokenView } from './trust/trust.ts';

/** About 100 ms at worst, for the one role that a request names. */
const MAX_ROLE_COST = 4 * MAX_COST;

/** What is asked: may this token have this role? Precondition: signature, audience and times were verified, unless this is a dry run. */
export interface PolicyRequest extends TokenView {
  readonly role: RoleRef;
}

/** The answer with its reasons; `detail` is for the operator. */
export type PolicyDecision =
  | {
      readonly allow: true;
      readonly role: Role;
      readonly trace: RoleTrace;
      /** What the trust entry that held says of the session. */
      readonly attributes: SessionAttributes;
    }
  | { readonly allow: false; readonly reason: Reason; readonly detail: string; readonly trace?: RoleTrace };

/**
 * Decides by one role; it never searches for another. The first trust entry that holds lets the token in, whatever entries
 * after it would say: an entry's deny rules are its own. `reach` changes how much the trace shows, never the answer.
 */
export function decide(set: PolicySet, request: PolicyRequest, reach: Reach = 'first_failure'): PolicyDecision {
  const role = set.find(request.role);
  if (role === undefined) {
    return { allow: false, reason: 'role_unknown', detail: 'no active role of this tenant has this name' };
  }
  const rules: RuleTrace[] = [];
  const traceOf = (satisfiable: RoleTrace['satisfiable']): RoleTrace => ({
    file: role.file,
    policySet: set.id,
    rules,
    satisfiable,
  });
  // All expressions of a role together: many dear ones must not add up to a standstill.
  const token: TokenView = { ...request, meter: { left: MAX_ROLE_COST } };
  for (const trust of role.trust) {
    const verdict = trust.judge(token, reach);
    rules.push(...verdict.rules);
    const local = verdict.held && trust.dialect !== 'jobpass' ? localRule(request, trust.line) : undefined;
    if (local !== undefined) rules.push(local);
    else if (verdict.held) {
      return { allow: true, role, trace: traceOf('yes'), attributes: verdict.attributes ?? NO_ATTRIBUTES };
    }
  }
  const trace = traceOf(satisfiableBy(role, request.issuer));
  return { allow: false, reason: 'no_rule_matched', detail: summarize(rules), trace };
}

/** A cloud's own document cannot ask for jobs from a person's own machine by name, so it never lets them in (design, section 2). */
function localRule({ claims }: PolicyRequest, line: number): RuleTrace | undefined {
  if (LOCAL.holds(claims)) return undefined;
  const presented = ownMember(claims, LOCAL.claim);
  const clause = { subject: LOCAL.claim, wanted: ['not local'], outcome: 'failed' as const, line };
  return { line, held: false, clauses: [presented === undefined ? clause : { ...clause, presented }] };
}

/** Whether any token of `issuer` could have the role; `unknown` where nothing but an expression stands in the way. */
function satisfiableBy(role: Role, issuer: string): RoleTrace['satisfiable'] {
  const answers = role.trust.map((trust) => trust.satisfiable(issuer));
  if (answers.includes('yes')) return 'yes';
  return answers.includes('unknown') ? 'unknown' : 'no';
}
