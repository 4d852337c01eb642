// An explanation as a person reads it: the answer, the clauses, the fix, and where to go on, in less than a screen.
import type { RoleTrace, RuleTrace } from '../../base/core/decision.ts';
import type { Explanation, Fix, RoleExplanation } from '../../policy/explain.ts';
import { nearestRule } from '../../policy/explain.ts';
import { type Paint, printable } from './paint.ts';
import { clauseLines, NEAR_MISSES } from './show-trace.ts';

const MAX_CLAUSE_LINES = 18;
const MAX_OTHER_LINES = 6;
const MAX_FIXES = 2;

/** Lines for a terminal, without a trailing newline: at most 40 for values of ordinary length. */
export function showExplanation(explanation: Explanation, paint: Paint): string {
  const [first, ...others] = explanation.roles;
  if (first === undefined) return `${paint.bad('denied')}  there is no role here`;
  return [
    ...showRole(first, paint),
    ...(first.trace === undefined || first.decision === 'allow' ? [] : closing(first.trace, explanation)),
    ...otherRoles(others, paint),
  ].join('\n');
}

function showRole(role: RoleExplanation, paint: Paint): readonly string[] {
  const answer = role.decision === 'allow' ? paint.good('allowed') : paint.bad('denied');
  const file = role.trace === undefined || role.trace.file === role.role ? '' : `   ${printable(role.trace.file)}`;
  const head = `${answer}  ${paint.strong(printable(role.role))}${file}`;
  if (role.trace === undefined) return [head, `  ${printable(role.detail, 300)}`];
  return [
    head,
    ...firstFailed(role),
    '',
    ...rules(role.trace, paint),
    ...role.fixes.slice(0, MAX_FIXES).flatMap(fixLines(role, paint)),
  ];
}

/** What kept the token out, in one sentence; undefined when nothing did, or there is no clause to name. */
export function failureSentence({ firstFailure, missing }: RoleExplanation): string | undefined {
  if (firstFailure === null) return undefined;
  const { clause, file, line } = firstFailure;
  const near = clause.nearMiss === undefined ? '' : `: ${NEAR_MISSES[clause.nearMiss]}`;
  const more =
    missing > 1 ? ` · ${missing - 1} more ${missing === 2 ? 'clause fails' : 'clauses fail'} or were not reached` : '';
  return `${printable(clause.subject)} does not hold${near} (${printable(file)}:${line})${more}`;
}

function firstFailed(role: RoleExplanation): readonly string[] {
  const sentence = failureSentence(role);
  return sentence === undefined ? [] : [`  ${sentence}`];
}

function rules(trace: RoleTrace, paint: Paint): readonly string[] {
  const denials = trace.rules.filter((rule) => rule.effect === 'deny' && rule.held);
  const held = trace.rules.find((rule) => rule.effect !== 'deny' && rule.held);
  const main = [...denials, held ?? nearestRule(trace.rules)].filter((rule) => rule !== undefined);
  const rest = trace.rules.filter((rule) => !main.includes(rule));
  const isOnly = trace.rules.length === 1;
  return [
    ...main.flatMap((rule) => [...(isOnly ? [] : [`  ${ruleName(rule)}`]), ...cut(clauseLines(rule, paint))]),
    ...capped(
      rest.map((rule) => `  ${paint.faint(`${ruleName(rule)}`)}`),
      'rules',
    ),
  ];
}

function ruleName(rule: RuleTrace): string {
  const place = `${rule.file === undefined ? '' : `${printable(rule.file)} `}line ${rule.line}`;
  if (rule.effect === 'deny')
    return `deny rule, ${place}: ${rule.held ? 'holds, and refuses whatever others say' : 'does not hold'}`;
  const failed = rule.clauses.filter(({ outcome }) => outcome !== 'held').length;
  return `rule, ${place}: ${rule.held ? 'holds' : `${failed} of ${rule.clauses.length} clauses do not hold`}`;
}

const cut = (lines: readonly string[]): readonly string[] =>
  lines.length <= MAX_CLAUSE_LINES
    ? lines
    : [...lines.slice(0, MAX_CLAUSE_LINES), `    … ${lines.length - MAX_CLAUSE_LINES} lines more with --json`];

const fixLines =
  ({ missing }: RoleExplanation, paint: Paint) =>
  (fix: Fix): readonly string[] => {
    const place = `${paint.strong('Fix')}  ${printable(fix.file)}:${fix.line}   ${printable(fix.subject)}`;
    if (fix.write === null) return ['', place, `  ${tokenSide(fix)}`];
    const [there, write] = [printable(fix.found, 200), printable(fix.write, 200)];
    const marks = [...write].map((character, index) => (character === there[index] ? ' ' : '^')).join('');
    const rest = missing > 1 ? ['  (the other clauses fail for reasons of their own)'] : [];
    return ['', place, `  there is   ${there}`, `  write      ${write}`, `             ${marks}`.trimEnd(), ...rest];
  };

const tokenSide = ({ nearMiss }: Fix): string =>
  nearMiss === 'type'
    ? 'the token carries another type than text there, and only text matches: no wanted value would'
    : `the presented value ${NEAR_MISSES[nearMiss]}: the token has to change`;

function closing(trace: RoleTrace, { nearest }: Explanation): readonly string[] {
  const answer = trace.satisfiable === 'unknown' ? 'not known: an expression decides' : trace.satisfiable;
  const lines = ['', `Could any token of this issuer pass?  ${answer}`];
  if (nearest === null) return lines;
  const how = nearest.missing === 0 ? 'all clauses hold' : `${nearest.missing} of its clauses do not hold`;
  return [...lines, `Nearest role  ${nearest.role}   (${how}; not asked for)   ${printable(nearest.file)}`];
}

function otherRoles(roles: readonly RoleExplanation[], paint: Paint): readonly string[] {
  if (roles.length === 0) return [];
  const width = Math.max(...roles.map(({ role }) => role.length));
  const lines = roles.map(({ decision, role, missing, detail }) => {
    const mark = decision === 'allow' ? paint.good('✓') : paint.bad('✗');
    return `  ${mark} ${printable(role).padEnd(width)}   ${decision === 'allow' ? 'allowed' : `${missing} missing: ${printable(detail, 60)}`}`;
  });
  return ['', 'Other roles', ...capped(lines, 'roles')];
}

const capped = (lines: readonly string[], what: string): readonly string[] =>
  lines.length <= MAX_OTHER_LINES
    ? lines
    : [...lines.slice(0, MAX_OTHER_LINES - 1), `  … ${lines.length - MAX_OTHER_LINES + 1} more ${what}`];
