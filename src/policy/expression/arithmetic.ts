// Arithmetic and concatenation. What leaves the range of its type is an error, never a wrapped number.
import { charge, chargeText, type Meter } from './cost.ts';
import { addTimes, subtractTimes } from './time.ts';
import { fault, isKind, listOf, type Value } from './value.ts';

const MIN_INT = -(2n ** 63n);
const MAX_INT = 2n ** 63n - 1n;
const MAX_UINT = 2n ** 64n - 1n;

/** The int, or an error when it does not fit 64 bits with sign. */
export const intOf = (value: bigint): Value =>
  value < MIN_INT || value > MAX_INT ? fault('the int is out of range') : value;

/** The uint, or an error when it does not fit 64 bits without sign. */
export const uintOf = (value: bigint): Value =>
  value < 0n || value > MAX_UINT ? fault('the uint is out of range') : { kind: 'uint', value };

/** `+`: numbers of one type, texts, bytes, lists, times. */
export function add(meter: Meter, left: Value, right: Value): Value | undefined {
  if (typeof left === 'string' && typeof right === 'string') {
    chargeText(meter, left.length + right.length);
    return left + right;
  }
  if (isKind(left, 'list') && isKind(right, 'list')) {
    charge(meter, left.items.length + right.items.length);
    return listOf([...left.items, ...right.items]);
  }
  if (isKind(left, 'bytes') && isKind(right, 'bytes')) {
    chargeText(meter, left.bytes.length + right.bytes.length);
    return { kind: 'bytes', bytes: Buffer.concat([left.bytes, right.bytes]) };
  }
  return calculate(left, right, ADD) ?? addTimes(left, right);
}

/** `-`: numbers of one type, times. */
export const subtract = (_meter: Meter, left: Value, right: Value): Value | undefined =>
  calculate(left, right, SUBTRACT) ?? subtractTimes(left, right);

/** `*`: numbers of one type. */
export const multiply = (_meter: Meter, left: Value, right: Value): Value | undefined =>
  calculate(left, right, MULTIPLY);

/** `/`: numbers of one type; whole ones round towards zero and never by zero. */
export const divide = (_meter: Meter, left: Value, right: Value): Value | undefined => calculate(left, right, DIVIDE);

/** `%`: int and uint only. */
export const remainder = (_meter: Meter, left: Value, right: Value): Value | undefined =>
  calculate(left, right, REMAINDER);

/** Unary `-`: int and double. */
export function negate(_meter: Meter, value: Value): Value | undefined {
  if (typeof value === 'bigint') return intOf(-value);
  return typeof value === 'number' ? -value : undefined;
}

interface Operation {
  readonly whole: (left: bigint, right: bigint) => bigint | undefined;
  readonly double: ((left: number, right: number) => number) | undefined;
}

const ADD: Operation = { whole: (left, right) => left + right, double: (left, right) => left + right };
const SUBTRACT: Operation = { whole: (left, right) => left - right, double: (left, right) => left - right };
const MULTIPLY: Operation = { whole: (left, right) => left * right, double: (left, right) => left * right };
const DIVIDE: Operation = {
  whole: (left, right) => (right === 0n ? undefined : left / right),
  double: (left, right) => left / right,
};
const REMAINDER: Operation = { whole: (left, right) => (right === 0n ? undefined : left % right), double: undefined };

function calculate(left: Value, right: Value, operation: Operation): Value | undefined {
  if (typeof left === 'bigint' && typeof right === 'bigint') {
    const result = operation.whole(left, right);
    return result === undefined ? fault('division by zero') : intOf(result);
  }
  if (isKind(left, 'uint') && isKind(right, 'uint')) {
    const result = operation.whole(left.value, right.value);
    return result === undefined ? fault('division by zero') : uintOf(result);
  }
  if (typeof left === 'number' && typeof right === 'number') return operation.double?.(left, right);
  return undefined;
}
