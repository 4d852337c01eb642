// The values of CEL. How claims become values, and what operators and functions do with them, is said elsewhere.
import type { JsonObject } from '../../base/core/json.ts';

/**
 * A CEL value. `bigint` is int, `number` is double: the two are never mixed up by JavaScript. A `Fault` is an error as a
 * value; only `true` itself is ever taken for true.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint
  | Bytes
  | List
  | MapValue
  | TypeValue
  | Timestamp
  | Duration
  | Fault;

interface Uint {
  readonly kind: 'uint';
  readonly value: bigint;
}
interface Bytes {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
}
export interface List {
  readonly kind: 'list';
  readonly items: readonly Value[];
}
/** Either a JSON object, whose members become values when they are read, or the entries of a map literal. */
export interface MapValue {
  readonly kind: 'map';
  readonly json: JsonObject | undefined;
  readonly entries: ReadonlyMap<MapKey, MapEntry>;
}
interface TypeValue {
  readonly kind: 'type';
  readonly name: string;
}
/** Nanoseconds since 1970 in UTC. */
export interface Timestamp {
  readonly kind: 'timestamp';
  readonly nanos: bigint;
}
export interface Duration {
  readonly kind: 'duration';
  readonly nanos: bigint;
}
/** Why there is no value. `offset` counts UTF-16 units of the source; undefined until the caller's place is known. */
export interface Fault {
  readonly kind: 'fault';
  readonly problem: string;
  readonly offset: number | undefined;
}

/** A key as it is looked up by: int, uint and a whole double of one value are one key. */
export type MapKey = boolean | bigint | string;
export interface MapEntry {
  readonly key: Value;
  readonly value: Value;
}

type Tagged = Extract<Value, { readonly kind: string }>;

/** CEL's name for the type of a value. A fault has none and never gets here. */
export function typeNameOf(value: Value): string {
  if (value === null) return 'null_type';
  if (typeof value === 'object') return TAGGED_TYPES[value.kind];
  return SCALAR_TYPES[typeof value as keyof typeof SCALAR_TYPES];
}

const SCALAR_TYPES = { boolean: 'bool', bigint: 'int', number: 'double', string: 'string' } as const;
const TAGGED_TYPES: Readonly<Record<Tagged['kind'], string>> = {
  uint: 'uint',
  bytes: 'bytes',
  list: 'list',
  map: 'map',
  type: 'type',
  timestamp: 'google.protobuf.Timestamp',
  duration: 'google.protobuf.Duration',
  fault: 'fault',
};

/** The names that stand for types in an expression. */
export const TYPE_NAMES: readonly string[] = [
  ...Object.values(SCALAR_TYPES),
  'uint',
  'bytes',
  'list',
  'map',
  'type',
  'null_type',
  'google.protobuf.Timestamp',
  'google.protobuf.Duration',
];

/** True for a value of this kind. */
export const isKind = <K extends Tagged['kind']>(value: Value, kind: K): value is Extract<Value, { kind: K }> =>
  typeof value === 'object' && value !== null && value.kind === kind;

/** True for an error. */
export const isFault = (value: Value): value is Fault => isKind(value, 'fault');

/** An error; without a place, the call that it comes out of adds its own. */
export const fault = (problem: string, offset?: number): Fault => ({ kind: 'fault', problem, offset });

export const listOf = (items: readonly Value[]): List => ({ kind: 'list', items });

/** The key of a map entry or a lookup; undefined for what can be no key: null, lists, maps, doubles that are not whole. */
export function mapKeyOf(value: Value): MapKey | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== 'object') return value;
  return isKind(value, 'uint') ? value.value : undefined;
}
