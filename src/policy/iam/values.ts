// The typed values of IAM conditions, from text: numbers, dates, booleans, bytes. Undefined for whatever is not one.
import type { JsonValue } from '../../base/core/json.ts';

/** An exact decimal: `digits` divided by ten to the power `scale`. Doubles would make two ids above 2^53 equal. */
interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

const DECIMAL = /^([+-]?[0-9]{1,40})(?:\.([0-9]{1,40}))?$/;

/** A whole or decimal number, as text or as a JSON number; no exponents. */
export function parseDecimal(value: JsonValue): Decimal | undefined {
  // An unsafe integer has already lost its last digits.
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) return undefined;
  const match = typeof value === 'string' || typeof value === 'number' ? DECIMAL.exec(String(value)) : null;
  if (match === null) return undefined;
  const fraction = match[2] ?? '';
  return { digits: BigInt((match[1] ?? '').replace('+', '') + fraction), scale: fraction.length };
}

/** Negative, zero or positive, as `a` is below, equal to or above `b`. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const left = a.digits * 10n ** BigInt(b.scale);
  const right = b.digits * 10n ** BigInt(a.scale);
  return left < right ? -1 : left > right ? 1 : 0;
}

const DATE =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(Z|[+-][0-9]{2}:[0-9]{2}))?$/;
// Four digits could be a year of ISO 8601 as well.
const EPOCH = /^-?(?:[0-9]{1,3}|[0-9]{5,15})$/;

/** Milliseconds since 1970 of an ISO 8601 date (a day is its first moment in UTC) or of epoch seconds. */
export function parseMoment(value: JsonValue): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value * 1000 : undefined;
  if (typeof value !== 'string') return undefined;
  if (EPOCH.test(value)) return Number(value) * 1000;
  const match = DATE.exec(value);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  const time = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second);
  const date = new Date(time);
  // The thirtieth of February is not a day in March; years below 100 are not those of this century.
  const isReal = date.getUTCFullYear() === year && date.getUTCMonth() + 1 === month && date.getUTCDate() === day;
  const offset = offsetMs(match[8] ?? 'Z');
  if (!isReal || date.getUTCHours() !== (hour ?? 0) || date.getUTCMinutes() !== minute) return undefined;
  if (date.getUTCSeconds() !== second || offset === undefined) return undefined;
  return time + Number(`0.${match[7] ?? '0'}`) * 1000 - offset;
}

function offsetMs(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const [hours, minutes] = zone.slice(1).split(':').map(Number);
  if (hours === undefined || minutes === undefined || hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** `true` and `false`, as JSON or as text in any case. */
export function parseBool(value: JsonValue): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' && value.length <= 5 ? value.toLowerCase() : '';
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

/** The bytes of strict, padded base64 (RFC 4648 §4), as hex so that they compare. */
export function parseBinary(value: JsonValue): string | undefined {
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value, 'base64');
  return bytes.toString('base64') === value ? bytes.toString('hex') : undefined;
}
