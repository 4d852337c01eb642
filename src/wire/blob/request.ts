// From a request to a typed call. It checks no credential and no permission and reads no body.
import { ok, type Result } from '../../base/core/result.ts';
import { decodeListingToken } from '../listing-token.ts';
import { readAttributes } from './attributes.ts';
import { readBlockId } from './block-id.ts';
import type { AzureBlobCall, BlobName, BlobOperation, BlobRequest, ContentDigest, ListBlobsCall } from './call.ts';
import { readConditions, readRange, readWriteConditions } from './conditions.ts';
import { type BlobError, invalidHeader, refuse, refuseParameter } from './errors.ts';
import { isTooLong } from './names.ts';
import { findOperation } from './operations.ts';
import { type RequestParts, readParts } from './parts.ts';

/** What a request to `account` asks for, exactly, or why it is not served (operations.ts). */
export function readBlobCall(request: BlobRequest, account: string): Result<AzureBlobCall, BlobError> {
  const parts = readParts(request, account);
  if (!parts.ok) return parts;
  const operation = findOperation(parts.value);
  if (!operation.ok) return operation;
  const { target } = parts.value;
  const conditionKeys = readConditionKeys(parts.value);
  // The table of operations fixes the targets; this only tells the compiler.
  if (target.kind === 'account') return refuse('NotImplemented');
  const { container } = target;
  if (target.kind === 'blob') {
    return readOnBlob(operation.value, parts.value, { container, blob: target.blob, conditionKeys });
  }
  if (operation.value !== 'ListBlobs') return ok({ operation: 'GetContainerProperties', container, conditionKeys });
  return complete({ operation: 'ListBlobs' as const, container, conditionKeys }, readListing(parts.value.parameters));
}

type Named = BlobName & Pick<AzureBlobCall, 'conditionKeys'>;

function readOnBlob(operation: BlobOperation, parts: RequestParts, named: Named): Result<AzureBlobCall, BlobError> {
  const { headers } = parts;
  switch (operation) {
    case 'GetBlob':
    case 'GetBlobProperties':
      return complete({ operation, ...named }, readReading(parts));
    case 'PutBlob':
      if (!headers.has('x-ms-blob-type')) {
        return refuse('MissingRequiredHeader', undefined, [['HeaderName', 'x-ms-blob-type']]);
      }
      return complete({ operation, ...named }, readWriting(parts, headers.get('content-type')));
    case 'PutBlock':
      return complete({ operation, ...named }, readBlock(parts));
    case 'PutBlockList':
      return complete({ operation, ...named }, readWriting(parts, undefined));
    case 'DeleteBlob':
      return complete(
        { operation, ...named },
        map(readWriteConditions(headers), (conditions) => ({ conditions })),
      );
    case 'GetContainerProperties':
    case 'ListBlobs':
      return refuse('NotImplemented');
  }
}

const readReading = ({ headers }: RequestParts) =>
  both(readConditions(headers), readRange(headers), (conditions, range) => ({
    conditions,
    ...(range === undefined ? {} : { range }),
  }));

/** `ownType`: the Content-Type of the body, where that is the blob's. */
const readWriting = ({ headers }: RequestParts, ownType: string | undefined) =>
  both(
    readDigest(headers),
    both(readAttributes(headers, ownType), readWriteConditions(headers), (attributes, conditions) => ({
      attributes,
      conditions,
    })),
    (digest, rest) => ({ digest, ...rest }),
  );

const readBlock = ({ headers, parameters }: RequestParts) =>
  both(readBlockId(parameters.get('blockid') ?? ''), readDigest(headers), (block, digest) => ({ block, digest }));

const MD5_HEADERS = ['content-md5', 'x-ms-blob-content-md5'] as const;

/**
 * What the body is held to. `x-ms-blob-content-md5` of Put Blob is the MD5 of the same bytes. InvalidMd5, InvalidHeaderValue;
 * InvalidInput for several: Azure takes one, and one of them would go unchecked.
 */
