// The one form of time that signatures use: ISO 8601 basic format, UTC, whole seconds.
import type { EpochSeconds } from '../core/time.ts';

const AMZ_DATE = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/;

/** The moment of `YYYYMMDDTHHMMSSZ`; undefined for any other form, and for days and times that do not exist. */
export function parseAmzDate(text: string): EpochSeconds | undefined {
  if (!AMZ_DATE.test(text)) return undefined;
  const ms = Date.parse(text.replace(AMZ_DATE, '$1-$2-$3T$4:$5:$6Z'));
  if (Number.isNaN(ms)) return undefined;
  const seconds = ms / 1000;
  // 30 February and 24:00:00 parse as the day after.
  return formatAmzDate(seconds) === text ? seconds : undefined;
}

/** `seconds` as `YYYYMMDDTHHMMSSZ`. Precondition: a whole number within the years 0 to 9999. */
export const formatAmzDate = (seconds: EpochSeconds): string =>
  `${new Date(seconds * 1000).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
