// Answers of the JSON API: resources and errors as JSON. It writes no object's bytes.
import type { Checksums } from '../../base/checksum/checksum.ts';
import type { EpochMs } from '../../base/core/time.ts';
import { encodeListingToken } from '../listing-token.ts';
import type { ObjectAttributes, ObjectName } from './call.ts';
import type { GcsError } from './errors.ts';

/** An object as answers tell it. */
export interface DescribedObject extends ObjectAttributes {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** The MD5 in hex; anything else for objects that were made of parts. */
  readonly etag: string;
  readonly modifiedAt: EpochMs;
  readonly generation: number;
  readonly checksums: Checksums;
}

/** Where the API is, without a slash at the end: links are made of it, never of what a request says of its host. */
export interface Place {
  readonly url: string;
}

/** The only metageneration: changing an object's metadata is not served. */
export const METAGENERATION = '1';

/** The base64 MD5 of an object that came in one piece; undefined when nobody knows it, as with Google's composite objects. */
export const md5Of = ({ etag }: Pick<DescribedObject, 'etag'>): string | undefined =>
  /^[0-9a-f]{32}$/.test(etag) ? Buffer.from(etag, 'hex').toString('base64') : undefined;

/** The CRC32C of all of an object's bytes; undefined when nobody told it, or only one of its parts' checksums. */
export function crc32cOf({ checksums }: Pick<DescribedObject, 'checksums'>): string | undefined {
  const { crc32c } = checksums;
  return crc32c === undefined || crc32c.includes('-') ? undefined : crc32c;
}

/** One object (JSON API, "Objects: resource"). */
export function objectResource({ url }: Place, bucket: string, object: DescribedObject) {
  const { cacheControl, contentDisposition, contentEncoding, contentLanguage, contentType, key, metadata } = object;
  const generation = String(object.generation);
  const path = `b/${bucket}/o/${encodeURIComponent(key)}`;
  const time = new Date(object.modifiedAt).toISOString();
  return {
    kind: 'storage#object',
    id: `${bucket}/${key}/${generation}`,
    selfLink: `${url}/storage/v1/${path}`,
    mediaLink: `${url}/download/storage/v1/${path}?generation=${generation}&alt=media`,
    name: key,
    bucket,
    generation,
    metageneration: METAGENERATION,
    contentType,
    contentEncoding,
    contentDisposition,
    contentLanguage,
    cacheControl,
    size: String(object.size),
    md5Hash: md5Of(object),
    crc32c: crc32cOf(object),
    etag: Buffer.from(`${object.etag}/${generation}`).toString('base64'),
    timeCreated: time,
    updated: time,
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
  };
}

/** What is in a bucket (JSON API, "Objects: list"). */
export function objectListing(
  place: Place,
  bucket: string,
  listing: {
    readonly objects: readonly DescribedObject[];
    readonly prefixes: readonly string[];
    readonly next: string | null;
  },
) {
  const { objects, prefixes, next } = listing;
  return {
    kind: 'storage#objects',
    ...(next === null ? {} : { nextPageToken: encodeListingToken(next) }),
    ...(prefixes.length === 0 ? {} : { prefixes }),
    ...(objects.length === 0 ? {} : { items: objects.map((object) => objectResource(place, bucket, object)) }),
  };
}

/**
 * One bucket (JSON API, "Buckets: resource"). It has no storage class: gcloud takes that for a bucket that it cannot upload to in
 * pieces to be composed, which is not served, and uploads in one.
 */
export const bucketResource = ({ url }: Place, name: string) => ({
  kind: 'storage#bucket',
  id: name,
  name,
  selfLink: `${url}/storage/v1/b/${name}`,
  metageneration: METAGENERATION,
});

/** The buckets there are (JSON API, "Buckets: list"). */
export const bucketListing = (
  place: Place,
  { names, next }: { readonly names: readonly string[]; readonly next: string | null },
) => ({
  kind: 'storage#buckets',
  ...(next === null ? {} : { nextPageToken: encodeListingToken(next) }),
  ...(names.length === 0 ? {} : { items: names.map((name) => bucketResource(place, name)) }),
});

/** No bucket has folders of its own. */
export const storageLayout = (bucket: string) => ({
  kind: 'storage#storageLayout',
  bucket,
  hierarchicalNamespace: { enabled: false },
});

/** A copy that is complete (JSON API, "Objects: rewrite"). */
export const rewriteResult = (place: Place, target: ObjectName, copied: DescribedObject) => ({
  kind: 'storage#rewriteResponse',
  totalBytesRewritten: String(copied.size),
  objectSize: String(copied.size),
  done: true,
  resource: objectResource(place, target.bucket, copied),
});

/** An error as every Google API tells it. `decision` leads the caller to the log. */
export function errorBody({ reason, status, message, location }: GcsError, decision: string) {
  const told = `${message} (${decision})`;
  const at = location === undefined ? {} : { locationType: 'parameter', location };
  return { error: { code: status, message: told, errors: [{ message: told, domain: 'global', reason, ...at }] } };
}