function readDigest(headers: ReadonlyMap<string, string>): Result<ContentDigest | null, BlobError> {
  const [md5, ...others] = MD5_HEADERS.flatMap((name) => headers.get(name) ?? []);
  const crc64 = headers.get('x-ms-content-crc64');
  if (others.some((value) => value !== md5) || (md5 !== undefined && crc64 !== undefined)) {
    return refuse('InvalidInput', 'One digest of the content may be given.');
  }
  if (md5 !== undefined) return isBase64(md5, 16) ? ok({ algorithm: 'md5', value: md5 }) : refuse('InvalidMd5');
  if (crc64 === undefined) return ok(null);
  return isBase64(crc64, 8) ? ok({ algorithm: 'crc64', value: crc64 }) : invalidHeader('x-ms-content-crc64', crc64);
}

/** Canonical base64 of so many bytes. */
function isBase64(text: string, length: number): boolean {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === length && bytes.toString('base64') === text;
}

type Listing = Omit<ListBlobsCall, 'operation' | 'container' | 'conditionKeys'>;

/** Azure's own most. */
const MAX_RESULTS = 5000;

/** Errors: InvalidQueryParameterValue, OutOfRangeQueryParameterValue. */
function readListing(parameters: ReadonlyMap<string, string>): Result<Listing, BlobError> {
  const prefix = parameters.get('prefix') ?? '';
  const delimiter = parameters.get('delimiter') ?? '';
  const marker = parameters.get('marker') ?? '';
  const limit = parameters.get('maxresults');
  for (const [name, value] of [
    ['prefix', prefix],
    ['delimiter', delimiter],
  ] as const) {
    if (isTooLong(value)) return refuseParameter('InvalidQueryParameterValue', name, '');
  }
  const after = marker === '' ? '' : decodeListingToken(marker);
  if (after === undefined) return refuseParameter('InvalidQueryParameterValue', 'marker', marker);
  if (limit !== undefined && !/^[0-9]{1,9}$/.test(limit)) {
    return refuseParameter('InvalidQueryParameterValue', 'maxresults', limit);
  }
  if (Number(limit) === 0) return refuseParameter('OutOfRangeQueryParameterValue', 'maxresults', '0');
  return ok({
    prefix,
    delimiter: delimiter === '' ? null : delimiter,
    marker: parameters.get('marker') ?? null,
    after,
    maxResults: limit === undefined ? null : Math.min(Number(limit), MAX_RESULTS),
  });
}

/** What IAM conditions may ask about, by the parameter or header that says it. */
const KEYS_OF_PARAMETERS = { prefix: 's3:prefix', delimiter: 's3:delimiter', maxresults: 's3:max-keys' };
const KEYS_OF_HEADERS = ['if-match', 'if-none-match'];

function readConditionKeys({ parameters, headers }: RequestParts): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const [name, key] of Object.entries(KEYS_OF_PARAMETERS)) {
    const value = parameters.get(name);
    if (value !== undefined) keys.set(key, value);
  }
  for (const name of KEYS_OF_HEADERS) {
    const value = headers.get(name);
    if (value !== undefined) keys.set(`s3:${name}`, value);
  }
  return keys;
}

/** The call's name and target with the rest of it. */
const complete = <A extends object, B extends object>(known: A, rest: Result<B, BlobError>): Result<A & B, BlobError> =>
  map(rest, (value) => ({ ...known, ...value }));

const map = <A, B>(result: Result<A, BlobError>, make: (value: A) => B): Result<B, BlobError> =>
  result.ok ? ok(make(result.value)) : result;

/** What `make` makes of both values, or the first error. */
function both<A, B, C>(
  one: Result<A, BlobError>,
  other: Result<B, BlobError>,
  make: (one: A, other: B) => C,
): Result<C, BlobError> {
  if (!one.ok) return one;
  return other.ok ? ok(make(one.value, other.value)) : other;
}
