// CEL's conversions: `int()`, `string()` and their like. A text converts only when all of it is of the form.
import { intOf, uintOf } from './arithmetic.ts';
import { chargeText, type Meter } from './cost.ts';
import {
  durationFromText,
  durationText,
  secondsOf,
  timestampFromSeconds,
  timestampFromText,
  timestampText,
} from './time.ts';
import { fault, isKind, type Value } from './value.ts';

type Conversion = (meter: Meter, value: Value) => Value | undefined;

/** No number of 64 bits has more digits; BigInt takes time with long ones. */
const MAX_DIGITS = 20;

const toInt: Conversion = (_meter, value) => {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return wholeOf(value, intOf);
  if (typeof value === 'string') {
    return value.length <= MAX_DIGITS && /^[+-]?\d+$/.test(value)
      ? intOf(BigInt(value.replace('+', '')))
      : fault('the text is no int');
  }
  if (isKind(value, 'uint')) return intOf(value.value);
  return isKind(value, 'timestamp') ? secondsOf(value) : undefined;
};

const toUint: Conversion = (_meter, value) => {
  if (typeof value === 'bigint') return uintOf(value);
  // What is below zero is out of range, also when it would be cut to zero.
  if (typeof value === 'number') return value < 0 ? fault('the uint is out of range') : wholeOf(value, uintOf);
  if (typeof value === 'string') {
    return value.length <= MAX_DIGITS && /^\d+$/.test(value) ? uintOf(BigInt(value)) : fault('the text is no uint');
  }
  return isKind(value, 'uint') ? value : undefined;
};

/** The double cut to a whole number. The bounds of int themselves are refused: a double cannot tell them from their neighbours. */
function wholeOf(value: number, range: (value: bigint) => Value): Value {
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 64) return fault('the double is out of range');
  if (range === intOf && Math.abs(value) >= 2 ** 63) return fault('the double is out of range');
  return range(BigInt(Math.trunc(value)));
}

const SPECIAL_DOUBLES: Readonly<Record<string, number>> = {
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  nan: Number.NaN,
};
const MAX_DOUBLE_CHARS = 400;

const toDouble: Conversion = (_meter, value) => {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (isKind(value, 'uint')) return Number(value.value);
  if (typeof value !== 'string') return undefined;
  if (value.length > MAX_DOUBLE_CHARS) return fault('the text is no double');
  const [, sign, name] = /^([+-]?)(inf|infinity|nan)$/i.exec(value) ?? [];
  const special = SPECIAL_DOUBLES[name?.toLowerCase() ?? ''];
  if (special !== undefined) return sign === '-' ? -special : special;
  const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value) ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : fault('the text is no double');
};

const TRUE_TEXTS = ['1', 't', 'true', 'TRUE', 'True'];
const FALSE_TEXTS = ['0', 'f', 'false', 'FALSE', 'False'];

const toBool: Conversion = (_meter, value) => {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return undefined;
  if (TRUE_TEXTS.includes(value)) return true;
  return FALSE_TEXTS.includes(value) ? false : fault('the text is no bool');
};

const toText: Conversion = (meter, value) => {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return doubleText(value);
  if (isKind(value, 'uint')) return String(value.value);
  if (isKind(value, 'timestamp')) return timestampText(value);
  if (isKind(value, 'duration')) return durationText(value);
  if (!isKind(value, 'bytes')) return undefined;
  chargeText(meter, value.bytes.length);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value.bytes);
  } catch {
    return fault('the bytes are not UTF-8');
  }
};

const doubleText = (value: number): string =>
  Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';

const toBytes: Conversion = (meter, value) => {
  if (isKind(value, 'bytes')) return value;
  if (typeof value !== 'string') return undefined;
  chargeText(meter, value.length);
  return { kind: 'bytes', bytes: Buffer.from(value) };
};

const toTimestamp: Conversion = (_meter, value) => {
  if (isKind(value, 'timestamp')) return value;
  if (typeof value === 'bigint') return timestampFromSeconds(value);
  return typeof value === 'string' ? timestampFromText(value) : undefined;
};

const toDuration: Conversion = (_meter, value) => {
  if (isKind(value, 'duration')) return value;
  return typeof value === 'string' ? durationFromText(value) : undefined;
};

/** Every conversion by the name of its function. */
export const CONVERSIONS: Readonly<Record<string, Conversion>> = {
  int: toInt,
  uint: toUint,
  double: toDouble,
  bool: toBool,
  string: toText,
  bytes: toBytes,
  timestamp: toTimestamp,
  duration: toDuration,
  dyn: (_meter, value) => value,
};
