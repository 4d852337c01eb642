// Equality and order of values as CEL defines them: numbers compare across their types, nothing else does.
import { keysOf, lookUp } from './claims.ts';
import { charge, chargeText } from './cost.ts';
import type { Run } from './run.ts';
import { isKind, type List, type MapKey, type MapValue, mapKeyOf, type Value } from './value.ts';

/** Equality: values of different types are unequal, NaN equals nothing, containers are compared whole. Charged for. */
export function equals(run: Run, left: Value, right: Value): boolean {
  if (typeof left === 'string' && typeof right === 'string') {
    chargeText(run, Math.min(left.length, right.length));
    return left === right;
  }
  const one = numberOf(left);
  const other = numberOf(right);
  if (one !== undefined && other !== undefined) return equalNumbers(one, other);
  if (typeof left !== 'object' || left === null) return left === right;
  charge(run, 1);
  if (isKind(left, 'list')) return isKind(right, 'list') && equalLists(run, left, right);
  if (isKind(left, 'map')) return isKind(right, 'map') && equalMaps(run, left, right);
  if (isKind(left, 'type')) return isKind(right, 'type') && left.name === right.name;
  return order(run, left, right) === 0;
}

/** The values, exactly: no double stands for an int that it only comes near. */
function equalNumbers(left: bigint | number, right: bigint | number): boolean {
  if (typeof left === typeof right) return left === right;
  const [whole, double] = typeof left === 'bigint' ? [left, Number(right)] : [right, Number(left)];
  return Number.isInteger(double) && BigInt(double) === whole;
}

const equalLists = (run: Run, left: List, right: List): boolean =>
  left.items.length === right.items.length &&
  left.items.every((item, index) => {
    charge(run, 1);
    return equals(run, item, right.items[index] ?? null);
  });

function equalMaps(run: Run, left: MapValue, right: MapValue): boolean {
  const keys = keysOf(left, run);
  if (keys.length !== keysOf(right, run).length) return false;
  return keys.every((key) => {
    charge(run, 1);
    const name = mapKeyOf(key);
    const one = valueUnder(run, left, name);
    const other = valueUnder(run, right, name);
    return one !== undefined && other !== undefined && equals(run, one, other);
  });
}

const valueUnder = (run: Run, map: MapValue, key: MapKey | undefined): Value | undefined =>
  key === undefined ? undefined : lookUp(map, key, run);

/** An int, uint or double as a JavaScript number of either sort. */
function numberOf(value: Value): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return isKind(value, 'uint') ? value.value : undefined;
}

/**
 * Negative, zero or positive as `left` comes before, with or after `right`; NaN when a double is NaN; undefined when CEL
 * does not order such a pair.
 */
export function order(run: Run, left: Value, right: Value): number | undefined {
  if (typeof left === 'string') return typeof right === 'string' ? orderTexts(run, left, right) : undefined;
  const one = numberOf(left);
  const other = numberOf(right);
  if (one !== undefined && other !== undefined) return orderNumbers(one, other);
  if (typeof left === 'boolean') return typeof right === 'boolean' ? Number(left) - Number(right) : undefined;
  if (isKind(left, 'bytes')) return isKind(right, 'bytes') ? orderBytes(run, left.bytes, right.bytes) : undefined;
  if (isKind(left, 'timestamp')) return isKind(right, 'timestamp') ? orderNumbers(left.nanos, right.nanos) : undefined;
  if (isKind(left, 'duration')) return isKind(right, 'duration') ? orderNumbers(left.nanos, right.nanos) : undefined;
  return undefined;
}

function orderNumbers(left: bigint | number, right: bigint | number): number {
  if (typeof left === 'bigint' && typeof right === 'bigint') return left < right ? -1 : left > right ? 1 : 0;
  // The vectors want an int beside a double compared as a double (comparisons/lt_literal/not_lt_dyn_int_big_lossy_double).
  const one = Number(left);
  const other = Number(right);
  if (Number.isNaN(one) || Number.isNaN(other)) return Number.NaN;
  return one < other ? -1 : one > other ? 1 : 0;
}

/** By code points, which is the order of the UTF-8 bytes; JavaScript's own order differs above U+FFFF. */
function orderTexts(run: Run, left: string, right: string): number {
  const shorter = Math.min(left.length, right.length);
  chargeText(run, shorter * 8);
  for (let at = 0; at < shorter; at++) {
    const one = left.charCodeAt(at);
    const other = right.charCodeAt(at);
    if (one !== other) return rank(one) - rank(other);
  }
  return left.length - right.length;
}

/** Moves surrogates behind every other unit, because they stand for code points above U+FFFF. */
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

function orderBytes(run: Run, left: Uint8Array, right: Uint8Array): number {
  chargeText(run, Math.min(left.length, right.length));
  return Buffer.compare(left, right);
}
