// From a request to a typed call. It checks no signature and no permission and reads no body.
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm } from '../../base/checksum/checksum.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { readAttributes, readOverrides } from './attributes.ts';
import type { ObjectAttributes, ObjectName, S3Call, S3Operation, S3Request } from './call.ts';
import { readConditions, readCopyRange, readRange, readWriteConditions } from './conditions.ts';
import { headerNotImplemented, invalidArgument, refuse, type S3Error, s3Error } from './errors.ts';
import { MAX_ENTRIES, readListBuckets, readListObjects, readListObjectsV2, readNumber } from './listing-fields.ts';
import { readCopySource } from './names.ts';
import { findOperation } from './operations.ts';
import { type RequestParts, readParts } from './parts.ts';

/** What a request asks for, exactly, or why it is not served (operations.ts). The body and its headers are readPayloadPlan's. */
export function readS3Call(request: S3Request): Result<S3Call, S3Error> {
  const parts = readParts(request);
  if (!parts.ok) return parts;
  const operation = findOperation(parts.value);
  return operation.ok ? readCall(operation.value, parts.value) : operation;
}

function readCall(operation: S3Operation, parts: RequestParts): Result<S3Call, S3Error> {
  const conditionKeys = readConditionKeys(parts);
  const { target, parameters } = parts;
  if (operation === 'ListBuckets') return complete({ operation, conditionKeys }, readListBuckets(parameters));
  // The table of operations fixes the target; this only tells the compiler.
  if (target.kind === 'service') return err(s3Error('InternalError'));
  const bucket = { bucket: target.bucket, conditionKeys };
  switch (operation) {
    case 'HeadBucket':
    case 'GetBucketLocation':
      return ok({ operation, ...bucket });
    case 'DeleteObjects':
      return ok({ operation, ...bucket });
    case 'ListObjects':
      return complete({ operation, ...bucket }, readListObjects(parameters));
    case 'ListObjectsV2':
      return complete({ operation, ...bucket }, readListObjectsV2(parameters));
    default:
      return target.kind === 'object'
        ? readObjectCall(operation, parts, { ...bucket, key: target.key })
        : err(s3Error('InternalError'));
  }
}

type BucketOperation =
  | 'ListBuckets'
  | 'HeadBucket'
  | 'GetBucketLocation'
  | 'DeleteObjects'
  | 'ListObjects'
  | 'ListObjectsV2';
type Named = ObjectName & Pick<S3Call, 'conditionKeys'>;

function readObjectCall(
  operation: Exclude<S3Operation, BucketOperation>,
  parts: RequestParts,
  object: Named,
): Result<S3Call, S3Error> {
  const { headers } = parts;
  switch (operation) {
    case 'GetObject':
    case 'HeadObject':
      return complete({ operation, ...object }, readReading(parts));
    case 'PutObject':
      return complete({ operation, ...object }, both(readAttributes(headers), readWriteConditions(headers), stored));
    case 'CopyObject':
      return complete({ operation, ...object }, readCopy(parts, object));
    case 'DeleteObject':
      return complete(
        { operation, ...object },
        map(readConditions(headers), (conditions) => ({ conditions })),
      );
    case 'CreateMultipartUpload':
      return complete({ operation, ...object }, readCreation(headers));
    default:
      return readUploadCall(operation, parts, object);
  }
}

type UploadOperation =
  | 'UploadPart'
  | 'UploadPartCopy'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'ListParts';

function readUploadCall(operation: UploadOperation, parts: RequestParts, object: Named): Result<S3Call, S3Error> {
  const uploadId = parts.parameters.get('uploadId') ?? '';
  if (!/^[\x21-\x7e]{1,1024}$/.test(uploadId)) return refuse('NoSuchUpload', undefined, [['UploadId', uploadId]]);
  const upload = { ...object, uploadId };
  switch (operation) {
    case 'UploadPart':
      return complete({ operation, ...upload }, readPartNumber(parts));
    case 'UploadPartCopy':
      return complete({ operation, ...upload }, both(readPartNumber(parts), readPartSource(parts.headers), joined));
    case 'CompleteMultipartUpload':
      return complete(
        { operation, ...upload },
        map(readWriteConditions(parts.headers), (conditions) => ({ conditions })),
      );
    case 'AbortMultipartUpload':
      return ok({ operation, ...upload });
    case 'ListParts':
      return complete({ operation, ...upload }, readPartListing(parts.parameters));
  }
}

function readReading({ headers, parameters }: RequestParts) {
  const range = readRange(headers.get('range'));
  const wantsChecksums = headers.has('x-amz-checksum-mode');
  return both(readConditions(headers), readOverrides(parameters), (conditions, overrides) => ({
    conditions,
    overrides,
    wantsChecksums,
    ...(range === undefined ? {} : { range }),
  }));
}

