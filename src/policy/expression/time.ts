// Timestamps and durations: their texts, their arithmetic, and their parts in any time zone. It knows no clock.
import { charge, type Meter } from './cost.ts';
import { type Duration, fault, isKind, type Timestamp, type Value } from './value.ts';

const SECOND = 1_000_000_000n;
const MILLISECOND = 1_000_000n;

/** RFC 3339 years 0001 to 9999, as CEL bounds timestamps. */
const MIN_TIMESTAMP = -62_135_596_800n * SECOND;
const MAX_TIMESTAMP = 253_402_300_799n * SECOND + 999_999_999n;
/** Durations fit 64 bits of nanoseconds, some 292 years. */
const MAX_DURATION = 2n ** 63n - 1n;

const timestampOf = (nanos: bigint): Value =>
  nanos < MIN_TIMESTAMP || nanos > MAX_TIMESTAMP
    ? fault('the timestamp is out of range')
    : { kind: 'timestamp', nanos };

const durationOf = (nanos: bigint): Value =>
  nanos < -MAX_DURATION || nanos > MAX_DURATION ? fault('the duration is out of range') : { kind: 'duration', nanos };

/** `timestamp(int)`: seconds since 1970. */
export const timestampFromSeconds = (seconds: bigint): Value => timestampOf(seconds * SECOND);

/** The whole seconds of a timestamp since 1970, rounded down. */
export const secondsOf = (timestamp: Timestamp): bigint => divideDown(timestamp.nanos, SECOND);

/** Division that rounds down; BigInt's own rounds towards zero. */
const divideDown = (value: bigint, by: bigint): bigint => value / by - (value % by < 0n ? 1n : 0n);

const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** With nine digits of a second and an offset. */
const MAX_TIMESTAMP_CHARS = 35;

/** `timestamp(string)`: RFC 3339 with at most nine digits of a second. */
export function timestampFromText(text: string): Value {
  const match = RFC_3339.exec(text.slice(0, MAX_TIMESTAMP_CHARS + 1));
  const [, date, time, fraction = '', sign, hours = '00', minutes = '00'] = match ?? [];
  const wall = `${date}T${time}`;
  const milliseconds = match === null ? Number.NaN : Date.parse(`${wall}Z`);
  // Date takes 30 February for 2 March: what does not read back as it was written is no date.
  const isDate = !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString().slice(0, 19) === wall;
  if (!isDate || Number(hours) > 23 || Number(minutes) > 59) return fault('the text is no RFC 3339 timestamp');
  const offset = BigInt(Number(hours) * 3600 + Number(minutes) * 60) * SECOND;
  const local = BigInt(milliseconds) * MILLISECOND + BigInt(fraction.padEnd(9, '0'));
  return timestampOf(sign === '-' ? local + offset : local - offset);
}

