// The port of the gateway's object stores: buckets of named byte strings, told in no cloud's words. Adapters: disk/, upstream/.
// It decides nothing about who may do what; that was decided before a store is asked.
import type { Readable, Writable } from 'node:stream';
import type { ChecksumAlgorithm, Checksums } from '../../base/checksum/checksum.ts';
import type { ObjectProblem } from '../../base/core/object-problem.ts';
import type { Result } from '../../base/core/result.ts';
import type { EpochMs } from '../../base/core/time.ts';

export type { Checksums, ObjectProblem };

/** Longest key, in bytes of UTF-8. Shortest: one. */
export const MAX_KEY_BYTES = 1024;
/** Parts of one upload are numbered 1 to this. */
export const MAX_PART_NUMBER = 10_000;
/** Every part but the last of an upload is at least so long. */
export const MIN_PART_BYTES = 5 * 1024 * 1024;
/** Bytes that arrive in one piece: a `put` or one part. */
export const MAX_PUT_BYTES = 5 * 1024 ** 3;
/** Entries of one answer of `list` and of `listParts`; a larger `limit` counts as this. */
export const MAX_LIST_ENTRIES = 1000;

/** An object's name. Precondition everywhere: the key is well-formed Unicode of 1 to MAX_KEY_BYTES bytes without NUL. */
export interface ObjectRef {
  readonly bucket: string;
  readonly key: string;
}

/** A multipart upload. The id is the store's own; whose upload it is, the gateway binds into the id that clients see. */
export interface UploadRef extends ObjectRef {
  readonly uploadId: string;
}

