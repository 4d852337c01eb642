// The words of the Cloud Storage JSON API: what a request asks for, typed. It reads no bytes and decides nothing.

/** The head of a request as it came. */
export interface GcsRequest {
  readonly method: string;
  /** Raw, without the query. */
  readonly path: string;
  /** Raw, without `?`. */
  readonly query: string;
  /** Values by name in lower case, in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

/** An object's name: a bucket, and a name of 1 to 1024 bytes that was decoded once and normalised never. */
export interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

/** What the writer says about an object. */
export interface ObjectAttributes {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly contentDisposition?: string;
  readonly contentLanguage?: string;
  readonly cacheControl?: string;
  /** Names in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a write asks of the object that stands there. */
export interface WriteConditions {
  /** 0: there must be none. */
  readonly ifGenerationMatch?: number;
}

/** Digests that the writer says its bytes have; base64, CRC32C big-endian. */
export interface ExpectedHashes {
  readonly crc32c?: string;
  readonly md5?: string;
}

/** From `first` to `last` (null: to the end), or the last `suffix` bytes. */
export type ByteRange = { readonly first: number; readonly last: number | null } | { readonly suffix: number };

export interface ListBucketsCall {
  readonly operation: 'ListBuckets';
  readonly prefix: string;
  /** 1 to 1000. */
  readonly maxResults: number;
  /** Buckets after this one; '' from the start. */
  readonly after: string;
}

/** What a bucket is, and whether it has folders: nothing of what is in it. */
export interface BucketCall {
  readonly operation: 'GetBucket' | 'GetStorageLayout';
  readonly bucket: string;
}

export interface ListObjectsCall {
  readonly operation: 'ListObjects';
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string | null;
  /** 1 to 1000. */
  readonly maxResults: number;
  /** Entries after this one; '' from the start. */
  readonly after: string;
}

export interface GetObjectCall extends ObjectName {
  readonly operation: 'GetObject';
  /** Another one is not there. */
  readonly generation: number | null;
}

export interface ReadObjectCall extends ObjectName {
  readonly operation: 'ReadObject';
  /** Another one is not there. */
  readonly generation: number | null;
  readonly range?: ByteRange;
}

export interface DeleteObjectCall extends ObjectName {
  readonly operation: 'DeleteObject';
  /** Another one is not there. */
  readonly generation: number | null;
  readonly conditions: WriteConditions;
}

/** An upload as its request's head tells it; the first part of its body tells the rest. */
interface UploadCall {
  readonly bucket: string;
  /** Null: the body names the object. */
  readonly key: string | null;
  readonly conditions: WriteConditions;
  readonly hashes: ExpectedHashes;
}

/** Metadata and bytes in one request. */
export interface InsertObjectCall extends UploadCall {
  readonly operation: 'InsertObject';
  /** Between the parts of the body. */
  readonly boundary: string;
}

/** The beginning of a resumable upload. */
export interface StartUploadCall extends UploadCall {
  readonly operation: 'StartUpload';
  /** Of the bytes to come. */
  readonly contentType: string | null;
}

/** Bytes of a resumable upload, or the question how many arrived. */
export interface ContinueUploadCall extends ObjectName {
  readonly operation: 'ContinueUpload';
  /** As the client knows it. */
  readonly uploadId: string;
  readonly span: UploadSpan;
  readonly hashes: ExpectedHashes;
}

/**
 * Which bytes a request of a resumable upload carries. `total`: null while it is not known. A `rest` says that the object ends
 * where the body ends.
 */
export type UploadSpan =
  | { readonly kind: 'query'; readonly total: number | null }
  | { readonly kind: 'bytes'; readonly first: number; readonly last: number; readonly total: number | null }
  | { readonly kind: 'rest'; readonly first: number };

/** A copy. What it writes, its body says. */
export interface RewriteObjectCall extends ObjectName {
  readonly operation: 'RewriteObject';
  readonly source: ObjectName;
  /** Another one is not there. */
  readonly sourceGeneration: number | null;
  readonly conditions: WriteConditions;
}

export type GcsCall =
  | ListBucketsCall
  | BucketCall
  | ListObjectsCall
  | GetObjectCall
  | ReadObjectCall
  | DeleteObjectCall
  | InsertObjectCall
  | StartUploadCall
  | ContinueUploadCall
  | RewriteObjectCall;

export type GcsOperation = GcsCall['operation'];
