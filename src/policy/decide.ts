// Claims in, decision out. Pure: the one function behind exchange, dry-run, test and explain.
import type { ClauseTrace, NearMiss, RoleRef, RoleTrace, RuleTrace } from '../base/core/decision.ts';
import type { Claims, JsonValue } from '../base/core/json.ts';
import type { Reason } from '../base/core/reasons.ts';
import { claimOf, clauseHolds } from './clause.ts';
import { matchesButForCase } from './pattern.ts';
import type { PolicySet } from './policy-set.ts';
import type { Clause, Role, TrustRule } from './role.ts';
import { canHold, defaultsOf } from './safe-defaults.ts';
import { summarize } from './summary.ts';

/** What is asked: may a token of this issuer with these claims have this role? */
export interface PolicyRequest {
  readonly role: RoleRef;
  /** The verified `iss`. */
  readonly issuer: string;
  readonly claims: Claims;
}

/** The answer with its reasons; `detail` is for the operator. */
export type PolicyDecision =
  | { readonly allow: true; readonly role: Role; readonly trace: RoleTrace }
  | { readonly allow: false; readonly reason: Reason; readonly detail: string; readonly trace?: RoleTrace };

/**
 * Decides by one role; it never searches for another. A rule holds when its issuer, every clause, and every safe default it
 * does not name hold; the first rule that holds lets the token in. After a failure the rest of a rule is not reached.
 * Precondition: signature, audience and times of the token were verified.
 */
export function decide(set: PolicySet, request: PolicyRequest): PolicyDecision {
  const role = set.find(request.role);
  if (role === undefined) {
    return { allow: false, reason: 'role_unknown', detail: 'no active role of this tenant has this name' };
  }
  const rules: RuleTrace[] = [];
  for (const rule of role.trust) {
    const trace = traceRule(rule, request);
    rules.push(trace);
    if (trace.held) return { allow: true, role, trace: traceOf(set, role, rules, 'yes') };
  }
  const satisfiable = role.trust.some((rule) => rule.issuer === request.issuer && canHold(rule));
  return {
    allow: false,
    reason: 'no_rule_matched',
    detail: summarize(rules),
    trace: traceOf(set, role, rules, satisfiable ? 'yes' : 'no'),
  };
}

const traceOf = (
  set: PolicySet,
  role: Role,
  rules: readonly RuleTrace[],
  satisfiable: RoleTrace['satisfiable'],
): RoleTrace => ({ file: role.file, policySet: set.id, rules, satisfiable });

function traceRule(rule: TrustRule, request: PolicyRequest): RuleTrace {
  let held = rule.issuer === request.issuer;
  const clauses: ClauseTrace[] = [issuerTrace(rule, request.issuer)];
  for (const clause of rule.clauses) {
    const wanted = clause.wanted.map((pattern) => pattern.source);
    const unread = { subject: clause.claim, wanted, line: clause.line };
    if (!held) {
      clauses.push({ ...unread, outcome: 'not_reached' });
      continue;
    }
    const value = claimOf(request.claims, clause.claim);
    held = clauseHolds(clause, value);
    clauses.push({ ...unread, ...presented(value), ...outcomeOf(held, () => nearMissOf(clause, value)) });
  }
  for (const safe of defaultsOf(rule)) {
    const unread = { subject: safe.claim, wanted: safe.wanted, line: rule.line };
    if (!held) {
      clauses.push({ ...unread, outcome: 'not_reached' });
      continue;
    }
    held = safe.holds(request.claims);
    clauses.push({ ...unread, ...presented(claimOf(request.claims, safe.claim)), ...outcomeOf(held) });
  }
  return { line: rule.line, held, clauses };
}

function issuerTrace(rule: TrustRule, issuer: string): ClauseTrace {
  const nearMiss = (): NearMiss | undefined =>
    textNearMiss(
      issuer,
      (text) => text.toLowerCase() === rule.issuer.toLowerCase(),
      (text) => text === rule.issuer,
    );
  const outcome = outcomeOf(rule.issuer === issuer, nearMiss);
  return { subject: 'issuer', wanted: [rule.issuer], presented: issuer, line: rule.line, ...outcome };
}

const presented = (value: JsonValue | undefined): { presented?: JsonValue } =>
  value === undefined ? {} : { presented: value };

function outcomeOf(held: boolean, nearMiss?: () => NearMiss | undefined): Pick<ClauseTrace, 'outcome' | 'nearMiss'> {
  if (held) return { outcome: 'held' };
  const miss = nearMiss?.();
  return miss === undefined ? { outcome: 'failed' } : { outcome: 'failed', nearMiss: miss };
}

function nearMissOf(clause: Clause, value: JsonValue | undefined): NearMiss | undefined {
  if (value === undefined || value === null) return undefined;
  const matches = (text: string): boolean => clauseHolds(clause, text);
  if (typeof value !== 'string') return matches(asText(value)) ? 'type' : undefined;
  return textNearMiss(value, (text) => clause.wanted.some((pattern) => matchesButForCase(pattern, text)), matches);
}

/** What the value would be as text; a list of one stands for its entry. */
function asText(value: JsonValue): string {
  if (Array.isArray(value)) return value.length === 1 ? String(value[0]) : '';
  return typeof value === 'object' ? '' : String(value);
}

function textNearMiss(
  text: string,
  matchesFolded: (text: string) => boolean,
  matches: (text: string) => boolean,
): NearMiss | undefined {
  const trimmed = text.trim();
  if (trimmed !== text && matches(trimmed)) return 'space';
  return matchesFolded(text) ? 'case' : undefined;
}
