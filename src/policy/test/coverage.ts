// Which clauses of the roles the tests have never seen hold, or never seen fail. It decides nothing.
import {
  type ClauseTrace,
  formatRoleRef,
  type RoleRef,
  type RoleTrace,
  type RuleTrace,
} from '../../base/core/decision.ts';
import { decide } from '../decide.ts';
import type { PolicySet } from '../policy-set.ts';
import { isSafeDefault } from '../safe-defaults.ts';
import type { PolicyTestResult } from './run.ts';

/** One clause that stands in a policy file, and what tests made of it. */
export interface ClauseCoverage {
  readonly role: string;
  readonly file: string;
  readonly line: number;
  readonly subject: string;
  readonly operator?: string;
  readonly wanted: readonly string[];
  /** Some test's token made it hold. */
  readonly wasTrue: boolean;
  /** Some test's token made it fail. A clause behind one that failed was not reached, and counts as neither. */
  readonly wasFalse: boolean;
}

export interface PolicyCoverage {
  /** Every clause of every role, ordered by role and then as they stand in the file. */
  readonly clauses: readonly ClauseCoverage[];
  /** Of these, the ones that no test ever made true, or false. */
  readonly uncovered: readonly ClauseCoverage[];
  /** Roles without any test. */
  readonly untested: readonly string[];
}

type Row = { -readonly [Key in keyof ClauseCoverage]: ClauseCoverage[Key] };

/**
 * What the tests covered of `set`. Left out: the safe defaults, which stand in no file, and AWS's actions. Precondition: `results` are those
 * of this set.
 */
export function policyCoverage(set: PolicySet, results: readonly PolicyTestResult[]): PolicyCoverage {
  const clauses: Row[] = [];
  const untested: string[] = [];
  for (const role of rolesOf(set)) {
    const name = formatRoleRef(role.ref);
    const own = results.filter(({ test }) => formatRoleRef(test.role) === name);
    if (own.length === 0) untested.push(name);
    clauses.push(...coverRole(set, { ...role, name }, own));
  }
  return { clauses, uncovered: clauses.filter((clause) => !(clause.wasTrue && clause.wasFalse)), untested };
}

function* rolesOf(set: PolicySet): Generator<{ ref: RoleRef; file: string }> {
  for (const tenant of set.tenants()) yield* set.rolesOf(tenant);
}

function coverRole(
  set: PolicySet,
  role: { readonly ref: RoleRef; readonly name: string; readonly file: string },
  results: readonly PolicyTestResult[],
): readonly Row[] {
  const rows = new Map<string, Row>();
  const rowOf = ({ place, file, clause }: PlacedClause): Row => {
    const { subject, operator, wanted, line } = clause;
    const key = JSON.stringify([place, subject, operator ?? null]);
    const known = rows.get(key);
    if (known !== undefined) return known;
    const words = { subject, wanted, ...(operator === undefined ? {} : { operator }) };
    const row = { role: role.name, file, line, ...words, wasTrue: false, wasFalse: false };
    rows.set(key, row);
    return row;
  };
  // A token of nobody's: every clause of every rule shows itself, whatever the tests reached.
  const probe = decide(set, { role: role.ref, issuer: '', claims: {}, now: 0 });
  for (const clause of clausesOf(probe.trace)) rowOf(clause);
  for (const { trace } of results) {
    for (const clause of clausesOf(trace)) {
      const row = rowOf(clause);
      if (clause.clause.outcome === 'held') row.wasTrue = true;
      if (clause.clause.outcome === 'failed') row.wasFalse = true;
    }
  }
  return [...rows.values()];
}

interface PlacedClause {
  /** Which rule of the trace, which clause of the rule. */
  readonly place: string;
  readonly file: string;
  readonly clause: ClauseTrace;
}

/** The clauses of a trace that stand in a file and that a token can make true or false. */
function* clausesOf(trace: RoleTrace | null | undefined): Generator<PlacedClause> {
  if (trace === null || trace === undefined) return;
  for (const [at, rule] of trace.rules.entries())
    for (const [index, clause] of rule.clauses.entries())
      if (isCovered(clause, rule)) yield { place: `${at}.${index}`, file: rule.file ?? trace.file, clause };
}

function isCovered(clause: ClauseTrace, rule: RuleTrace): boolean {
  // A problem of the token itself, which AWS refuses before any statement.
  if (clause.wanted.length === 0 || isSafeDefault(clause)) return false;
  // AWS: which call is made, no token can change.
  const isAws = clause.subject === 'Action' && clause.operator === undefined;
  return !(isAws && rule.clauses.some(({ operator }) => operator === 'Principal'));
}
