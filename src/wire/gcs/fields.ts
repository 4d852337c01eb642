// The parameters of requests: listings, generations, ranges.
import { ok, type Result } from '../../base/core/result.ts';
import { decodeListingToken } from '../listing-token.ts';
import type { ByteRange, ListBucketsCall, ListObjectsCall } from './call.ts';
import { type GcsError, invalid } from './errors.ts';

type Parameters = ReadonlyMap<string, string>;

/** Entries of one answer; asking for more is asking for so many. */
const MAX_RESULTS = 1000;
/** Google's bound on names, and so on prefixes and delimiters. */
const MAX_NAME_BYTES = 1024;

/** Errors: `invalid`. */
export function readListing(
  parameters: Parameters,
): Result<Pick<ListObjectsCall, 'prefix' | 'delimiter' | 'maxResults' | 'after'>, GcsError> {
  const delimiter = readText(parameters, 'delimiter');
  if (!delimiter.ok) return delimiter;
  const shared = readBucketListing(parameters);
  return shared.ok ? ok({ ...shared.value, delimiter: delimiter.value || null }) : shared;
}

/** What both listings have in common. Errors: `invalid`. */
export function readBucketListing(
  parameters: Parameters,
): Result<Pick<ListBucketsCall, 'prefix' | 'maxResults' | 'after'>, GcsError> {
  const prefix = readText(parameters, 'prefix');
  if (!prefix.ok) return prefix;
  const text = parameters.get('maxResults') ?? String(MAX_RESULTS);
  const maxResults = /^[0-9]{1,10}$/.test(text) ? Math.min(Number(text), MAX_RESULTS) : 0;
  if (maxResults === 0) return invalid('maxResults', 'not a positive number');
  const token = parameters.get('pageToken') ?? '';
  // Go's client sends an empty one when it has none.
  const after = token === '' ? '' : decodeListingToken(token);
  if (after === undefined) return invalid('pageToken', 'not one of this listing');
  return ok({ prefix: prefix.value, maxResults, after });
}

function readText(parameters: Parameters, name: string): Result<string, GcsError> {
  const value = parameters.get(name) ?? '';
  const isGood = !value.includes('\0') && Buffer.byteLength(value) <= MAX_NAME_BYTES;
  return isGood ? ok(value) : invalid(name, 'no name begins with or holds it');
}

/** The generation that a parameter names; null without it. Errors: `invalid`. */
export function readGeneration(parameters: Parameters, name: string): Result<number | null, GcsError> {
  const text = parameters.get(name);
  if (text === undefined) return ok(null);
  const generation = /^[0-9]{1,19}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(generation)) return invalid(name, 'not a generation');
  // One that a number cannot hold is no object's here.
  return ok(Number.isSafeInteger(generation) ? generation : Number.MAX_SAFE_INTEGER);
}

/**
 * The one range that `Range` asks for. None, and the whole object is the answer, for several ranges and for anything malformed:
 * RFC 9110 §14.2 lets a server ignore the header, and so does Google.
 */
export function readRange(text: string | undefined): { readonly range?: ByteRange } {
  const [, first = '', last = ''] = /^bytes=([0-9]{0,15})-([0-9]{0,15})$/.exec(text ?? '') ?? [];
  if (first === '') return last === '' ? {} : { range: { suffix: Number(last) } };
  const range = { first: Number(first), last: last === '' ? null : Number(last) };
  return range.last !== null && range.last < range.first ? {} : { range };
}
