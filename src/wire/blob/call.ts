// The words of the Azure Blob wire: what a request asks for, typed. It reads no bytes and decides nothing.
import type { EpochMs } from '../../base/core/time.ts';

/** A request as it came. */
export interface BlobRequest {
  readonly method: string;
  /** Raw, without the query. */
  readonly path: string;
  /** Raw, without `?`. */
  readonly query: string;
  /** Values by name in lower case, in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

/** A blob's name: a container, and 1 to 1024 bytes of which none was normalised. */
export interface BlobName {
  readonly container: string;
  readonly blob: string;
}

/** What the writer says about a blob. */
export interface BlobAttributes {
  readonly contentType: string;
  readonly contentEncoding?: string;
  readonly contentDisposition?: string;
  readonly contentLanguage?: string;
  readonly cacheControl?: string;
  /** Names in lower case, without `x-ms-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** RFC 9110 §13. ETags without quotes; Azure takes one, or `*`. Absent: not asked for. */
export interface Conditions {
  readonly ifMatch?: readonly string[] | '*';
  readonly ifNoneMatch?: readonly string[] | '*';
  readonly ifModifiedSince?: EpochMs;
  readonly ifUnmodifiedSince?: EpochMs;
}

/** From `first` to `last`; null: to the end. */
export interface ByteRange {
  readonly first: number;
  readonly last: number | null;
}

/** What the sender says that the body is: one of the two at most, base64. */
export interface ContentDigest {
  readonly algorithm: 'md5' | 'crc64';
  readonly value: string;
}

interface Call {
  /** Values of IAM condition keys that the request itself gives, by their names in lower case. */
  readonly conditionKeys: ReadonlyMap<string, string>;
}

interface ContainerCall extends Call {
  readonly container: string;
}

interface BlobCall extends Call, BlobName {}

export interface ListBlobsCall extends ContainerCall {
  readonly operation: 'ListBlobs';
  readonly prefix: string;
  readonly delimiter: string | null;
  /** As it was sent, for the answer to repeat; null without one. `after` is what it means. */
  readonly marker: string | null;
  /** Entries after this one; '' from the start. */
  readonly after: string;
  /** 1 to 5000; null: as many as there may be. */
  readonly maxResults: number | null;
}

export interface ReadBlobCall extends BlobCall {
  readonly operation: 'GetBlob' | 'GetBlobProperties';
  readonly range?: ByteRange;
  readonly conditions: Conditions;
}

export interface PutBlobCall extends BlobCall {
  readonly operation: 'PutBlob';
  readonly attributes: BlobAttributes;
  readonly conditions: Conditions;
  readonly digest: ContentDigest | null;
}

/** Which block of which upload: the ids of one upload differ in their number alone. */
export interface BlockId {
  /** The id as it was sent. */
  readonly id: string;
  /** What all ids of the upload have in common, in hex. */
  readonly upload: string;
  /** 0 to 9999. */
  readonly number: number;
}

export interface PutBlockCall extends BlobCall {
  readonly operation: 'PutBlock';
  readonly block: BlockId;
  readonly digest: ContentDigest | null;
}

/** Which blocks, the body says (block-list.ts). */
export interface PutBlockListCall extends BlobCall {
  readonly operation: 'PutBlockList';
  readonly attributes: BlobAttributes;
  readonly conditions: Conditions;
  readonly digest: ContentDigest | null;
}

export interface DeleteBlobCall extends BlobCall {
  readonly operation: 'DeleteBlob';
  readonly conditions: Conditions;
}

/** Every operation that is served. No credential is checked yet and no permission was decided. */
export type AzureBlobCall =
  | (ContainerCall & { readonly operation: 'GetContainerProperties' })
  | ListBlobsCall
  | ReadBlobCall
  | PutBlobCall
  | PutBlockCall
  | PutBlockListCall
  | DeleteBlobCall;

export type BlobOperation = AzureBlobCall['operation'];
