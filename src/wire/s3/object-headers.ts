// Response headers that tell of an object: of reads, of writes. It writes no body.
import { CHECKSUM_ALGORITHMS, type Checksums } from '../../base/checksum/checksum.ts';
import type { EpochMs } from '../../base/core/time.ts';
import type { ObjectAttributes, ReadObjectCall } from './call.ts';

/** What headers tell of an object. */
export interface DescribedObject extends ObjectAttributes {
  /** Bytes. */
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  readonly modifiedAt: EpochMs;
  readonly checksums: Checksums;
}

/** A status line and its headers, names in lower case. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** S3's own for objects that were stored without one. */
const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';

/**
 * The head of a read's answer. `range`: the bytes that follow, both ends included; null: all of them. Checksums are told only
 * when asked for and only with all bytes: a client would hold a part to the checksum of the whole.
 */
export function readResponseHead(
  call: Pick<ReadObjectCall, 'wantsChecksums' | 'overrides'>,
  object: DescribedObject,
  range: { readonly first: number; readonly last: number } | null,
): ResponseHead {
  const length = range === null ? object.size : range.last - range.first + 1;
  const headers = {
    ...objectHeaders(object),
    ...(call.wantsChecksums && range === null ? checksumHeaders(object.checksums) : {}),
    ...call.overrides,
    'accept-ranges': 'bytes',
    'content-length': String(length),
    ...(range === null ? {} : { 'content-range': `bytes ${range.first}-${range.last}/${object.size}` }),
  };
  return { status: range === null ? 200 : 206, headers };
}

/** RFC 9110 §15.4.5: what a 304 tells of the object that the client already has. */
export const notModifiedHead = (object: Pick<DescribedObject, 'etag' | 'modifiedAt'>): ResponseHead => ({
  status: 304,
  headers: validators(object),
});

/** What a stored object or part is answered with. */
export const writeHeaders = (written: {
  readonly etag: string;
  readonly checksums: Checksums;
}): Readonly<Record<string, string>> => ({ etag: `"${written.etag}"`, ...checksumHeaders(written.checksums) });

function objectHeaders(object: DescribedObject): Record<string, string> {
  const { cacheControl, contentDisposition, contentEncoding, contentLanguage, expires } = object;
  const told = {
    'cache-control': cacheControl,
    'content-disposition': contentDisposition,
    'content-encoding': contentEncoding,
    'content-language': contentLanguage,
    'content-type': object.contentType ?? DEFAULT_CONTENT_TYPE,
    expires,
  };
  const headers: Record<string, string> = validators(object);
  for (const [name, value] of Object.entries(told)) if (value !== undefined) headers[name] = headerValue(value);
  return { ...headers, ...metadataHeaders(object.metadata) };
}

const validators = (object: Pick<DescribedObject, 'etag' | 'modifiedAt'>): Record<string, string> => ({
  etag: `"${object.etag}"`,
  'last-modified': new Date(object.modifiedAt).toUTCString(),
});

/** RFC 9110 §5.1: what a name may hold. Names that were given elsewhere and cannot stand here are counted, as S3 does. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function metadataHeaders(metadata: ObjectAttributes['metadata']): Record<string, string> {
  const entries = Object.entries(metadata);
  const told = entries.filter(([name]) => FIELD_NAME.test(name));
  const missing = entries.length - told.length;
  return {
    ...Object.fromEntries(told.map(([name, value]) => [`x-amz-meta-${name.toLowerCase()}`, headerValue(value)])),
    ...(missing === 0 ? {} : { 'x-amz-missing-meta': String(missing) }),
  };
}

/** Printable ASCII as it is, everything else as RFC 2047 has it, like S3. No value can end its header. */
const headerValue = (text: string): string =>
  /^[\x20-\x7e]*$/.test(text) ? text : `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`;

function checksumHeaders(checksums: Checksums): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const value = checksums[algorithm];
    if (value !== undefined) headers[`x-amz-checksum-${algorithm}`] = value;
  }
  const type = checksumType(checksums);
  return type === undefined ? headers : { ...headers, 'x-amz-checksum-type': type };
}

/** Whether the checksums are of the object's bytes or of its parts' checksums; undefined without any. */
export function checksumType(checksums: Checksums): 'FULL_OBJECT' | 'COMPOSITE' | undefined {
  const [first] = Object.values(checksums);
  if (first === undefined) return undefined;
  return /-[0-9]+$/.test(first) ? 'COMPOSITE' : 'FULL_OBJECT';
}
