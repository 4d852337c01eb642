// The two CEL libraries as oracles: each evaluates as it is, and its result is shown as ours is. Our evaluator owes them
// nothing but the parser of the first.
import {
  type CelInput,
  type CelValue,
  celEnv,
  celList,
  celMap,
  celUint,
  isCelError,
  isCelList,
  isCelMap,
  isCelType,
  isCelUint,
  parse,
  plan,
} from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { Duration, Environment, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import type { Outcome } from './cel-values.ts';
import { type CelVectorValue, showCelValue } from './cel-vectors.ts';

/** What an oracle is asked. */
export interface Question {
  readonly expression: string;
  readonly container: string;
  readonly bindings: ReadonlyMap<string, CelVectorValue>;
}

/** A library's answer; whatever it throws is an error. */
export type Oracle = (question: Question) => Outcome;

const answered =
  (ask: (question: Question) => CelVectorValue): Oracle =>
  (question) => {
    try {
      return showCelValue(ask(question));
    } catch (error) {
      return `error: ${error instanceof Error ? error.message : String(error)}`;
    }
  };

/** `@bufbuild/cel` with its own evaluator. */
export const bufbuild: Oracle = answered(({ expression, container, bindings }) => {
  const values = Object.fromEntries([...bindings].map(([name, value]) => [name, toBufbuild(value)]));
  const env = celEnv({ namespace: container, funcs: strings });
  const result = plan(env, parse(expression))(values);
  if (isCelError(result)) throw result;
  return fromBufbuild(result);
});

function toBufbuild(value: CelVectorValue): CelInput {
  switch (value.kind) {
    case 'null':
      return null;
    case 'uint':
      return celUint(value.value);
    case 'list':
      return celList(value.values.map(toBufbuild));
    case 'map':
      return celMap(new Map(value.entries.map(([key, each]) => [toBufbuild(key) as string, toBufbuild(each)])));
    case 'bool':
    case 'int':
    case 'double':
    case 'string':
    case 'bytes':
      return value.value;
    default:
      throw new Error(`cannot bind a ${value.kind}`);
  }
}

function fromBufbuild(value: CelValue): CelVectorValue {
  const scalar = fromScalar(value);
  if (scalar !== undefined) return scalar;
  if (isCelUint(value)) return { kind: 'uint', value: value.value };
  if (isCelList(value)) return { kind: 'list', values: [...value].map(fromBufbuild) };
  if (isCelMap(value)) {
    return { kind: 'map', entries: [...value].map(([key, each]) => [fromBufbuild(key), fromBufbuild(each)]) };
  }
  if (isCelType(value)) return { kind: 'type', value: value.name };
  const { message, desc } = Object(value) as {
    message?: { seconds: bigint; nanos: number };
    desc?: { typeName: string };
  };
  if (message === undefined || desc === undefined) throw new Error('an unknown value');
  const kind = desc.typeName.endsWith('Timestamp') ? 'timestamp' : 'duration';
  return { kind, seconds: message.seconds, nanos: message.nanos };
}

/** `@marcbachmann/cel-js`, with its bounds out of the way. */
export const marcbachmann: Oracle = answered(({ expression, bindings }) => {
  const values = Object.fromEntries([...bindings].map(([name, value]) => [name, toMarcbachmann(value)]));
  return fromMarcbachmann(MARCBACHMANN.parse(expression)(values));
});

const MARCBACHMANN = new Environment({
  unlistedVariablesAreDyn: true,
  homogeneousAggregateLiterals: false,
  limits: { maxListElements: 10_000, maxMapEntries: 10_000, maxDepth: 1000, maxAstNodes: 100_000 },
});

function toMarcbachmann(value: CelVectorValue): unknown {
  switch (value.kind) {
    case 'null':
      return null;
    case 'uint':
      return new UnsignedInt(value.value);
    case 'list':
      return value.values.map(toMarcbachmann);
    case 'map':
      return new Map(value.entries.map(([key, each]) => [toMarcbachmann(key), toMarcbachmann(each)]));
    case 'duration':
      return new Duration(value.seconds, value.nanos);
    case 'timestamp':
      return new Date(Number(value.seconds) * 1000);
    case 'message':
      throw new Error('cannot bind a message');
    default:
      return value.value;
  }
}

function fromMarcbachmann(value: unknown): CelVectorValue {
  const scalar = fromScalar(value);
  if (scalar !== undefined) return scalar;
  if (value instanceof UnsignedInt) return { kind: 'uint', value: value.valueOf() };
  if (Array.isArray(value)) return { kind: 'list', values: value.map(fromMarcbachmann) };
  if (value instanceof Duration) return { kind: 'duration', seconds: value.seconds, nanos: value.nanos };
  if (value instanceof Date) {
    const seconds = Math.floor(value.getTime() / 1000);
    return { kind: 'timestamp', seconds: BigInt(seconds), nanos: (value.getTime() - seconds * 1000) * 1_000_000 };
  }
  const type = /^Type<([\w.]+)>$/.exec(String(value))?.[1];
  if (type !== undefined) return { kind: 'type', value: type === 'null' ? 'null_type' : type };
  const entries = value instanceof Map ? [...value] : Object.entries(Object(value));
  return { kind: 'map', entries: entries.map(([key, each]) => [fromMarcbachmann(key), fromMarcbachmann(each)]) };
}

function fromScalar(value: unknown): CelVectorValue | undefined {
  if (value === null) return { kind: 'null' };
  if (typeof value === 'boolean') return { kind: 'bool', value };
  if (typeof value === 'bigint') return { kind: 'int', value };
  if (typeof value === 'number') return { kind: 'double', value };
  if (typeof value === 'string') return { kind: 'string', value };
  return value instanceof Uint8Array ? { kind: 'bytes', value } : undefined;
}
