// Results of policy tests as a person reads them: the answer first, every failure with the clauses that made it.
import { type ClauseTrace, formatRoleRef } from '../../base/core/decision.ts';
import type { JsonValue } from '../../base/core/json.ts';
import type { ClauseCoverage, PolicyCoverage } from '../../policy/test/coverage.ts';
import type { DecisiveClause, PolicyTestResult } from '../../policy/test/run.ts';
import { type Paint, printable } from './paint.ts';
import { NEAR_MISSES } from './show-trace.ts';

const MAX_LINE_CHARS = 100;
const MAX_WANTED_SHOWN = 3;

/** Lines for a terminal, without a trailing newline. */
export function showPolicyTests(results: readonly PolicyTestResult[], paint: Paint): string {
  const failed = results.filter(({ passed }) => !passed).length;
  const answer = `${results.length - failed} passed, ${failed} failed`;
  const roles = new Map<string, PolicyTestResult[]>();
  for (const result of results) {
    const name = formatRoleRef(result.test.role);
    roles.set(name, [...(roles.get(name) ?? []), result]);
  }
  const width = Math.min(70, Math.max(0, ...results.map(({ test }) => printable(test.name).length)));
  return [
    failed === 0 ? paint.good(answer) : paint.bad(answer),
    ...[...roles].flatMap(([role, tests]) => [
      '',
      paint.strong(printable(role)),
      ...tests.flatMap((result) => showResult(result, width, paint)),
    ]),
  ].join('\n');
}

function showResult(result: PolicyTestResult, width: number, paint: Paint): readonly string[] {
  const { test, passed, mismatch, got, detail, reason, decisive } = result;
  const name = printable(test.name);
  if (passed) {
    const why = reason === 'token_missing' ? `   ${paint.faint(`no token: ${printable(detail)}`)}` : '';
    return [`  ${paint.good('✓')} ${name.padEnd(why === '' ? 0 : width)}${why}`];
  }
  const isDenied = got === 'deny' && decisive.length > 0 && decisive.every(({ outcome }) => outcome === 'held');
  const isBare = decisive.length === 0 && reason !== 'role_unknown' && detail !== '';
  const because = isDenied ? ': a deny statement holds' : isBare ? `: ${printable(detail)}` : '';
  return [
    `  ${paint.bad('✗')} ${name.padEnd(width)}   ${paint.faint(`${test.file}:${test.line}`)}`,
    `      ${mismatch}${because}`,
    ...showClauses(decisive, paint),
  ];
}

function showClauses(clauses: readonly DecisiveClause[], paint: Paint): readonly string[] {
  const width = Math.max(0, ...clauses.map((clause) => titleOf(clause).length));
  return clauses.flatMap((clause) => {
    const mark = clause.outcome === 'held' ? paint.good('✓') : paint.bad('✗');
    const title = titleOf(clause).padEnd(width);
    const place = `${clause.file}:${clause.line}`;
    const short = clauseInWords(clause);
    if (width + short.length + place.length + 14 <= MAX_LINE_CHARS)
      return [`      ${mark} ${title}   ${short}   ${paint.faint(place)}`];
    const { wanted, got, why } = wordsOf(clause);
    const outcome = [got.replace(/^got /, 'got    '), why].filter((part) => part !== '').join('   ');
    return [
      `      ${mark} ${title}   ${paint.faint(place)}`,
      `          wanted ${wanted}`,
      ...(outcome === '' ? [] : [`          ${outcome}`]),
    ];
  });
}

/** `when` is its own subject; repeating it as an operator says nothing. */
const titleOf = ({ subject, operator }: Pick<ClauseTrace, 'subject' | 'operator'>): string =>
  printable(operator === undefined || operator === subject ? subject : `${subject} ${operator}`);

/** What a clause wanted and what it got, in one line without its name. */
export function clauseInWords(clause: ClauseTrace): string {
  const { wanted, got, why } = wordsOf(clause);
  return [`wanted ${wanted}`, got, why].filter((part) => part !== '').join('   ');
}

function wordsOf(clause: ClauseTrace): { wanted: string; got: string; why: string } {
  const { subject, wanted, presented, nearMiss, problem } = clause;
  // An expression has no one value that it was given.
  const none = subject === 'when' || problem !== undefined ? '' : 'the token has none';
  const shown = wanted.slice(0, MAX_WANTED_SHOWN).map((value) => printable(value, 80));
  return {
    wanted: `${shown.join(' or ')}${wanted.length > shown.length ? ` or ${wanted.length - shown.length} others` : ''}`,
    got: presented === undefined ? none : `got ${plain(presented)}`,
    why: nearMiss === undefined ? printable(problem ?? '') : NEAR_MISSES[nearMiss],
  };
}

/** Text as it is, unless blanks at its ends would hide; anything else as JSON. */
const plain = (value: JsonValue): string =>
  printable(typeof value === 'string' && value !== '' && value.trim() === value ? value : JSON.stringify(value));

/** What the tests left out, below one line that counts. */
export function showCoverage({ clauses, uncovered, untested }: PolicyCoverage, paint: Paint): string {
  const covered = clauses.length - uncovered.length;
  const answer = `coverage: ${covered} of ${clauses.length} clauses were once true and once false`;
  const rows = uncovered
    .filter(({ role }) => !untested.includes(role))
    .map((clause) => [`${clause.file}:${clause.line}`, clause.role, titleOfRow(clause), neverOf(clause)] as const);
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => (row[column] ?? '').length)));
  return [
    uncovered.length === 0 ? paint.good(answer) : answer,
    ...rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   ')}`.trimEnd()),
    ...untested.map((role) => `  ${printable(role)} has no test`),
  ].join('\n');
}

const titleOfRow = (clause: ClauseCoverage): string =>
  printable(`${titleOf(clause)}: ${clause.wanted.join(' or ')}`, 60);

const neverOf = ({ wasTrue, wasFalse }: ClauseCoverage): string =>
  wasTrue ? 'never false' : wasFalse ? 'never true' : 'never reached';
