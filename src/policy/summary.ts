// One line for the operator: what kept a token out. It explains a decision and never makes one.
import type { ClauseTrace, NearMiss, RuleTrace } from '../base/core/decision.ts';
import { printable } from '../base/core/printable.ts';

const NEAR_MISSES: Readonly<Record<NearMiss, string>> = {
  case: 'differs only in case',
  type: 'right but for its type: only text matches',
  space: 'differs only in space at its ends',
};
const MAX_WANTED_SHOWN = 5;

/** The first failure of the rule that got furthest: `ref wanted refs/heads/main, got refs/heads/Main (differs only in case)`. */
export function summarize(rules: readonly RuleTrace[]): string {
  let furthest: ClauseTrace | undefined;
  let most = -1;
  for (const rule of rules) {
    const held = rule.clauses.filter((clause) => clause.outcome === 'held').length;
    const failed = rule.clauses.find((clause) => clause.outcome === 'failed');
    if (failed === undefined || held <= most) continue;
    furthest = failed;
    most = held;
  }
  return furthest === undefined ? 'the role has no trust rule' : sentence(furthest);
}

function sentence(clause: ClauseTrace): string {
  const shown = clause.wanted.slice(0, MAX_WANTED_SHOWN).map(printable);
  const more = clause.wanted.length > MAX_WANTED_SHOWN ? ' or others' : '';
  const got = clause.presented === undefined ? 'the token carries none' : `got ${presentedText(clause)}`;
  const miss = clause.nearMiss === undefined ? '' : ` (${NEAR_MISSES[clause.nearMiss]})`;
  return `${printable(clause.subject)} wanted ${shown.join(' or ')}${more}, ${got}${miss}`;
}

const presentedText = ({ presented }: ClauseTrace): string =>
  printable(typeof presented === 'string' && presented.trim() === presented ? presented : JSON.stringify(presented));
