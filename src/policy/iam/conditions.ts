// Condition blocks of IAM statements: read once, evaluated many times. Where a condition stands and what it decides is the
// statement's business.
import { isJsonObject, type JsonValue } from '../../base/core/json.ts';
import type { DocumentPath } from '../../base/document/problem.ts';
import type { Report } from '../../base/document/read.ts';
import { type ConditionContext, everyTruth, negated, someTruth, type Truth, truthOf } from './context.ts';
import { type Operand, type Operator, parseOperator } from './operators.ts';
import { asciiLower } from './template.ts';
import { parseBool } from './values.ts';
import { resolveText } from './variables.ts';

/** One key under one operator; its values are alternatives. */
export interface Condition {
  readonly operator: Operator;
  /** As the policy spells it. */
  readonly key: string;
  /** In ASCII lower case, as contexts have it. */
  readonly lookup: string;
  readonly operands: readonly Operand[];
  /** Why it can never be evaluated: a wanted value that the operator cannot read. It was reported. */
  readonly broken: string | null;
  readonly line: number;
}

export interface ConditionRules {
  readonly report: Report;
  /** Where the block stands. */
  readonly at: DocumentPath;
  readonly lineOf: (path: DocumentPath) => number;
  /** `${…}` is a variable: Version 2012-10-17. */
  readonly variables: boolean;
  /** What every problem begins with: a cloud's own word for a refused policy, or nothing. */
  readonly refusal: string;
  /** What is wrong with a key, for the author. */
  readonly keyProblem?: (key: string) => string | undefined;
}

/** Longer than any subject (255) or reference; it bounds the cost of a comparison. */
const MAX_VALUE_CHARS = 2048;

/**
 * Reads a condition block, reporting every problem under its place. The conditions are those that have their form; whoever
 * uses them although something was reported must refuse. A value that cannot be read makes a condition that never is true.
 */
export function compileConditions(block: JsonValue, rules: ConditionRules): readonly Condition[] {
  if (!isJsonObject(block)) {
    rules.report(rules.at, `${rules.refusal}wanted operators, each with its keys and values`);
    return [];
  }
  return Object.entries(block).flatMap(([name, keys]) => compileOperator(name, keys, rules));
}

function compileOperator(name: string, keys: JsonValue, rules: ConditionRules): readonly Condition[] {
  const at = [...rules.at, name];
  const operator = parseOperator(name);
  if (!operator.ok) {
    rules.report(at, `${rules.refusal}Invalid Condition type : ${name.slice(0, 64)}`, operator.error.hint);
    return [];
  }
  if (!isJsonObject(keys) || Object.keys(keys).length === 0) {
    rules.report(at, `${rules.refusal}wanted at least one key with its values`);
    return [];
  }
  const seen = new Set<string>();
  return Object.entries(keys).map(([key, values]) => {
    const place = [...at, key];
    const lookup = asciiLower(key);
    const problem = key.length > MAX_VALUE_CHARS ? 'too long for a key' : rules.keyProblem?.(key);
    if (problem !== undefined) rules.report(place, `${rules.refusal}${problem}`);
    // Key names ignore case: the two would be one key with two lists, and one of them would be lost.
    if (seen.has(lookup)) rules.report(place, `${rules.refusal}the same key stands here in another case`);
    seen.add(lookup);
    const { operands, broken } = compileValues(operator.value, values, { rules, place });
    return { operator: operator.value, key, lookup, operands, broken, line: rules.lineOf(place) };
  });
}

