// CEL expressions of policies: compiled once, evaluated over claims within a fixed cost. Any error is a no.
import type { JsonObject, JsonValue } from '../../base/core/json.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { type Compiled, compileSyntax } from './compile.ts';
import { chargeText, MAX_COST, type Meter, OverBudget } from './cost.ts';
import type { Dialect } from './functions.ts';
import type { Run } from './run.ts';
import { parseSyntax } from './syntax.ts';
import type { ExpressionProblem } from './tokens.ts';
import { fault, isFault, isKind, type MapValue, typeNameOf, type Value } from './value.ts';

/** A compiled expression. It holds nothing of any evaluation and may be shared. */
export interface Expression {
  readonly source: string;
  /** For this room only. */
  readonly compiled: Compiled;
}

export interface ExpressionOptions {
  /** The names that the expression may use; every other name is a problem. */
  readonly variables: readonly string[];
  /** UTF-16 units. */
  readonly maxChars: number;
  /** `google` adds extract, split, join, lowerAscii and upperAscii (cloud-wire §2.4). Standard CEL when absent. */
  readonly dialect?: Dialect;
}

/** An evaluation that came to nothing: `problem` repeats no claim, `offset` is its place in the source where it has one. */
export interface EvaluationError {
  readonly outcome: 'error';
  readonly problem: string;
  readonly offset?: number;
}

/**
 * Compiles an expression. Refused, with the place of the first problem: what is no CEL, longer than `maxChars`, nested
 * beyond 32 brackets, 128 operators or 3 macros, unknown variables and functions, numbers out of range, patterns that are
 * no RE2 or cost too much. Time is bounded by `maxChars`; it never throws.
 */
export function compileExpression(source: string, options: ExpressionOptions): Result<Expression, ExpressionProblem> {
  if (source.length > options.maxChars) {
    return err({ problem: `longer than ${options.maxChars} characters`, offset: options.maxChars });
  }
  if (!source.isWellFormed()) return err({ problem: 'not well-formed Unicode', offset: 0 });
  const parsed = parseSyntax(source);
  if (!parsed.ok) return parsed;
  const { variables, dialect = 'standard' } = options;
  const compiled = compileSyntax(parsed.value, { variables, dialect });
  return compiled.ok ? ok({ source, compiled: compiled.value }) : compiled;
}

/**
 * Whether the expression holds. Only `{ outcome: true }` is a yes: an error, a result that is no bool, and an evaluation
 * that costs too much are errors. The cost is counted, not timed, so that the answer is the same on every machine; all of
 * it takes less than 50 ms. Evaluations that are given one meter share what is left on it. It never throws.
 */
export function evaluateExpression(
  expression: Expression,
  bindings: Readonly<Record<string, JsonValue>>,
  meter?: Meter,
): { readonly outcome: true | false } | EvaluationError {
  const value = evaluate(expression, bindings, meter);
  if (value === true) return { outcome: true };
  if (value === false) return { outcome: false };
  return errorOf(isFault(value) ? value : fault(`wanted a bool, got ${typeNameOf(value)}`));
}

/**
 * The value of the expression as JSON, for mappings of claims: strings, bools, null, numbers, lists and maps of them. What
 * JSON cannot hold unchanged (bytes, types, times, whole numbers above 2^53, other keys than strings) is an error.
 */
export function evaluateToValue(
  expression: Expression,
  bindings: Readonly<Record<string, JsonValue>>,
  meter?: Meter,
): { readonly outcome: 'value'; readonly value: JsonValue } | EvaluationError {
  const shared = meter ?? { left: MAX_COST };
  const value = evaluate(expression, bindings, shared);
  if (isFault(value)) return errorOf(value);
  try {
    const json = jsonOf(value, shared);
    return json.ok ? { outcome: 'value', value: json.value } : errorOf(fault(json.error));
  } catch (error) {
    return errorOf(fault(error instanceof OverBudget ? 'the evaluation costs too much' : 'the evaluation failed'));
  }
}

const errorOf = ({ problem, offset }: { problem: string; offset: number | undefined }): EvaluationError =>
  offset === undefined ? { outcome: 'error', problem } : { outcome: 'error', problem, offset };

/** The value or the fault, for tests that compare with the standard's own values. Never throws. */
export function evaluate(expression: Expression, bindings: Readonly<Record<string, JsonValue>>, meter?: Meter): Value {
  const { code, slots } = expression.compiled;
  const run: Run = {
    bindings,
    slots: new Array<Value>(slots).fill(null),
    lists: new Map(),
    patterns: new Map(),
    left: meter?.left ?? MAX_COST,
  };
  try {
    return code(run);
  } catch (error) {
    // Also what should not happen, as a bug of the pattern library, must end in a no and never in a crash.
    return fault(error instanceof OverBudget ? 'the evaluation costs too much' : 'the evaluation failed');
  } finally {
    if (meter !== undefined) meter.left = run.left;
  }
}

/** Charged for: a value whose parts stand in it many times is small in memory and unfolds without end. */
function jsonOf(value: Value, meter: Meter): Result<JsonValue, string> {
  chargeText(meter, typeof value === 'string' ? value.length : 0);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return ok(value);
  if (typeof value === 'bigint' || isKind(value, 'uint')) {
    const number = Number(typeof value === 'bigint' ? value : value.value);
    return Number.isSafeInteger(number) ? ok(number) : err('the whole number is beyond 2^53');
  }
  if (typeof value === 'number') return Number.isFinite(value) ? ok(value) : err('the double is not finite');
  if (isKind(value, 'list')) {
    const items = value.items.map((item) => jsonOf(item, meter));
    const bad = items.find((item) => !item.ok);
    return bad ?? ok(items.flatMap((item) => (item.ok ? [item.value] : [])));
  }
  return isKind(value, 'map') ? jsonMapOf(value, meter) : err(`a ${typeNameOf(value)} has no JSON form`);
}

function jsonMapOf(map: MapValue, meter: Meter): Result<JsonObject, string> {
  if (map.json !== undefined) return ok(map.json);
  const members: [string, JsonValue][] = [];
  for (const [key, entry] of map.entries) {
    if (typeof key !== 'string') return err('a map with keys that are no strings has no JSON form');
    const value = jsonOf(entry.value, meter);
    if (!value.ok) return value;
    members.push([key, value.value]);
  }
  return ok(Object.fromEntries(members));
}
