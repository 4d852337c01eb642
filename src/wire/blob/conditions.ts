// Conditional headers and ranges of the Blob service (RFC 9110 §13; "Specifying conditional headers", "Specifying the range
// header").
import { ok, type Result } from '../../base/core/result.ts';
import type { EpochMs } from '../../base/core/time.ts';
import { parseHttpDate } from '../http-date.ts';
import type { ByteRange, Conditions } from './call.ts';
import { type BlobError, invalidHeader, refuse } from './errors.ts';

type Headers = ReadonlyMap<string, string>;

/**
 * The conditions of a read. A date that is no HTTP date, and an ETag that is none, are InvalidHeaderValue: the read would
 * otherwise happen without the check that its sender wanted.
 */
export function readConditions(headers: Headers): Result<Conditions, BlobError> {
  const ifMatch = readTag(headers, 'if-match');
  if (!ifMatch.ok) return ifMatch;
  const ifNoneMatch = readTag(headers, 'if-none-match');
  if (!ifNoneMatch.ok) return ifNoneMatch;
  const ifModifiedSince = readDate(headers, 'if-modified-since');
  if (!ifModifiedSince.ok) return ifModifiedSince;
  const ifUnmodifiedSince = readDate(headers, 'if-unmodified-since');
  if (!ifUnmodifiedSince.ok) return ifUnmodifiedSince;
  return ok({
    ...(ifMatch.value === undefined ? {} : { ifMatch: ifMatch.value }),
    ...(ifNoneMatch.value === undefined ? {} : { ifNoneMatch: ifNoneMatch.value }),
    ...(ifModifiedSince.value === undefined ? {} : { ifModifiedSince: ifModifiedSince.value }),
    ...(ifUnmodifiedSince.value === undefined ? {} : { ifUnmodifiedSince: ifUnmodifiedSince.value }),
  });
}

/** The conditions of a write or a deletion: `If-None-Match: *` and `If-Match`, which every store can hold to. */
export function readWriteConditions(headers: Headers): Result<Conditions, BlobError> {
  const absence = headers.get('if-none-match');
  return absence !== undefined && absence.trim() !== '*'
    ? refuse('ConditionHeadersNotSupported')
    : readConditions(headers);
}

/** One strong tag, or `*`. Listings of Azure tell tags without quotes, so callers send them so. */
function readTag(headers: Headers, name: string): Result<readonly string[] | '*' | undefined, BlobError> {
  const text = headers.get(name)?.trim();
  if (text === undefined) return ok(undefined);
  if (text === '*') return ok('*');
  const [, quoted, bare] = /^(?:"([^"\x00-\x1f]+)"|([^",\s]+))$/.exec(text) ?? [];
  const tag = quoted ?? bare;
  return tag === undefined ? invalidHeader(name, text) : ok([tag]);
}

function readDate(headers: Headers, name: string): Result<EpochMs | undefined, BlobError> {
  const text = headers.get(name);
  if (text === undefined) return ok(undefined);
  const time = parseHttpDate(text);
  return time === undefined ? invalidHeader(name, text) : ok(time);
}

/** The one range that `x-ms-range` asks for; undefined without one. InvalidHeaderValue for every other form. */
export function readRange(headers: Headers): Result<ByteRange | undefined, BlobError> {
  const text = headers.get('x-ms-range');
  if (text === undefined) return ok(undefined);
  const [, first, last] = /^bytes=([0-9]{1,15})-([0-9]{0,15})$/.exec(text) ?? [];
  if (first === undefined || last === undefined) return invalidHeader('x-ms-range', text);
  const range = { first: Number(first), last: last === '' ? null : Number(last) };
  return range.last !== null && range.last < range.first ? invalidHeader('x-ms-range', text) : ok(range);
}