/** `string(timestamp)`: RFC 3339 in UTC with as many digits as are needed. */
export function timestampText(timestamp: Timestamp): string {
  const seconds = secondsOf(timestamp);
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}${fractionText(timestamp.nanos - seconds * SECOND)}Z`;
}

const fractionText = (nanos: bigint): string =>
  nanos === 0n ? '' : `.${nanos.toString().padStart(9, '0').replace(/0+$/, '')}`;

const UNITS: Readonly<Record<string, bigint>> = {
  h: 3600n * SECOND,
  m: 60n * SECOND,
  s: SECOND,
  ms: MILLISECOND,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ns: 1n,
};
/** Long enough for any duration, short enough that no number in it is costly. */
const MAX_DURATION_CHARS = 100;

/** `duration(string)`: numbers with units, as in `1h30m` or `-1.5s` (Go's time.ParseDuration). */
export function durationFromText(text: string): Value {
  const body = text.slice(0, MAX_DURATION_CHARS).replace(/^[+-]/, '');
  if (text.length > MAX_DURATION_CHARS || !/^(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:h|ms|m|s|us|µs|μs|ns))+)$/.test(body)) {
    return fault('the text is no duration');
  }
  let nanos = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of body.matchAll(/(\d*)\.?(\d*)(h|ms|m|s|us|µs|μs|ns)/g)) {
    const worth = UNITS[unit] ?? 0n;
    const scale = 10n ** BigInt(fraction.length);
    nanos += BigInt(whole || '0') * worth + (BigInt(fraction || '0') * worth) / scale;
  }
  return durationOf(text.startsWith('-') ? -nanos : nanos);
}

/** `string(duration)`: seconds with as many digits as are needed. */
export function durationText(duration: Duration): string {
  const nanos = duration.nanos < 0n ? -duration.nanos : duration.nanos;
  return `${duration.nanos < 0n ? '-' : ''}${nanos / SECOND}${fractionText(nanos % SECOND)}s`;
}

/** The sum of two times, where CEL has one. */
export function addTimes(left: Value, right: Value): Value | undefined {
  if (isKind(left, 'duration') && isKind(right, 'duration')) return durationOf(left.nanos + right.nanos);
  if (isKind(left, 'timestamp') && isKind(right, 'duration')) return timestampOf(left.nanos + right.nanos);
  if (isKind(left, 'duration') && isKind(right, 'timestamp')) return timestampOf(left.nanos + right.nanos);
  return undefined;
}

/** The difference of two times, where CEL has one. */
export function subtractTimes(left: Value, right: Value): Value | undefined {
  if (isKind(left, 'timestamp') && isKind(right, 'timestamp')) return durationOf(left.nanos - right.nanos);
  if (isKind(left, 'timestamp') && isKind(right, 'duration')) return timestampOf(left.nanos - right.nanos);
  if (isKind(left, 'duration') && isKind(right, 'duration')) return durationOf(left.nanos - right.nanos);
  return undefined;
}

const dayNumber = (milliseconds: number): number => Math.floor(milliseconds / 86_400_000);

/** What each getter of a timestamp reads from its wall clock, kept as a Date whose UTC parts are the local ones. */
export const TIMESTAMP_PARTS: Readonly<Record<string, (wall: Date) => number>> = {
  getFullYear: (wall) => wall.getUTCFullYear(),
  getMonth: (wall) => wall.getUTCMonth(),
  getDate: (wall) => wall.getUTCDate(),
  getDayOfMonth: (wall) => wall.getUTCDate() - 1,
  getDayOfWeek: (wall) => wall.getUTCDay(),
  getDayOfYear: (wall) => dayNumber(wall.getTime()) - dayNumber(new Date(wall).setUTCMonth(0, 1)),
  getHours: (wall) => wall.getUTCHours(),
  getMinutes: (wall) => wall.getUTCMinutes(),
  getSeconds: (wall) => wall.getUTCSeconds(),
  getMilliseconds: (wall) => wall.getUTCMilliseconds(),
};

/** What each getter of a duration reads from its nanoseconds. */
export const DURATION_PARTS: Readonly<Record<string, (nanos: bigint) => bigint>> = {
  getHours: (nanos) => nanos / (3600n * SECOND),
  getMinutes: (nanos) => nanos / (60n * SECOND),
  getSeconds: (nanos) => nanos / SECOND,
  // The milliseconds within the second, as the vectors say (timestamps/duration_converters/get_milliseconds).
  getMilliseconds: (nanos) => (nanos % SECOND) / MILLISECOND,
};

/** The wall clock of a time zone: UTC, a fixed offset as `+02:00`, or an IANA name. A fault when there is no such zone. */
export function wallClock(meter: Meter, timestamp: Timestamp, zone: string | undefined): Date | undefined {
  const utc = new Date(Number(divideDown(timestamp.nanos, MILLISECOND)));
  if (zone === undefined) return utc;
  const [, sign, hours, minutes] = /^([+-]?)(\d\d):(\d\d)$/.exec(zone) ?? [];
  if (hours !== undefined) {
    const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
    return new Date(utc.getTime() + (sign === '-' ? -offset : offset));
  }
  return zonedClock(meter, utc, zone);
}

/** Making a formatter takes tens of microseconds. */
const ZONE_COST = 25_000;

function zonedClock(meter: Meter, utc: Date, zone: string): Date | undefined {
  charge(meter, ZONE_COST);
  const format = zoneFormat(zone);
  if (format === undefined) return undefined;
  const parts = new Map(format.formatToParts(utc).map(({ type, value }) => [type, Number(value)]));
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? Number.NaN;
  const wall = new Date(0);
  wall.setUTCFullYear(part('year'), part('month') - 1, part('day'));
  wall.setUTCHours(part('hour'), part('minute'), part('second'), utc.getUTCMilliseconds());
  return Number.isNaN(wall.getTime()) ? undefined : wall;
}

function zoneFormat(timeZone: string): Intl.DateTimeFormat | undefined {
  // Longer than any IANA name; Intl echoes what it refuses.
  if (timeZone.length > 64) return undefined;
  try {
    return new Intl.DateTimeFormat('en-US', {
      ...{ timeZone, calendar: 'gregory', hourCycle: 'h23', numberingSystem: 'latn' },
      ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
    });
  } catch {
    return undefined;
  }
}
