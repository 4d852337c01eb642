// Clauses and rules of a decision, a line or three for each. What stands around them is its caller's business.
import type { ClauseTrace, NearMiss, RuleTrace } from '../../base/core/decision.ts';
import type { JsonValue } from '../../base/core/json.ts';
import { type Paint, printable } from './paint.ts';

/** Near misses in words. */
export const NEAR_MISSES: Readonly<Record<NearMiss, string>> = {
  case: 'differs only in case',
  type: 'not a string',
  space: 'differs only in white space',
};
const LEAST_SUBJECT_WIDTH = 20;
const MOST_SUBJECT_WIDTH = 44;
const WANTED_WIDTH = 36;
const MAX_LINE_CHARS = 100;
const MAX_WANTED_SHOWN = 3;
const MAX_VALUE_CHARS = 88;
const INDENT = ' '.repeat(8);

/** Every clause of the rule, subjects aligned. */
export function clauseLines({ clauses }: RuleTrace, paint: Paint): readonly string[] {
  const longest = Math.max(LEAST_SUBJECT_WIDTH, ...clauses.map(({ subject }) => printable(subject).length));
  const width = Math.min(longest, MOST_SUBJECT_WIDTH);
  return clauses.flatMap((clause) => linesOf(clause, { width, paint }));
}

/** One line of a trace: mark, subject, detail. */
export function traceLine(
  outcome: ClauseTrace['outcome'],
  subject: string,
  detail: string,
  { paint, width = LEAST_SUBJECT_WIDTH }: { readonly paint: Paint; readonly width?: number },
): string {
  const mark = { held: paint.good('✓'), failed: paint.bad('✗'), not_reached: paint.faint('–') }[outcome];
  return `  ${mark} ${printable(subject).padEnd(width)} ${detail}`.trimEnd();
}

function linesOf(clause: ClauseTrace, style: { readonly paint: Paint; readonly width: number }): readonly string[] {
  const { outcome, subject } = clause;
  // `when` is its own subject; repeating it as an operator says nothing.
  const operator = clause.operator === undefined || clause.operator === subject ? '' : clause.operator;
  const line = (detail: string): string => traceLine(outcome, subject, detail, style);
  if (outcome === 'not_reached') return [line('not reached')];
  if (outcome === 'held') return [line(heldDetail(clause))];
  const wanted = `wanted ${wantedText(clause)}`;
  const got = clause.presented === undefined && subject === 'when' ? '' : gotText(clause.presented);
  const why = clause.nearMiss === undefined ? (clause.problem ?? '') : NEAR_MISSES[clause.nearMiss];
  const short = `${operator === '' ? '' : `${operator} `}${wanted.padEnd(WANTED_WIDTH)} ${got}${why === '' ? '' : `   ${why}`}`;
  if (style.width + short.length + 5 <= MAX_LINE_CHARS) return [line(short.trimEnd())];
  return [
    line(operator),
    `${INDENT}${wanted}`,
    ...(got === '' ? [] : [`${INDENT}${got.replace(/^got /, 'got    ')}`]),
    ...(why === '' ? [] : [`${INDENT}${printable(why, MAX_VALUE_CHARS)}`]),
  ];
}

const heldDetail = (clause: ClauseTrace): string =>
  clause.presented === undefined && clause.subject === 'when'
    ? printable(clause.wanted.join(' '), MAX_VALUE_CHARS)
    : showValue(clause.presented);

function wantedText({ wanted }: ClauseTrace): string {
  const shown = wanted.slice(0, MAX_WANTED_SHOWN).map(showValue);
  const more = wanted.length - shown.length;
  return `${shown.join(' or ')}${more === 0 ? '' : ` or ${more} others`}`;
}

const gotText = (value: JsonValue | undefined): string =>
  value === undefined ? 'the token has no such claim' : `got ${showValue(value)}`;

/** Text that would read as something else without its quotes: a number, a list, space at its ends. */
const NEEDS_QUOTES = /^$|^\s|\s$|^["'[{]|^(?:true|false|null)$|^[+-]?\.?[0-9][0-9.eE+-]*$/;

/** A value, cut and safe to print: text bare where it cannot be taken for anything else, all others as JSON. */
const showValue = (value: JsonValue | undefined): string => {
  if (value === undefined) return '';
  const isBare = typeof value === 'string' && !NEEDS_QUOTES.test(value);
  return printable(isBare ? value : JSON.stringify(value), MAX_VALUE_CHARS);
};
