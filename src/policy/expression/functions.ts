// Every function and operator by its name and the number of its arguments. What is not here does not exist.
import { add, divide, multiply, negate, remainder, subtract } from './arithmetic.ts';
import { keysOf, lookUp } from './claims.ts';
import { equals, order } from './compare.ts';
import { CONVERSIONS } from './conversion.ts';
import { charge } from './cost.ts';
import { isFoundDynamic } from './pattern-match.ts';
import type { Run } from './run.ts';
import {
  codePoints,
  contains,
  endsWith,
  extract,
  join,
  lowerAscii,
  readTemplate,
  split,
  startsWith,
  upperAscii,
} from './text.ts';
import { DURATION_PARTS, TIMESTAMP_PARTS, wallClock } from './time.ts';
import { fault, isKind, mapKeyOf, typeNameOf, type Value } from './value.ts';

/**
 * A function over values that are no faults; a method's receiver comes first. It returns undefined when CEL has no such
 * overload, and a fault without a place for any other error.
 */
export type Builtin = (run: Run, ...args: readonly Value[]) => Value | undefined;

/** Which functions an expression may call: CEL's own, or those that Google's attribute mappings add as well. */
export type Dialect = 'standard' | 'google';

/** The function, or undefined when there is none of this name with so many arguments (the receiver counts as one). */
export const findBuiltin = (
  dialect: Dialect,
  style: 'global' | 'method',
  name: string,
  arity: number,
): Builtin | undefined => {
  const key = `${style === 'method' ? '.' : ''}${name}/${arity}`;
  return STANDARD.get(key) ?? (dialect === 'google' ? GOOGLE.get(key) : undefined);
};

const binary =
  (apply: (run: Run, one: Value, two: Value) => Value | undefined): Builtin =>
  (run, one = null, two = null) =>
    apply(run, one, two);

const ordered = (test: (order: number) => boolean): Builtin =>
  binary((run, left, right) => {
    const found = order(run, left, right);
    return found === undefined ? undefined : test(found);
  });

const size: Builtin = (run, value = null) => {
  if (typeof value === 'string') return codePoints(run, value);
  if (isKind(value, 'list')) return BigInt(value.items.length);
  if (isKind(value, 'bytes')) return BigInt(value.bytes.length);
  return isKind(value, 'map') ? BigInt(keysOf(value, run).length) : undefined;
};

const isIn: Builtin = (run, value = null, container = null) => {
  if (isKind(container, 'map')) {
    const key = mapKeyOf(value);
    // A double that is not whole is no key of any map; null, a list or a map cannot be asked for.
    if (key === undefined) return typeof value === 'number' ? false : undefined;
    return lookUp(container, key, run) !== undefined;
  }
  if (!isKind(container, 'list')) return undefined;
  return container.items.some((item) => {
    charge(run, 1);
    return equals(run, item, value);
  });
};

const matches: Builtin = (run, value, pattern) =>
  typeof value === 'string' && typeof pattern === 'string' ? isFoundDynamic(run, value, pattern) : undefined;

const extractDynamic: Builtin = (run, value, template) => {
  if (typeof value !== 'string' || typeof template !== 'string') return undefined;
  const read = readTemplate(template);
  return read.ok ? extract(run, value, read.value) : fault(read.error);
};

const timePart =
  (name: string): Builtin =>
  (run, time = null, zone) => {
    if (isKind(time, 'duration') && zone === undefined) return DURATION_PARTS[name]?.(time.nanos);
    const part = TIMESTAMP_PARTS[name];
    if (!isKind(time, 'timestamp') || part === undefined) return undefined;
    if (zone !== undefined && typeof zone !== 'string') return undefined;
    const wall = wallClock(run, time, zone);
    return wall === undefined ? fault('there is no such time zone') : BigInt(part(wall));
  };

const timeParts = Object.keys(TIMESTAMP_PARTS).flatMap((name): [string, Builtin][] => [
  [`.${name}/1`, timePart(name)],
  [`.${name}/2`, timePart(name)],
]);

const conversions = Object.entries(CONVERSIONS).map(([name, convert]): [string, Builtin] => [
  `${name}/1`,
  (run, value = null) => convert(run, value),
]);

const STANDARD: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  ['!_/1', (_run, value) => (typeof value === 'boolean' ? !value : undefined)],
  ['-_/1', (run, value = null) => negate(run, value)],
  ['_+_/2', binary(add)],
  ['_-_/2', binary(subtract)],
  ['_*_/2', binary(multiply)],
  ['_/_/2', binary(divide)],
  ['_%_/2', binary(remainder)],
  ['_==_/2', binary(equals)],
  ['_!=_/2', binary((run, left, right) => !equals(run, left, right))],
  ['_<_/2', ordered((found) => found < 0)],
  ['_<=_/2', ordered((found) => found <= 0)],
  ['_>_/2', ordered((found) => found > 0)],
  ['_>=_/2', ordered((found) => found >= 0)],
  ['@in/2', isIn],
  ['size/1', size],
  ['.size/1', size],
  ['type/1', (_run, value = null) => ({ kind: 'type', name: typeNameOf(value) })],
  ['.contains/2', binary(contains)],
  ['.startsWith/2', binary(startsWith)],
  ['.endsWith/2', binary(endsWith)],
  ['.matches/2', matches],
  ['matches/2', matches],
  ...conversions,
  ...timeParts,
]);

const GOOGLE: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  ['.extract/2', extractDynamic],
  ['.split/2', (run, value = null, separator = null) => split(run, value, separator)],
  ['.split/3', (run, value = null, separator = null, limit = null) => split(run, value, separator, limit)],
  ['.join/1', (run, list = null) => join(run, list)],
  ['.join/2', (run, list = null, separator = null) => join(run, list, separator)],
  ['.lowerAscii/1', (run, value = null) => lowerAscii(run, value)],
  ['.upperAscii/1', (run, value = null) => upperAscii(run, value)],
]);
