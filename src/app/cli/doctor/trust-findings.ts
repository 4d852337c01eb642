// What the examined document says of the token, by the engine that decides for our own STS. Pure.
import type { ClauseTrace, RuleTrace } from '../../../base/core/decision.ts';
import type { Claims } from '../../../base/core/json.ts';
import { nearestRule, type RoleExplanation } from '../../../policy/explain.ts';
import { failureSentence } from '../show-explanation.ts';
import { type Finding, holds, unseen, wrong } from './finding.ts';
import { audiencesOf } from './token-findings.ts';

/** The rules that decided: denials that hold, then the one that lets the token in or comes nearest to it. */
export function decisiveRules({ trace }: RoleExplanation): readonly RuleTrace[] {
  const rules = trace?.rules ?? [];
  const denials = rules.filter((rule) => rule.effect === 'deny' && rule.held);
  const main = rules.find((rule) => rule.effect !== 'deny' && rule.held) ?? nearestRule(rules);
  return main === undefined ? denials : [...denials, main];
}

/** The clause about `subject` in the rules that decided. */
export const decisiveClause = (role: RoleExplanation, subject: string): ClauseTrace | undefined =>
  decisiveRules(role)
    .flatMap(({ clauses }) => clauses)
    .find((clause) => clause.subject === subject);

/** Whether the document lets the token in, and if not, what to write; `fix` where nothing but a rewrite would be known. */
export function policyFinding(
  role: RoleExplanation,
  fix = 'compare wanted with got below; the policy or the token has to change',
): Finding {
  if (role.decision === 'allow') return holds('trust policy', 'lets this token in');
  const [rewrite] = role.fixes;
  const write =
    rewrite === undefined || rewrite.write === null ? fix : `write ${rewrite.write} (${rewrite.file}:${rewrite.line})`;
  return wrong('trust policy', failureSentence(role) ?? role.detail, write);
}

/** Whether the token's one audience is one that the document wants. `takes` says who wants it. */
export function audienceFinding(role: RoleExplanation, claims: Claims, takes: string): Finding {
  const clause = decisiveClause(role, 'aud');
  const shown = audiencesOf(claims)?.join(' and ') ?? 'none that is text';
  if (clause === undefined || clause.outcome === 'not_reached')
    return unseen('audience', `${shown}; not compared: ${takes} names no such issuer`);
  if (clause.outcome === 'held') return holds('audience', shown);
  const [wanted = ''] = clause.wanted;
  return wrong(
    'audience',
    `${shown}; ${takes} wants ${clause.wanted.join(' or ')}`,
    `jobpass token --audience ${wanted}`,
  );
}