function compileValues(
  operator: Operator,
  values: JsonValue,
  { rules, place }: { readonly rules: ConditionRules; readonly place: DocumentPath },
): Pick<Condition, 'operands' | 'broken'> {
  const listed = Array.isArray(values);
  const all: readonly JsonValue[] = listed ? values : [values];
  const operands: Operand[] = [];
  let broken: string | null = null;
  const refuse = (path: DocumentPath, problem: string): void => {
    rules.report(path, `${rules.refusal}${problem}`);
    broken ??= problem;
  };
  if (all.length === 0) refuse(place, 'wanted at least one value');
  for (const [index, value] of all.entries()) {
    const path = listed ? [...place, index] : place;
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      refuse(path, 'wanted text, a number, true or false');
    } else if (String(value).length > MAX_VALUE_CHARS) refuse(path, `wanted at most ${MAX_VALUE_CHARS} characters`);
    else {
      const { variables, keyProblem } = rules;
      const operand = operator.comparison?.read(value, { variables, keyProblem }) ?? nullOperand(value);
      if (operand.ok) operands.push(operand.value);
      else refuse(path, operand.error);
    }
  }
  return { operands, broken };
}

function nullOperand(value: string | number | boolean) {
  const wanted = parseBool(value);
  if (wanted === undefined) return { ok: false, error: 'wanted true or false' } as const;
  // Given whether the key is missing.
  const match = (missing: JsonValue): Truth => truthOf(missing === wanted);
  return { ok: true, value: { source: String(value), keys: [], match } } as const;
}

/** What came out of one condition. */
export interface ConditionOutcome {
  readonly truth: Truth;
  /** Why it is unknown. */
  readonly problem?: string;
  readonly presented?: JsonValue;
}

/**
 * Evaluates one condition. Missing keys, as on AWS: false; true for negated operators, for `IfExists` and for `ForAllValues:`;
 * false again for `ForAnyValue:`. Values that cannot be compared make it unknown, which allows nothing and denies.
 */
export function evaluateCondition(condition: Condition, context: ConditionContext): ConditionOutcome {
  if (condition.broken !== null) return { truth: 'unknown', problem: condition.broken };
  const why = context.whyUnknown?.(condition.lookup);
  if (why !== undefined) return { truth: 'unknown', problem: why };
  const value = context.values.get(condition.lookup) ?? null;
  const values: readonly JsonValue[] = Array.isArray(value) ? value : value === null ? [] : [value];
  const presented = value === null ? {} : { presented: value };
  const { operator, operands } = condition;
  if (operator.comparison === null) {
    return { truth: someTruth(operands, (operand) => operand.match(values.length === 0, context)), ...presented };
  }
  if (values.length === 0) return { truth: truthOf(holdsWhenMissing(operator)), ...presented };
  if (values.length > 1 && operator.set === null && context.severalValues === 'unknown') {
    return {
      truth: 'unknown',
      problem: 'several values, and the operator does not say which of them count',
      ...presented,
    };
  }
  const matches = (one: JsonValue): Truth => someTruth(operands, (operand) => operand.match(one, context));
  const truth = combine(operator, values, matches);
  return { truth, ...presented, ...(truth === 'unknown' ? { problem: whyIncomparable(condition, context) } : {}) };
}

function holdsWhenMissing({ ifExists, set, comparison }: Operator): boolean {
  if (ifExists || set === 'all') return true;
  return set === null && comparison?.negated === true;
}

function combine(operator: Operator, values: readonly JsonValue[], matches: (value: JsonValue) => Truth): Truth {
  const isNegated = operator.comparison?.negated === true;
  // Without a prefix a negated operator is a NOR: no value may match any wanted one.
  if (operator.set === null) return isNegated ? negated(someTruth(values, matches)) : someTruth(values, matches);
  const holds = isNegated ? (value: JsonValue): Truth => negated(matches(value)) : matches;
  return operator.set === 'any' ? someTruth(values, holds) : everyTruth(values, holds);
}

function whyIncomparable({ operands }: Condition, context: ConditionContext): string {
  const unresolved = operands.some(
    (operand) => operand.text !== undefined && resolveText(operand.text, context) === undefined,
  );
  return unresolved
    ? 'a policy variable has no value'
    : 'the presented value is of another type than the operator compares';
}
