// The XML answers of everything but listings of a bucket, byte for byte as S3 writes them.
import { CHECKSUM_ALGORITHMS, type Checksums } from '../../base/checksum/checksum.ts';
import type { EpochMs } from '../../base/core/time.ts';
import { encodeListingToken } from '../listing-token.ts';
import type { CompleteMultipartUploadCall, ListBucketsCall, ListPartsCall, ObjectName } from './call.ts';
import type { S3Error } from './errors.ts';
import { encodeOwner, type Owner } from './listing-result.ts';
import { checksumType } from './object-headers.ts';
import { element, emptyS3Document, escapeXml, plainDocument, s3Document, textElement, xmlTime } from './xml-write.ts';

/** ListAllMyBucketsResult: of `buckets`, in the order of their names, those that `call` asks for. */
export function encodeBuckets(
  buckets: readonly { readonly name: string; readonly createdAt: EpochMs }[],
  owner: Owner,
  call: ListBucketsCall,
): string {
  const wanted = buckets.filter(({ name }) => name.startsWith(call.prefix) && name > call.after);
  const told = wanted.slice(0, call.maxBuckets);
  const last = wanted.length > told.length ? told.at(-1) : undefined;
  return s3Document(
    'ListAllMyBucketsResult',
    encodeOwner('Owner', owner),
    element(
      'Buckets',
      ...told.map(({ name, createdAt }) =>
        element('Bucket', textElement('Name', name), textElement('CreationDate', xmlTime(createdAt))),
      ),
    ),
    ...(last === undefined ? [] : [textElement('ContinuationToken', encodeListingToken(last.name))]),
    ...(call.prefix === '' ? [] : [textElement('Prefix', call.prefix)]),
  );
}

/** The region of a bucket. S3's first region has no name here. */
export const encodeLocation = (region: string): string =>
  region === 'us-east-1' ? emptyS3Document('LocationConstraint') : s3Document('LocationConstraint', escapeXml(region));

/** What a copy or an upload made. */
interface Written {
  /** Without quotes. */
  readonly etag: string;
  readonly checksums: Checksums;
}

/** CopyObjectResult, or CopyPartResult. */
export const encodeCopy = (
  name: 'CopyObjectResult' | 'CopyPartResult',
  copied: Written & { readonly modifiedAt: EpochMs },
): string =>
  s3Document(
    name,
    textElement('LastModified', xmlTime(copied.modifiedAt)),
    textElement('ETag', `"${copied.etag}"`),
    ...checksumElements(copied.checksums),
  );

/** InitiateMultipartUploadResult. `uploadId` as the client shall know it. */
export const encodeUpload = (object: ObjectName, uploadId: string): string =>
  s3Document(
    'InitiateMultipartUploadResult',
    textElement('Bucket', object.bucket),
    textElement('Key', object.key),
    textElement('UploadId', uploadId),
  );

/** CompleteMultipartUploadResult. `location`: the object's URL, from configuration. */
export function encodeCompletion(call: CompleteMultipartUploadCall, object: Written, location: string): string {
  const type = checksumType(object.checksums);
  return s3Document(
    'CompleteMultipartUploadResult',
    textElement('Location', location),
    textElement('Bucket', call.bucket),
    textElement('Key', call.key),
    textElement('ETag', `"${object.etag}"`),
    ...checksumElements(object.checksums),
    ...(type === undefined ? [] : [textElement('ChecksumType', type)]),
  );
}

/** One stored part. */
interface ListedPart extends Written {
  readonly part: number;
  readonly size: number;
  readonly modifiedAt: EpochMs;
}

/** ListPartsResult. */
export function encodeParts(
  call: ListPartsCall,
  listing: { readonly parts: readonly ListedPart[]; readonly isTruncated: boolean; readonly next: number | null },
  owner: Owner,
): string {
  return s3Document(
    'ListPartsResult',
    textElement('Bucket', call.bucket),
    textElement('Key', call.key),
    textElement('UploadId', call.uploadId),
    encodeOwner('Initiator', owner),
    encodeOwner('Owner', owner),
    textElement('StorageClass', 'STANDARD'),
    textElement('PartNumberMarker', call.after),
    textElement('NextPartNumberMarker', listing.next ?? listing.parts.at(-1)?.part ?? 0),
    textElement('MaxParts', call.maxParts),
    textElement('IsTruncated', listing.isTruncated),
    ...listing.parts.map((part) =>
      element(
        'Part',
        textElement('PartNumber', part.part),
        textElement('LastModified', xmlTime(part.modifiedAt)),
        textElement('ETag', `"${part.etag}"`),
        textElement('Size', part.size),
        ...checksumElements(part.checksums),
      ),
    ),
  );
}

/** What became of one key of a DeleteObjects. */
export interface Deletion {
  readonly key: string;
  /** null: it is gone. */
  readonly error: S3Error | null;
}

/** DeleteResult. A quiet answer tells the errors alone. */
export const encodeDeletions = (deletions: readonly Deletion[], options: { readonly isQuiet: boolean }): string =>
  s3Document(
    'DeleteResult',
    ...deletions
      .filter(({ error }) => error !== null || !options.isQuiet)
      .map(({ key, error }) =>
        error === null
          ? element('Deleted', textElement('Key', key))
          : element(
              'Error',
              textElement('Key', key),
              textElement('Code', error.code),
              textElement('Message', error.message),
            ),
      ),
  );

/** Stands where AWS names the machine that answered. */
const HOST_ID = 'jobpass';

/** An error's status, headers and body. `isHead`: no body may follow; a 304 has none either (RFC 9110 §15.4.5). */
export function encodeS3Error(
  error: S3Error,
  options: { readonly requestId: string; readonly isHead: boolean },
): { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const isBodiless = options.isHead || error.status === 304;
  const body = plainDocument(
    'Error',
    textElement('Code', error.code),
    textElement('Message', error.message),
    ...error.elements.map(([name, value]) => textElement(name, value)),
    textElement('RequestId', options.requestId),
    textElement('HostId', HOST_ID),
  );
  const retry = error.retryAfterSeconds;
  return {
    status: error.status,
    headers: {
      ...(isBodiless ? {} : { 'content-type': 'application/xml' }),
      ...(retry === undefined ? {} : { 'retry-after': String(retry) }),
    },
    body: isBodiless ? '' : body,
  };
}

const checksumElements = (checksums: Checksums): string[] =>
  CHECKSUM_ALGORITHMS.flatMap((algorithm) => {
    const value = checksums[algorithm];
    return value === undefined ? [] : [textElement(`Checksum${algorithm.toUpperCase()}`, value)];
  });