/** What both kinds of copy say about their source. */
const readSource = (headers: ReadonlyMap<string, string>) =>
  both(
    readCopySource(headers.get('x-amz-copy-source') ?? ''),
    readConditions(headers, 'x-amz-copy-source-'),
    (source, sourceConditions) => ({ source, sourceConditions }),
  );

const readPartSource = (headers: ReadonlyMap<string, string>) =>
  both(readSource(headers), readCopyRange(headers.get('x-amz-copy-source-range')), (source, range) => ({
    ...source,
    ...(range === undefined ? {} : { range }),
  }));

/** AWS refuses to copy an object onto itself when nothing about it would change. */
const COPY_TO_ITSELF =
  "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.";

function readCopy({ headers }: RequestParts, target: ObjectName) {
  const directive = headers.get('x-amz-metadata-directive') ?? 'COPY';
  if (directive !== 'COPY' && directive !== 'REPLACE') {
    return invalidArgument('x-amz-metadata-directive', directive, 'Unknown metadata directive.');
  }
  const source = readSource(headers);
  if (!source.ok) return source;
  const isSame = source.value.source.bucket === target.bucket && source.value.source.key === target.key;
  if (isSame && directive === 'COPY') return refuse('InvalidRequest', COPY_TO_ITSELF);
  const attributes = directive === 'COPY' ? ok(null) : readAttributes(headers);
  return both(attributes, readWriteConditions(headers), (value, conditions) => ({
    ...source.value,
    attributes: value,
    conditions,
  }));
}

/** How AWS checks an upload of each algorithm unless told otherwise; the other way is not built. */
const UPLOAD_CHECKSUM_TYPES: Readonly<Record<ChecksumAlgorithm, 'COMPOSITE' | 'FULL_OBJECT'>> = {
  crc32: 'COMPOSITE',
  crc32c: 'COMPOSITE',
  crc64nvme: 'FULL_OBJECT',
  sha1: 'COMPOSITE',
  sha256: 'COMPOSITE',
};

function readCreation(headers: ReadonlyMap<string, string>) {
  const name = headers.get('x-amz-checksum-algorithm');
  const checksumAlgorithm = CHECKSUM_ALGORITHMS.find((known) => known.toUpperCase() === name) ?? null;
  if (name !== undefined && checksumAlgorithm === null) {
    return refuse('InvalidRequest', 'Checksum algorithm provided is unsupported.');
  }
  const type = headers.get('x-amz-checksum-type');
  if (type !== undefined && (checksumAlgorithm === null || UPLOAD_CHECKSUM_TYPES[checksumAlgorithm] !== type)) {
    return headerNotImplemented('x-amz-checksum-type');
  }
  return map(readAttributes(headers), (attributes) => ({ attributes, checksumAlgorithm }));
}

function readPartNumber({ parameters }: RequestParts): Result<{ readonly partNumber: number }, S3Error> {
  const text = parameters.get('partNumber') ?? '';
  const partNumber = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return partNumber >= 1 && partNumber <= 10_000
    ? ok({ partNumber })
    : invalidArgument('partNumber', text, 'Part number must be an integer between 1 and 10000, inclusive');
}

const readPartListing = (parameters: ReadonlyMap<string, string>) =>
  both(
    readNumber(parameters, 'part-number-marker', 0),
    readNumber(parameters, 'max-parts', MAX_ENTRIES),
    (after, maxParts) => ({ after, maxParts: Math.min(maxParts, MAX_ENTRIES) }),
  );

/** What IAM conditions may ask about, by the parameter or header that says it. */
const KEYS_OF_PARAMETERS = { prefix: 's3:prefix', delimiter: 's3:delimiter', 'max-keys': 's3:max-keys' };
const KEYS_OF_HEADERS = ['if-match', 'if-none-match', 'x-amz-acl', 'x-amz-metadata-directive', 'x-amz-storage-class'];

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
  const source = readCopySource(headers.get('x-amz-copy-source') ?? '');
  if (source.ok) keys.set('s3:x-amz-copy-source', `${source.value.bucket}/${source.value.key}`);
  return keys;
}

const stored = (attributes: ObjectAttributes, conditions: object) => ({ attributes, conditions });
const joined = <A extends object, B extends object>(one: A, other: B): A & B => ({ ...one, ...other });

/** The call's name and target with the rest of it. */
const complete = <A extends object, B extends object>(known: A, rest: Result<B, S3Error>): Result<A & B, S3Error> =>
  map(rest, (value) => ({ ...known, ...value }));

const map = <A, B>(result: Result<A, S3Error>, make: (value: A) => B): Result<B, S3Error> =>
  result.ok ? ok(make(result.value)) : result;

/** What `make` makes of both values, or the first error. */
function both<A, B, C>(
  one: Result<A, S3Error>,
  other: Result<B, S3Error>,
  make: (one: A, other: B) => C,
): Result<C, S3Error> {
  if (!one.ok) return one;
  return other.ok ? ok(make(one.value, other.value)) : other;
}
