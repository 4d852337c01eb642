// From the head of a request to a typed call. It checks no credential and no permission and reads no body.
import { err, ok, type Result } from '../../base/core/result.ts';
import { decodePairs } from '../urlencoded.ts';
import type { GcsCall, GcsRequest, ObjectName } from './call.ts';
import { readUploadSpan } from './content-range.ts';
import { type GcsError, gcsError, invalid, refuse } from './errors.ts';
import { readBucketListing, readGeneration, readListing, readRange } from './fields.ts';
import { readGoogHash } from './hashes.ts';
import { readBoundary } from './media-type.ts';
import { isAttribute } from './metadata.ts';
import { decodeOnce, isBucketName, readObjectName } from './names.ts';
import { type FoundOperation, findOperation, type RequestParts } from './operations.ts';

/** A name with every byte escaped, and room for the rest. More is refused unread. */
const MAX_PATH_CHARS = 8192;
/** As long as the id of a resumable upload may get, which carries what was said of the object. */
const MAX_QUERY_CHARS = 24 * 1024;
/** Two of these could be read as either. */
const SINGLE = ['content-range', 'content-type', 'range', 'x-upload-content-length', 'x-upload-content-type'] as const;

/** What a request asks for, exactly, or why it is not served (operations.ts). */
export function readGcsCall(request: GcsRequest): Result<GcsCall, GcsError> {
  const parts = readParts(request);
  if (!parts.ok) return parts;
  const found = findOperation(parts.value);
  return found.ok ? readCall(found.value, parts.value) : found;
}

function readParts({ method, path, query, headers }: GcsRequest): Result<RequestParts, GcsError> {
  if (path.length > MAX_PATH_CHARS || !/^\/[\x21-\x7e]*$/.test(path)) return invalid('path', 'not a path of a URL');
  if (query.length > MAX_QUERY_CHARS || !/^[\x21-\x7e]*$/.test(query)) return invalid('query', 'not a query of a URL');
  const pairs = decodePairs(Buffer.from(query));
  if (!pairs.ok) return invalid('query', pairs.error.detail);
  const parameters = new Map<string, string>();
  for (const { name, value } of pairs.value) {
    // Two readers could take either.
    if (parameters.has(name)) return invalid(name.slice(0, 64), 'it stands twice');
    parameters.set(name, value);
  }
  const repeated = SINGLE.find((name) => (headers.get(name)?.length ?? 0) > 1);
  if (repeated !== undefined) return invalid(repeated, 'it stands twice');
  return ok({ method, path, parameters, headers });
}

function readCall({ operation, names }: FoundOperation, parts: RequestParts): Result<GcsCall, GcsError> {
  const { parameters } = parts;
  if (operation === 'ListBuckets') return complete({ operation }, readBucketListing(parameters));
  const [bucket = ''] = names;
  if (!isBucketName(bucket)) return invalid('bucket', 'not the name of a bucket');
  switch (operation) {
    case 'GetBucket':
    case 'GetStorageLayout':
      return ok({ operation, bucket });
    case 'ListObjects':
      return complete({ operation, bucket }, readListing(parameters));
    case 'InsertObject':
    case 'StartUpload':
      return readUploadCall(operation, bucket, parts);
    case 'ContinueUpload':
      return readContinuation(bucket, parts);
    default: {
      const object = readPathName(bucket, names[1]);
      return object.ok ? readObjectCall(operation, object.value, { names, parts }) : object;
    }
  }
}

type ObjectOperation = 'GetObject' | 'ReadObject' | 'DeleteObject' | 'RewriteObject';

function readObjectCall(
  operation: ObjectOperation,
  object: ObjectName,
  { names, parts }: { readonly names: readonly string[]; readonly parts: RequestParts },
): Result<GcsCall, GcsError> {
  const generation = readGeneration(
    parts.parameters,
    operation === 'RewriteObject' ? 'sourceGeneration' : 'generation',
  );
  if (!generation.ok) return generation;
  const conditions = readConditions(parts);
  if (!conditions.ok) return conditions;
  const of = { ...object, generation: generation.value };
  switch (operation) {
    case 'GetObject':
      return ok({ operation, ...of });
    case 'ReadObject':
      return ok({ operation, ...of, ...readRange(singleHeader(parts, 'range')) });
    case 'DeleteObject':
      return ok({ operation, ...of, conditions: conditions.value });
    case 'RewriteObject': {
      const [, , bucket = '', key] = names;
      if (!isBucketName(bucket)) return invalid('destinationBucket', 'not the name of a bucket');
      const rest = { source: object, sourceGeneration: generation.value, conditions: conditions.value };
      return complete({ operation, ...rest }, readPathName(bucket, key));
    }
  }
}

function readUploadCall(
  operation: 'InsertObject' | 'StartUpload',
  bucket: string,
  parts: RequestParts,
): Result<GcsCall, GcsError> {
  const name = parts.parameters.get('name');
  const key = name === undefined ? ok(null) : readObjectName(name);
  if (!key.ok) return key;
  const conditions = readConditions(parts);
  if (!conditions.ok) return conditions;
  const hashes = readGoogHash(parts.headers.get('x-goog-hash') ?? []);
  if (!hashes.ok) return hashes;
  const upload = { bucket, key: key.value, conditions: conditions.value, hashes: hashes.value };
  if (operation === 'StartUpload') {
    const contentType = singleHeader(parts, 'x-upload-content-type') ?? null;
    const isGood = contentType === null || isAttribute(contentType);
    return isGood ? ok({ operation, ...upload, contentType }) : invalid('X-Upload-Content-Type', 'not printable ASCII');
  }
  const boundary = readBoundary(singleHeader(parts, 'content-type') ?? '');
  return boundary.ok ? ok({ operation, ...upload, boundary: boundary.value }) : boundary;
}

function readContinuation(bucket: string, parts: RequestParts): Result<GcsCall, GcsError> {
  const uploadId = parts.parameters.get('upload_id') ?? '';
  const key = readObjectName(parts.parameters.get('name') ?? '');
  // Both stand in the URL that the upload's beginning was answered with.
  if (uploadId === '' || !key.ok) return refuse('notFound', 'There is no such upload.');
  const span = readUploadSpan(singleHeader(parts, 'content-range'));
  if (!span.ok) return span;
  const hashes = readGoogHash(parts.headers.get('x-goog-hash') ?? []);
  if (!hashes.ok) return hashes;
  const upload = { operation: 'ContinueUpload', bucket, key: key.value, uploadId } as const;
  return ok({ ...upload, span: span.value, hashes: hashes.value });
}

function readConditions({ parameters }: RequestParts) {
  const match = readGeneration(parameters, 'ifGenerationMatch');
  if (!match.ok) return match;
  return ok(match.value === null ? {} : { ifGenerationMatch: match.value });
}

/** An object of a path; the name decoded once, where `%2F` is a slash of it. */
function readPathName(bucket: string, raw: string | undefined): Result<ObjectName, GcsError> {
  const decoded = decodeOnce(raw ?? '');
  if (decoded === undefined) return err(gcsError('invalid', 'The name of the object cannot be decoded.', 'object'));
  const key = readObjectName(decoded);
  return key.ok ? ok({ bucket, key: key.value }) : key;
}

/** The value of a header that stands once. */
const singleHeader = ({ headers }: RequestParts, name: (typeof SINGLE)[number]): string | undefined =>
  headers.get(name)?.[0];

/** The call's name with the rest of it. */
const complete = <A extends object, B extends object>(known: A, rest: Result<B, GcsError>): Result<A & B, GcsError> =>
  rest.ok ? ok({ ...known, ...rest.value }) : rest;
