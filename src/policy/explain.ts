// Why a token has a role, or has it not: the decision itself with every clause, what failed first, and what to write instead.
import type { ClauseTrace, NearMiss, RoleRef, RoleTrace, RuleTrace } from '../base/core/decision.ts';
import { formatRoleRef } from '../base/core/decision.ts';
import type { Reason } from '../base/core/reasons.ts';
import { decide } from './decide.ts';
import { recased, recasedWithin } from './explain-recase.ts';
import { missingFor, nearestRole } from './nearest.ts';
import type { PolicySet } from './policy-set.ts';
import { isDocument } from './role.ts';
import type { TokenView } from './trust/trust.ts';

/** A clause that a token just misses, with where it stands and what to write there. */
export interface Fix {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly subject: string;
  readonly nearMiss: NearMiss;
  /** The wanted value as it stands there. */
  readonly found: string;
  /** What would match; null where no other text would: the token has to change. */
  readonly write: string | null;
}

/** The clause that kept the token out, in the rule that came nearest. */
export interface FirstFailure {
  readonly file: string;
  readonly line: number;
  readonly clause: ClauseTrace;
}

/** One role and one token. */
export interface RoleExplanation {
  /** `main/publish-web`; of a cloud's own document the file. */
  readonly role: string;
  readonly ref: RoleRef;
  readonly decision: 'allow' | 'deny';
  /** Null when the role lets the token in. */
  readonly reason: Reason | null;
  readonly detail: string;
  /** Clauses that fail in the rule that came nearest; 0: the token has the role. */
  readonly missing: number;
  /** Every clause with wanted and presented value; absent when there is no such role. */
  readonly trace?: RoleTrace;
  readonly firstFailure: FirstFailure | null;
  readonly fixes: readonly Fix[];
}

/** The answer about one role or all, the ones that let the token in first, then by how little is missing. */
export interface Explanation {
  readonly issuer: string;
  readonly policySet: string;
  /** `allow` when any of the roles lets the token in. */
  readonly decision: 'allow' | 'deny';
  readonly roles: readonly RoleExplanation[];
  /** When one role was asked for and refused: another of its tenant that comes nearer than all others. */
  readonly nearest: { readonly role: string; readonly file: string; readonly missing: number } | null;
}

/**
 * Explains by the very function that decides. `role` absent: by every role of the set. Pure; it never throws, and it grants
 * nothing: the token view need not be of a verified token.
 */
export function explain(
  set: PolicySet,
  asked: { readonly token: TokenView; readonly role?: RoleRef | undefined },
): Explanation {
  const { token, role } = asked;
  const refs = role === undefined ? [...rolesOf(set)] : [role];
  const roles = refs
    .map((ref) => explainRole(set, ref, token))
    .sort((a, b) => a.missing - b.missing || (a.role < b.role ? -1 : 1));
  const isAllowed = roles.some((one) => one.decision === 'allow');
  const nearest = role === undefined || isAllowed ? undefined : nearestRole(set, { token, except: role });
  return {
    issuer: token.issuer,
    policySet: set.id,
    decision: isAllowed ? 'allow' : 'deny',
    roles,
    nearest:
      nearest === undefined ? null : { role: formatRoleRef(nearest.ref), file: nearest.file, missing: nearest.missing },
  };
}

function* rolesOf(set: PolicySet): Generator<RoleRef> {
  for (const tenant of set.tenants()) for (const role of set.rolesOf(tenant)) yield role.ref;
}

/** A cloud's document has no name of its own but its file's. */
function nameOf(set: PolicySet, ref: RoleRef): string {
  const role = set.find(ref);
  return role !== undefined && isDocument(role) ? role.file : formatRoleRef(ref);
}

function explainRole(set: PolicySet, ref: RoleRef, token: TokenView): RoleExplanation {
  const decision = decide(set, { ...token, role: ref }, 'every_clause');
  const { trace } = decision;
  const rules = trace?.rules ?? [];
  const isDenied = !decision.allow;
  return {
    role: nameOf(set, ref),
    ref,
    decision: isDenied ? 'deny' : 'allow',
    reason: isDenied ? decision.reason : null,
    detail: isDenied ? decision.detail : '',
    missing: isDenied ? missingFor({ held: false, rules }) : 0,
    ...(trace === undefined ? {} : { trace }),
    firstFailure: isDenied && trace !== undefined ? firstFailure(trace) : null,
    fixes: isDenied && trace !== undefined ? fixesOf(trace) : [],
  };
}

/** A deny rule that holds refuses by itself; else the first failed clause of the rule in which the fewest fail. */
function firstFailure(trace: RoleTrace): FirstFailure | null {
  const denial = trace.rules.find((rule) => rule.effect === 'deny' && rule.held);
  const rule = denial ?? nearestRule(trace.rules);
  const clause = rule?.clauses.find(({ outcome }) => outcome === (denial === undefined ? 'failed' : 'held'));
  if (rule === undefined || clause === undefined) return null;
  return { file: rule.file ?? trace.file, line: clause.line, clause };
}

/** The rule that comes nearest to holding: what explanations show first. */
export function nearestRule(rules: readonly RuleTrace[]): RuleTrace | undefined {
  let best: RuleTrace | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const rule of rules) {
    if (rule.effect === 'deny') continue;
    const missing = rule.clauses.filter(({ outcome }) => outcome !== 'held').length;
    if (missing < least) best = rule;
    least = Math.min(least, missing);
  }
  return best;
}

/** Fixes are for rules that are meant to hold: a deny rule that just misses is no loss. */
const fixesOf = (trace: RoleTrace): readonly Fix[] =>
  trace.rules
    .filter((rule) => rule.effect !== 'deny')
    .flatMap((rule) => rule.clauses.flatMap((clause) => fixOf(clause, rule.file ?? trace.file)));

function fixOf({ subject, operator, wanted, presented, nearMiss, line }: ClauseTrace, file: string): readonly Fix[] {
  if (nearMiss === undefined) return [];
  const place = { file, line, subject, nearMiss };
  // An expression holds the wanted text, it is not the wanted text.
  const rewrite = operator === 'attributeCondition' ? recasedWithin : recased;
  const values: readonly unknown[] = Array.isArray(presented) ? presented : [presented];
  for (const found of nearMiss === 'case' ? wanted : []) {
    for (const value of values) {
      const write = typeof value === 'string' ? rewrite(found, value) : undefined;
      if (write !== undefined) return [{ ...place, found, write }];
    }
  }
  return [{ ...place, found: wanted[0] ?? '', write: null }];
}