/** What the writer says about an object, given back as it was said. */
export interface ObjectAttributes {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly contentDisposition?: string;
  readonly contentLanguage?: string;
  readonly cacheControl?: string;
  /** As the header was written; its meaning is the reader's. */
  readonly expires?: string;
  /** The writer's own names, in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** One object as it stands. */
export interface ObjectInfo extends ObjectAttributes {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Without quotes: the MD5 in hex, or the MD5 of the parts' MD5s in hex, `-` and their number. */
  readonly etag: string;
  readonly modifiedAt: EpochMs;
  /** Different for every write of a key, and greater than all before it, deletions in between included. */
  readonly generation: number;
  /** What the writer told; the store computes none. */
  readonly checksums: Checksums;
  /** How many parts it was made of; absent: it came in one piece. */
  readonly parts?: number;
}

/** An expected failure: nothing was stored, nothing changed. */
export interface ObjectFailure {
  readonly problem: ObjectProblem;
  /** For the operator's log; never a secret. */
  readonly detail: string;
  /** What stands there, with `not_modified` (RFC 9110 §15.4.5 wants its ETag) and `range_unsatisfiable` (its size). */
  readonly current?: ObjectInfo;
  /** What the body threw or the system said. */
  readonly cause?: unknown;
}

/**
 * Conditions, all of which must hold (RFC 9110 §13; the precedence of §13.2.2 on reads). ETags without quotes, compared
 * strongly. Writes heed `ifMatch`, `ifNoneMatch` and `ifGenerationMatch`, checked in the moment of the write.
 */
export interface Conditions {
  /** A write refuses an absent object with `key_unknown`. */
  readonly ifMatch?: readonly string[] | '*';
  readonly ifNoneMatch?: readonly string[] | '*';
  /** Compared in whole seconds, as HTTP dates are. Reads and sources of copies only. */
  readonly ifModifiedSince?: EpochMs;
  readonly ifUnmodifiedSince?: EpochMs;
  /** 0: the object must not exist. */
  readonly ifGenerationMatch?: number;
}

/** Bytes to store. */
export interface Content {
  /** Read once, in order, with back-pressure; a chunk does not change once it is given. When it throws, nothing is stored and the failure is `payload_refused`. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The length if it is known; a body of another length is refused. */
  readonly size: number | null;
  /** Asked once, after the body ended: what was verified on the way. */
  checksums(): Checksums;
}

/** A range as asked for (RFC 9110 §14.1.2): from `first` to `last` (null: to the end), or the last `suffix` bytes. */
export type ByteRange = { readonly first: number; readonly last: number | null } | { readonly suffix: number };

export interface GetOptions {
  readonly range?: ByteRange;
  readonly conditions?: Conditions;
  readonly signal: AbortSignal;
}

/** An object's bytes on their way. */
export interface OpenObject {
  readonly info: ObjectInfo;
  /** The bytes that `body` holds, both ends included; null: no range was asked for. */
  readonly range: { readonly first: number; readonly last: number } | null;
  /** Whole or with an error, never short. Must be read to its end, or destroyed, or sent. */
  readonly body: Readable;
  /**
   * Writes the body into `target`, instead of its being read, and resolves when the last byte was taken; it ends nothing. Quick,
   * because memory is used again: `target` lets go of a chunk when its write calls back, as sockets and HTTP answers do and
   * transforms do not. Rejects when either side ends early; then `target` has only a part, and the body is destroyed.
   */
  sendTo(target: Writable): Promise<void>;
}

export interface PutOptions {
  readonly content: Content;
  readonly attributes: ObjectAttributes;
  readonly conditions?: Conditions;
  readonly signal: AbortSignal;
}

export interface CopyOptions {
  readonly source: ObjectRef;
  /** May be the source, to give it other attributes. */
  readonly target: ObjectRef;
  /** null: the source's. */
  readonly attributes: ObjectAttributes | null;
  /** On the source; when one does not hold: `precondition_failed`, never `not_modified`. */
  readonly sourceConditions?: Conditions;
  /** On the target. */
  readonly conditions?: Conditions;
  readonly signal: AbortSignal;
}

export interface ListOptions {
  /** '' for all. */
  readonly prefix: string;
  /** Keys that hold it after the prefix are told as one common prefix, up to and with it. Not empty. */
  readonly delimiter: string | null;
  /** Only entries (keys and common prefixes) that come after this; '' from the start. */
  readonly after: string;
  /** Entries at most, keys and common prefixes together. 0 answers nothing and is never truncated. */
  readonly limit: number;
}

/** A piece of a listing; both lists in the order of their UTF-8 bytes. */
export interface Listing {
  readonly objects: readonly ObjectInfo[];
  readonly prefixes: readonly string[];
  readonly isTruncated: boolean;
  /** The last entry told, to be given as `after`; null when there is no more. */
  readonly next: string | null;
}

/** One stored part of an upload. */
export interface PartInfo {
  readonly part: number;
  readonly size: number;
  /** MD5 in hex, without quotes. */
  readonly etag: string;
  readonly checksums: Checksums;
  readonly modifiedAt: EpochMs;
}

export interface CreateUploadOptions {
  readonly attributes: ObjectAttributes;
  /** Kept for whoever lists the parts. */
  readonly checksumAlgorithm: ChecksumAlgorithm | null;
}

export interface PutPartOptions {
  readonly content: Content;
  readonly signal: AbortSignal;
}

export interface CopyPartOptions {
  readonly source: ObjectRef;
  readonly range?: ByteRange;
  readonly sourceConditions?: Conditions;
  readonly signal: AbortSignal;
}

export interface PartListing {
  readonly checksumAlgorithm: ChecksumAlgorithm | null;
  readonly parts: readonly PartInfo[];
  readonly isTruncated: boolean;
  /** The last part number told, to be given as `after`; null when there is no more. */
  readonly next: number | null;
}

export interface DeleteOptions {
  readonly conditions?: Conditions;
  /** Once it is aborted nothing is deleted any more: `aborted`. */
  readonly signal: AbortSignal;
}

export interface CompleteOptions {
  /** In rising order. Parts that are not named are dropped. A checksum that is given must be the part's. */
  readonly parts: readonly { readonly part: number; readonly etag: string; readonly checksums?: Checksums }[];
  readonly conditions?: Conditions;
  /** Once it is aborted no object is made any more: `aborted`. One that was made gets its attributes all the same. */
  readonly signal: AbortSignal;
  /**
   * In place of those that the upload was created with. A store that cannot do it in the same moment does it right after, and
   * refuses with `not_supported`, beforehand, what is too large for that.
   */
  readonly attributes?: ObjectAttributes;
  /** Parts may be shorter than MIN_PART_BYTES, where the store can have it so; else `part_too_small` as without. */
  readonly anySize?: boolean;
  /** The whole object's checksums from those of its parts, in order. Pure; an adapter that cannot use it leaves them out. */
  readonly checksums?: (parts: readonly PartInfo[]) => Checksums;
}

type Outcome<T> = Promise<Result<T, ObjectFailure>>;

/**
 * A store of objects. Every change is atomic and durable when its promise resolves: other calls see the old state or the new
 * one, whole. An expected failure is a value; a rejected promise is a fault of the program or of the store's own files.
 */
export interface ObjectStore {
  /** In the order of their names. */
  buckets(): Outcome<readonly { readonly name: string; readonly createdAt: EpochMs }[]>;
  hasBucket(bucket: string): Outcome<boolean>;
  head(object: ObjectRef, conditions?: Conditions): Outcome<ObjectInfo>;
  /** The bytes of the object as it stood when the promise resolved, whatever happens to it meanwhile. */
  get(object: ObjectRef, options: GetOptions): Outcome<OpenObject>;
  /** Replaces the object, or makes it. */
  put(object: ObjectRef, options: PutOptions): Outcome<ObjectInfo>;
  /** Deleting what is not there succeeds. */
  delete(object: ObjectRef, options: DeleteOptions): Outcome<null>;
  copy(options: CopyOptions): Outcome<ObjectInfo>;
  list(bucket: string, options: ListOptions): Outcome<Listing>;
  createUpload(object: ObjectRef, options: CreateUploadOptions): Outcome<{ readonly uploadId: string }>;
  /** Stores a part, or replaces it. */
  putPart(upload: UploadRef, part: number, options: PutPartOptions): Outcome<PartInfo>;
  copyPart(upload: UploadRef, part: number, options: CopyPartOptions): Outcome<PartInfo>;
  /** Parts with a number above `after`, in order. */
  listParts(upload: UploadRef, options: { readonly after: number; readonly limit: number }): Outcome<PartListing>;
  /** Makes the object of the named parts and ends the upload; a refusal leaves the upload as it was. */
  completeUpload(upload: UploadRef, options: CompleteOptions): Outcome<ObjectInfo>;
  abortUpload(upload: UploadRef): Outcome<null>;
  /** Ends what is under way, lets go of all files and connections. */
  close(): Promise<void>;
}
