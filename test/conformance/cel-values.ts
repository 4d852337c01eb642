// Between the values of vectors and those of our evaluator.
import type { JsonValue } from '../../src/base/core/json.ts';
import { compileExpression, type ExpressionOptions, evaluate } from '../../src/policy/expression/expression.ts';
import type { Value } from '../../src/policy/expression/value.ts';
import { type CelVectorValue, showCelValue } from './cel-vectors.ts';

/** What an evaluation came to: a value as text, or `error: why`. */
export type Outcome = string;

export const isError = (outcome: Outcome): boolean => outcome.startsWith('error: ');

/** Our evaluator's outcome. */
export function outcomeOf(
  source: string,
  bindings: Readonly<Record<string, JsonValue>>,
  options: Partial<ExpressionOptions> = {},
): Outcome {
  const compiled = compileExpression(source, { variables: Object.keys(bindings), maxChars: 10_000, ...options });
  if (!compiled.ok) return `error: ${compiled.error.problem}`;
  const value = evaluate(compiled.value, bindings);
  if (value !== null && typeof value === 'object' && value.kind === 'fault') return `error: ${value.problem}`;
  return showCelValue(vectorValueOf(value));
}

const SECOND = 1_000_000_000n;

function vectorValueOf(value: Value): CelVectorValue {
  if (value === null) return { kind: 'null' };
  if (typeof value === 'boolean') return { kind: 'bool', value };
  if (typeof value === 'bigint') return { kind: 'int', value };
  if (typeof value === 'number') return { kind: 'double', value };
  if (typeof value === 'string') return { kind: 'string', value };
  switch (value.kind) {
    case 'bytes':
      return { kind: 'bytes', value: value.bytes };
    case 'list':
      return { kind: 'list', values: value.items.map(vectorValueOf) };
    case 'map': {
      if (value.json !== undefined) return vectorValueOfJson(value.json);
      const entries = [...value.entries.values()];
      return { kind: 'map', entries: entries.map((each) => [vectorValueOf(each.key), vectorValueOf(each.value)]) };
    }
    case 'type':
      return { kind: 'type', value: value.name };
    case 'uint':
      return value;
    case 'fault':
      throw new Error(`a fault inside a value: ${value.problem}`);
    default:
      return { kind: value.kind, seconds: value.nanos / SECOND, nanos: Number(value.nanos % SECOND) };
  }
}

/** A claim as CEL sees it: whole numbers are int, as docs/cel.md says. */
export function vectorValueOfJson(json: JsonValue): CelVectorValue {
  if (typeof json === 'number') {
    return Number.isSafeInteger(json) ? { kind: 'int', value: BigInt(json) } : { kind: 'double', value: json };
  }
  if (json === null || typeof json !== 'object') return vectorValueOf(json);
  if (Array.isArray(json)) return { kind: 'list', values: json.map(vectorValueOfJson) };
  const entries = Object.entries(json);
  return { kind: 'map', entries: entries.map(([key, value]) => [vectorValueOf(key), vectorValueOfJson(value)]) };
}

/** The value as a claim; undefined when JSON cannot hold it. */
export function claimOf(value: CelVectorValue): JsonValue | undefined {
  switch (value.kind) {
    case 'null':
      return null;
    case 'bool':
    case 'string':
    case 'double':
      return value.value;
    case 'int':
      return Number(value.value);
    case 'list': {
      const items = value.values.map(claimOf);
      return items.every((item) => item !== undefined) ? items : undefined;
    }
    case 'map': {
      const members = value.entries.map(([key, each]) => [claimOf(key), claimOf(each)] as const);
      const isObject = members.every(([key, each]) => typeof key === 'string' && each !== undefined);
      return isObject ? Object.fromEntries(members) : undefined;
    }
    default:
      return undefined;
  }
}
