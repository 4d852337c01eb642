// The words of the S3 wire: what a request asks for, typed. It reads no bytes and decides nothing.
import type { ChecksumAlgorithm } from '../../base/checksum/checksum.ts';
import type { EpochMs } from '../../base/core/time.ts';
import type { SignableRequest } from '../../base/sigv4/request.ts';

/** A request as it came. */
export type S3Request = SignableRequest;

/** What the writer says about an object. */
export interface ObjectAttributes {
  readonly contentType?: string;
  /** Without `aws-chunked`, which speaks of the transfer. */
  readonly contentEncoding?: string;
  readonly contentDisposition?: string;
  readonly contentLanguage?: string;
  readonly cacheControl?: string;
  readonly expires?: string;
  /** Names in lower case, without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** RFC 9110 §13. ETags without quotes. Absent: not asked for. An empty list is a condition that no object meets. */
export interface Conditions {
  readonly ifMatch?: readonly string[] | '*';
  readonly ifNoneMatch?: readonly string[] | '*';
  readonly ifModifiedSince?: EpochMs;
  readonly ifUnmodifiedSince?: EpochMs;
}

/** From `first` to `last` (null: to the end), or the last `suffix` bytes. */
export type ByteRange = { readonly first: number; readonly last: number | null } | { readonly suffix: number };

/** An object's name: a bucket by AWS's rules and a key of 1 to 1024 bytes, no byte of which was normalised. */
export interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

interface Call {
  /** Values of IAM condition keys that the request itself gives, by their names in lower case. */
  readonly conditionKeys: ReadonlyMap<string, string>;
}

interface BucketCall extends Call {
  readonly bucket: string;
}

interface ObjectCall extends Call, ObjectName {}

interface UploadCall extends ObjectCall {
  /** As the client knows it. */
  readonly uploadId: string;
}

export interface ListBucketsCall extends Call {
  readonly operation: 'ListBuckets';
  /** 1 to 10,000. */
  readonly maxBuckets: number;
  readonly prefix: string;
  /** Buckets after this one; '' from the start. */
  readonly after: string;
}

/** Which objects, the body says (delete-body.ts). */
export interface DeleteObjectsCall extends BucketCall {
  readonly operation: 'DeleteObjects';
}

/** What both listings have in common. */
interface ListCall extends BucketCall {
  readonly prefix: string;
  readonly delimiter: string | null;
  /** 0 to 1000; asking for more is asking for 1000. */
  readonly maxKeys: number;
  /** Entries after this one; '' from the start. */
  readonly after: string;
  /** Names in the answer are percent-encoded. */
  readonly encodesUrls: boolean;
}

export interface ListObjectsCall extends ListCall {
  readonly operation: 'ListObjects';
}

export interface ListObjectsV2Call extends ListCall {
  readonly operation: 'ListObjectsV2';
  readonly startAfter: string | null;
  /** As it was sent, for the answer to repeat; `after` is what it means. */
  readonly continuationToken: string | null;
  readonly fetchesOwner: boolean;
}

/** Headers that the caller wants in place of the stored ones (`response-*`), by the name of the header. */
export type ResponseOverrides = Readonly<Record<string, string>>;

export interface ReadObjectCall extends ObjectCall {
  readonly operation: 'GetObject' | 'HeadObject';
  readonly range?: ByteRange;
  readonly conditions: Conditions;
  readonly wantsChecksums: boolean;
  readonly overrides: ResponseOverrides;
}

export interface PutObjectCall extends ObjectCall {
  readonly operation: 'PutObject';
  readonly attributes: ObjectAttributes;
  readonly conditions: Conditions;
}

export interface CopyObjectCall extends ObjectCall {
  readonly operation: 'CopyObject';
  readonly source: ObjectName;
  readonly sourceConditions: Conditions;
  /** On the target. */
  readonly conditions: Conditions;
  /** null: the source's. */
  readonly attributes: ObjectAttributes | null;
}

export interface CreateMultipartUploadCall extends ObjectCall {
  readonly operation: 'CreateMultipartUpload';
  readonly attributes: ObjectAttributes;
  readonly checksumAlgorithm: ChecksumAlgorithm | null;
}

export interface UploadPartCall extends UploadCall {
  readonly operation: 'UploadPart';
  readonly partNumber: number;
}

export interface UploadPartCopyCall extends UploadCall {
  readonly operation: 'UploadPartCopy';
  readonly partNumber: number;
  readonly source: ObjectName;
  readonly sourceConditions: Conditions;
  readonly range?: ByteRange;
}

export interface CompleteMultipartUploadCall extends UploadCall {
  readonly operation: 'CompleteMultipartUpload';
  readonly conditions: Conditions;
}

export interface ListPartsCall extends UploadCall {
  readonly operation: 'ListParts';
  /** Parts with a number above this. */
  readonly after: number;
  /** 0 to 1000. */
  readonly maxParts: number;
}

export interface DeleteObjectCall extends ObjectCall {
  readonly operation: 'DeleteObject';
  readonly conditions: Conditions;
}

/** Every operation that is served. The signature is not checked yet and no permission was decided. */
export type S3Call =
  | ListBucketsCall
  | (BucketCall & { readonly operation: 'HeadBucket' | 'GetBucketLocation' })
  | DeleteObjectsCall
  | ListObjectsCall
  | ListObjectsV2Call
  | ReadObjectCall
  | PutObjectCall
  | CopyObjectCall
  | DeleteObjectCall
  | CreateMultipartUploadCall
  | UploadPartCall
  | UploadPartCopyCall
  | CompleteMultipartUploadCall
  | (UploadCall & { readonly operation: 'AbortMultipartUpload' })
  | ListPartsCall;

export type S3Operation = S3Call['operation'];
