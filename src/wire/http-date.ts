// Dates in HTTP headers (RFC 9110 §5.6.7).
import type { EpochMs } from '../base/core/time.ts';

/** The preferred form; nothing that is alive sends the two old ones. */
const HTTP_DATE = /^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT$/;

/** The time that a date tells; undefined for one in another form, and for 31 February and the wrong day of the week. */
export function parseHttpDate(text: string): EpochMs | undefined {
  const time = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
  // Date.parse would move the one and overlook the other: the round trip does not.
  return Number.isNaN(time) || new Date(time).toUTCString() !== text ? undefined : time;
}
