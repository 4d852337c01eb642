// Conditional headers and ranges (RFC 9110 §13 and §14), on objects and on the sources of copies.
import { ok, type Result } from '../../base/core/result.ts';
import type { EpochMs } from '../../base/core/time.ts';
import { parseHttpDate } from '../http-date.ts';
import type { ByteRange, Conditions } from './call.ts';
import { headerNotImplemented, invalidArgument, type S3Error } from './errors.ts';

type Headers = ReadonlyMap<string, string>;

/**
 * The conditions whose headers begin with `prefix`. A date that is no HTTP date is InvalidArgument: RFC 9110 would have it
 * ignored, and the write or the copy would then happen without the check that its sender wanted.
 */
export function readConditions(headers: Headers, prefix = ''): Result<Conditions, S3Error> {
  const ifMatch = readEntityTags(headers, `${prefix}if-match`);
  if (!ifMatch.ok) return ifMatch;
  const ifNoneMatch = readEntityTags(headers, `${prefix}if-none-match`);
  if (!ifNoneMatch.ok) return ifNoneMatch;
  const ifModifiedSince = readDate(headers, `${prefix}if-modified-since`);
  if (!ifModifiedSince.ok) return ifModifiedSince;
  const ifUnmodifiedSince = readDate(headers, `${prefix}if-unmodified-since`);
  if (!ifUnmodifiedSince.ok) return ifUnmodifiedSince;
  return ok({
    ...(ifMatch.value === undefined ? {} : { ifMatch: strongTags(ifMatch.value) }),
    ...(ifNoneMatch.value === undefined ? {} : { ifNoneMatch: allTags(ifNoneMatch.value) }),
    ...(ifModifiedSince.value === undefined ? {} : { ifModifiedSince: ifModifiedSince.value }),
    ...(ifUnmodifiedSince.value === undefined ? {} : { ifUnmodifiedSince: ifUnmodifiedSince.value }),
  });
}

/** Conditions of a write. AWS knows `If-None-Match` of writes only as `*`, and so do we: NotImplemented. */
export function readWriteConditions(headers: Headers): Result<Conditions, S3Error> {
  const absence = headers.get('if-none-match');
  return absence !== undefined && absence.trim() !== '*'
    ? headerNotImplemented('If-None-Match')
    : readConditions(headers);
}

interface EntityTag {
  readonly isWeak: boolean;
  readonly value: string;
}

/** One entity tag and the comma or the end behind it. Clients of S3 leave the quotes out at times. */
const ENTITY_TAG = /[ \t]*(W\/)?(?:"([^"\x00-\x1f]*)"|([^",\s]+))[ \t]*(?:,|$)/y;

function readEntityTags(headers: Headers, name: string): Result<readonly EntityTag[] | '*' | undefined, S3Error> {
  const text = headers.get(name);
  if (text === undefined) return ok(undefined);
  if (text.trim() === '*') return ok('*');
  const tags: EntityTag[] = [];
  const pattern = new RegExp(ENTITY_TAG);
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (match === null) return invalidArgument(name, text, `${name} is not a list of entity tags`);
    tags.push({ isWeak: match[1] !== undefined, value: match[2] ?? match[3] ?? '' });
  }
  return tags.length === 0 ? invalidArgument(name, text, `${name} is empty`) : ok(tags);
}

/** RFC 9110 §13.1.1: If-Match compares strongly, so a weak tag is no object's. */
const strongTags = (tags: readonly EntityTag[] | '*'): readonly string[] | '*' =>
  tags === '*' ? tags : tags.filter((tag) => !tag.isWeak).map((tag) => tag.value);

/** RFC 9110 §13.1.2: If-None-Match compares weakly. */
const allTags = (tags: readonly EntityTag[] | '*'): readonly string[] | '*' =>
  tags === '*' ? tags : tags.map((tag) => tag.value);

function readDate(headers: Headers, name: string): Result<EpochMs | undefined, S3Error> {
  const text = headers.get(name);
  if (text === undefined) return ok(undefined);
  const time = parseHttpDate(text);
  return time === undefined ? invalidArgument(name, text, `${name} is not a date of RFC 9110`) : ok(time);
}

/**
 * The one range that `Range` asks for. Undefined, and the whole object is the answer, for several ranges and for anything
 * malformed: so does AWS, and RFC 9110 §14.2 lets a server ignore the header.
 */
export function readRange(text: string | undefined): ByteRange | undefined {
  const match = /^bytes=(?:([0-9]+)-([0-9]*)|-([0-9]+))$/i.exec(text?.trim() ?? '');
  if (match === null) return undefined;
  const [, first, last, suffix] = match;
  if (suffix !== undefined) return { suffix: position(suffix) };
  const range = { first: position(first ?? ''), last: last ? position(last) : null };
  return range.last !== null && range.last < range.first ? undefined : range;
}

/** `x-amz-copy-source-range`: both ends, or InvalidArgument, as AWS has it. */
export function readCopyRange(text: string | undefined): Result<ByteRange | undefined, S3Error> {
  if (text === undefined) return ok(undefined);
  const range = /^bytes=[0-9]+-[0-9]+$/.test(text) ? readRange(text) : undefined;
  return range === undefined
    ? invalidArgument(
        'x-amz-copy-source-range',
        text,
        'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
      )
    : ok(range);
}

/** Beyond every object's size two positions are alike. */
const position = (digits: string): number => Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
