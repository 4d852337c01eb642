// How a presented value just missed a condition: by case, by type, by space. For explanations; it never decides.
import type { NearMiss } from '../../base/core/decision.ts';
import type { JsonValue } from '../../base/core/json.ts';
import type { Condition } from './conditions.ts';
import type { ConditionContext } from './context.ts';
import { ANY, type Glob, matchesGlob, STAR } from './template.ts';
import { resolveText } from './variables.ts';

/** The near miss of a condition that did not hold; undefined when none is, or when the operator is a negated one. */
export function nearMissOf(condition: Condition, context: ConditionContext): NearMiss | undefined {
  const { comparison } = condition.operator;
  const value = context.values.get(condition.lookup);
  if (comparison === null || comparison.negated || value === undefined) return undefined;
  const matches = (text: string): boolean =>
    condition.operands.some((operand) => operand.match(text, context) === 'yes');
  const values: readonly JsonValue[] = Array.isArray(value) ? value : [value];
  for (const one of values) {
    if (typeof one === 'number' || typeof one === 'boolean') {
      if (matches(String(one))) return 'type';
    } else if (typeof one === 'string') {
      if (one.trim() !== one && matches(one.trim())) return 'space';
      if (foldedGlobs(condition, context).some((glob) => matchesGlob(glob, one.toLowerCase()))) return 'case';
    }
  }
  return undefined;
}

function foldedGlobs({ operands }: Condition, context: ConditionContext): readonly Glob[] {
  return operands.flatMap(({ text }) => {
    const glob = text === undefined ? undefined : resolveText(text, context);
    return glob === undefined ? [] : [glob.flatMap(folded)];
  });
}

const folded = (symbol: number): Glob =>
  symbol === STAR || symbol === ANY
    ? [symbol]
    : [...String.fromCodePoint(symbol).toLowerCase()].map((character) => character.codePointAt(0) ?? 0);
