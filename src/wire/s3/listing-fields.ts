// The parameters of listings, and the tokens by which a listing goes on.
import { ok, type Result } from '../../base/core/result.ts';
import { decodeListingToken } from '../listing-token.ts';
import type { ListBucketsCall, ListObjectsCall, ListObjectsV2Call } from './call.ts';
import { invalidArgument, refuse, type S3Error } from './errors.ts';
import { isKeyTooLong } from './names.ts';

type Parameters = ReadonlyMap<string, string>;

/** Entries of one answer; asking for more is asking for so many. */
export const MAX_ENTRIES = 1000;
/** AWS's bound on every number in a query. */
const MAX_NUMBER = 2_147_483_647;

type Shared = Pick<ListObjectsCall, 'prefix' | 'delimiter' | 'maxKeys' | 'encodesUrls'>;
type Version1 = Shared & Pick<ListObjectsCall, 'after'>;
type Version2 = Shared & Pick<ListObjectsV2Call, 'after' | 'startAfter' | 'continuationToken' | 'fetchesOwner'>;

/** S3's bound on the buckets of one answer. */
const MAX_BUCKETS = 10_000;

/** Errors: InvalidArgument. */
export function readListBuckets(
  parameters: Parameters,
): Result<Pick<ListBucketsCall, 'maxBuckets' | 'prefix' | 'after'>, S3Error> {
  const maxBuckets = readNumber(parameters, 'max-buckets', MAX_BUCKETS);
  if (!maxBuckets.ok) return maxBuckets;
  if (maxBuckets.value < 1 || maxBuckets.value > MAX_BUCKETS) {
    const text = String(maxBuckets.value);
    return invalidArgument(
      'max-buckets',
      text,
      `Argument max-buckets must be an integer between 1 and ${MAX_BUCKETS}.`,
    );
  }
  const after = readToken(parameters);
  return after.ok
    ? ok({ maxBuckets: maxBuckets.value, prefix: parameters.get('prefix') ?? '', after: after.value ?? '' })
    : after;
}

/** Errors: InvalidArgument, KeyTooLongError. */
export function readListObjects(parameters: Parameters): Result<Version1, S3Error> {
  const shared = readShared(parameters);
  if (!shared.ok) return shared;
  const after = readName(parameters, 'marker');
  return after.ok ? ok({ ...shared.value, after: after.value ?? '' }) : after;
}

/** A continuation token says where to go on, and `start-after` then nothing more. Errors: InvalidArgument, KeyTooLongError. */
export function readListObjectsV2(parameters: Parameters): Result<Version2, S3Error> {
  const shared = readShared(parameters);
  if (!shared.ok) return shared;
  const startAfter = readName(parameters, 'start-after');
  if (!startAfter.ok) return startAfter;
  const owner = parameters.get('fetch-owner') ?? 'false';
  if (owner !== 'true' && owner !== 'false')
    return invalidArgument('fetch-owner', owner, 'fetch-owner is true or false');
  const continued = readToken(parameters);
  if (!continued.ok) return continued;
  return ok({
    ...shared.value,
    after: continued.value ?? startAfter.value ?? '',
    startAfter: startAfter.value,
    continuationToken: parameters.get('continuation-token') ?? null,
    fetchesOwner: owner === 'true',
  });
}

function readShared(parameters: Parameters): Result<Shared, S3Error> {
  const prefix = readName(parameters, 'prefix');
  if (!prefix.ok) return prefix;
  const delimiter = readName(parameters, 'delimiter');
  if (!delimiter.ok) return delimiter;
  const maxKeys = readNumber(parameters, 'max-keys', MAX_ENTRIES);
  if (!maxKeys.ok) return maxKeys;
  const encoding = parameters.get('encoding-type');
  if (encoding !== undefined && encoding !== 'url') {
    return invalidArgument('encoding-type', encoding, 'Invalid Encoding Method specified in Request');
  }
  return ok({
    prefix: prefix.value ?? '',
    delimiter: delimiter.value || null,
    maxKeys: Math.min(maxKeys.value, MAX_ENTRIES),
    encodesUrls: encoding === 'url',
  });
}

function readName(parameters: Parameters, name: string): Result<string | null, S3Error> {
  const value = parameters.get(name) ?? null;
  if (value?.includes('\0')) return invalidArgument(name, value, `${name} holds a byte that no key has`);
  return value !== null && isKeyTooLong(value) ? refuse('KeyTooLongError') : ok(value);
}

/** A whole number of a query, `usual` without the parameter. InvalidArgument for anything else. */
export function readNumber(parameters: Parameters, name: string, usual: number): Result<number, S3Error> {
  const text = parameters.get(name);
  if (text === undefined) return ok(usual);
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return value <= MAX_NUMBER
    ? ok(value)
    : invalidArgument(name, text, `Argument ${name} must be an integer between 0 and ${MAX_NUMBER}`);
}

/** Where the token of a request says to go on; null without one. */
function readToken(parameters: Parameters): Result<string | null, S3Error> {
  const token = parameters.get('continuation-token');
  if (token === undefined) return ok(null);
  const after = decodeListingToken(token);
  return after === undefined
    ? invalidArgument('continuation-token', token, 'The continuation token provided is incorrect')
    : ok(after);
}
