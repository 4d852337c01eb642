// The two listings of a bucket as S3 writes them.
import { CHECKSUM_ALGORITHMS, type Checksums } from '../../base/checksum/checksum.ts';
import type { EpochMs } from '../../base/core/time.ts';
import { encodeListingToken } from '../listing-token.ts';
import type { ListObjectsCall, ListObjectsV2Call } from './call.ts';
import { checksumType } from './object-headers.ts';
import { element, encodeUrlName, s3Document, textElement, xmlTime } from './xml-write.ts';

/** What a listing tells of an object. */
interface ListedObject {
  readonly key: string;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  readonly modifiedAt: EpochMs;
  readonly checksums: Checksums;
}

/** A piece of a listing, in the order of UTF-8 bytes. */
export interface Listing {
  readonly objects: readonly ListedObject[];
  readonly prefixes: readonly string[];
  readonly isTruncated: boolean;
  /** The last entry told; null when there is no more. */
  readonly next: string | null;
}

/** Whom answers call the owner of everything. */
export interface Owner {
  readonly id: string;
  readonly displayName: string;
}

/** ListBucketResult, version 1 or 2 as `call` asks. `owner` is told by version 1, and by version 2 to whoever wants it. */
export function encodeListing(call: ListObjectsCall | ListObjectsV2Call, listing: Listing, owner: Owner): string {
  const name = (text: string): string => (call.encodesUrls ? encodeUrlName(text) : text);
  const isOwnerTold = call.operation === 'ListObjects' || call.fetchesOwner;
  return s3Document(
    'ListBucketResult',
    textElement('Name', call.bucket),
    textElement('Prefix', name(call.prefix)),
    ...(call.operation === 'ListObjects' ? position1(call, listing, name) : position2(call, listing, name)),
    textElement('MaxKeys', call.maxKeys),
    ...(call.delimiter === null ? [] : [textElement('Delimiter', name(call.delimiter))]),
    ...(call.encodesUrls ? [textElement('EncodingType', 'url')] : []),
    textElement('IsTruncated', listing.isTruncated),
    ...listing.objects.map((object) => encodeObject(object, name, isOwnerTold ? owner : null)),
    ...listing.prefixes.map((prefix) => element('CommonPrefixes', textElement('Prefix', name(prefix)))),
  );
}

type Naming = (text: string) => string;

/** S3 tells NextMarker only beside a delimiter: without one, the last key is where to go on. */
function position1(call: ListObjectsCall, listing: Listing, name: Naming): string[] {
  const marker = textElement('Marker', name(call.after));
  return listing.next === null || call.delimiter === null
    ? [marker]
    : [marker, textElement('NextMarker', name(listing.next))];
}

function position2(call: ListObjectsV2Call, listing: Listing, name: Naming): string[] {
  return [
    ...(call.continuationToken === null ? [] : [textElement('ContinuationToken', call.continuationToken)]),
    ...(listing.next === null ? [] : [textElement('NextContinuationToken', encodeListingToken(listing.next))]),
    ...(call.startAfter === null ? [] : [textElement('StartAfter', name(call.startAfter))]),
    textElement('KeyCount', listing.objects.length + listing.prefixes.length),
  ];
}

function encodeObject(object: ListedObject, name: Naming, owner: Owner | null): string {
  const algorithms = CHECKSUM_ALGORITHMS.filter((algorithm) => object.checksums[algorithm] !== undefined);
  const type = checksumType(object.checksums);
  return element(
    'Contents',
    textElement('Key', name(object.key)),
    textElement('LastModified', xmlTime(object.modifiedAt)),
    textElement('ETag', `"${object.etag}"`),
    ...algorithms.map((algorithm) => textElement('ChecksumAlgorithm', algorithm.toUpperCase())),
    ...(type === undefined ? [] : [textElement('ChecksumType', type)]),
    textElement('Size', object.size),
    ...(owner === null ? [] : [encodeOwner('Owner', owner)]),
    textElement('StorageClass', 'STANDARD'),
  );
}

/** An owner or an initiator. */
export const encodeOwner = (name: 'Owner' | 'Initiator', owner: Owner): string =>
  element(name, textElement('ID', owner.id), textElement('DisplayName', owner.displayName));
