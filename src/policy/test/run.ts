// Runs policy tests by the one decision function that the server uses. Pure: no files, no clock.
import type { ClauseTrace, RoleTrace, RuleTrace } from '../../base/core/decision.ts';
import { formatRoleRef } from '../../base/core/decision.ts';
import type { Reason } from '../../base/core/reasons.ts';
import { decide } from '../decide.ts';
import type { PolicySet } from '../policy-set.ts';
import type { PolicyTest } from './test-file.ts';

/** A clause with the file that it stands in. */
export type DecisiveClause = ClauseTrace & { readonly file: string };

/** How one test went, and what the decision was made by. */
export interface PolicyTestResult {
  readonly test: PolicyTest;
  readonly passed: boolean;
  readonly got: 'allow' | 'deny';
  /** Null when the token was let in. */
  readonly reason: Reason | null;
  /** One line for people; empty when the token was let in. */
  readonly detail: string;
  /** What came out otherwise than expected; null when the test passed. */
  readonly mismatch: string | null;
  /**
   * The clauses that decided: of a refusal those that failed, in the rule that came nearest to letting the token in (or
   * those of the deny rule that held); of a grant those of the rule that held.
   */
  readonly decisive: readonly DecisiveClause[];
  /** Every clause; null when there was no role or no token to look at. */
  readonly trace: RoleTrace | null;
}

type Outcome = Pick<PolicyTestResult, 'got' | 'reason' | 'detail' | 'decisive' | 'trace'>;

/** Decides every test by `set`. A role that does not exist fails its test, unless that very reason is expected. */
export const runPolicyTests = (set: PolicySet, tests: readonly PolicyTest[]): readonly PolicyTestResult[] =>
  tests.map((test) => {
    const outcome = outcomeOf(set, test);
    const mismatch = mismatchOf(test, outcome);
    return { test, passed: mismatch === null, mismatch, ...outcome };
  });

function outcomeOf(set: PolicySet, { role, token, now }: PolicyTest): Outcome {
  const refused = { got: 'deny', decisive: [], trace: null } as const;
  if (set.find(role) !== undefined && token.issuer === null)
    return { ...refused, reason: 'token_missing', detail: token.why };
  const { issuer, claims } = token.issuer === null ? { issuer: '', claims: {} } : token;
  const decision = decide(set, { role, issuer, claims, now });
  if (decision.allow) {
    const { trace } = decision;
    const held = trace.rules.filter((rule) => rule.held && rule.effect !== 'deny').at(-1);
    const decisive = held === undefined ? [] : placed(held, trace);
    return { got: 'allow', reason: null, detail: '', decisive, trace };
  }
  const { reason, detail, trace } = decision;
  return { got: 'deny', reason, detail, decisive: decisiveOf(trace), trace: trace ?? null };
}

function mismatchOf(test: PolicyTest, { got, reason, decisive }: Outcome): string | null {
  if (reason === 'role_unknown' && test.reason !== 'role_unknown')
    return `there is no role ${formatRoleRef(test.role)}`;
  if (got !== test.expect) return `wanted ${test.expect}, got ${got}`;
  if (test.reason !== null && test.reason !== reason) return `wanted reason ${test.reason}, got ${reason}`;
  if (test.failedClause !== null && !decisive.some(({ subject }) => subject === test.failedClause)) {
    const subjects = [...new Set(decisive.map(({ subject }) => subject))].join(', ');
    return `wanted ${test.failedClause} to be what keeps it out, got ${subjects === '' ? reason : subjects}`;
  }
  return null;
}

const placed = (rule: RuleTrace, trace: RoleTrace): readonly DecisiveClause[] =>
  rule.clauses.map((clause) => ({ ...clause, file: rule.file ?? trace.file }));

function decisiveOf(trace: RoleTrace | undefined): readonly DecisiveClause[] {
  if (trace === undefined) return [];
  const denying = trace.rules.filter((rule) => rule.effect === 'deny' && rule.held);
  if (denying.length > 0) return denying.flatMap((rule) => placed(rule, trace));
  const heldIn = (rule: RuleTrace): number => rule.clauses.filter(({ outcome }) => outcome === 'held').length;
  const refusing = trace.rules.filter((rule) => rule.effect !== 'deny' && !rule.held);
  const most = Math.max(0, ...refusing.map(heldIn));
  return refusing
    .filter((rule) => heldIn(rule) === most)
    .flatMap((rule) => placed(rule, trace).filter(({ outcome }) => outcome === 'failed'));
}
