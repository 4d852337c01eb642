// Objects as S3 tells them in headers, and the headers that say the same to S3. Pure.
import type { IncomingHttpHeaders } from 'node:http';
import type { ByteRange, Checksums, ObjectAttributes, ObjectInfo } from '../store.ts';
import { escapePath } from './escape.ts';

const META = 'x-amz-meta-';

const CHECKSUM_HEADERS = {
  crc32: 'x-amz-checksum-crc32',
  crc32c: 'x-amz-checksum-crc32c',
  crc64nvme: 'x-amz-checksum-crc64nvme',
  sha1: 'x-amz-checksum-sha1',
  sha256: 'x-amz-checksum-sha256',
} as const;

const ATTRIBUTE_HEADERS = {
  contentType: 'content-type',
  contentEncoding: 'content-encoding',
  contentDisposition: 'content-disposition',
  contentLanguage: 'content-language',
  cacheControl: 'cache-control',
  expires: 'expires',
} as const satisfies Partial<Record<keyof ObjectAttributes, string>>;

export function attributeHeaders(attributes: ObjectAttributes): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, header] of Object.entries(ATTRIBUTE_HEADERS)) {
    const value = attributes[name as keyof typeof ATTRIBUTE_HEADERS];
    if (value !== undefined) headers[header] = value;
  }
  for (const [name, value] of Object.entries(attributes.metadata)) headers[`${META}${name}`] = value;
  return headers;
}

export function rangeHeader(range: ByteRange | undefined): string | undefined {
  if (range === undefined) return undefined;
  return 'suffix' in range ? `bytes=-${range.suffix}` : `bytes=${range.first}-${range.last ?? ''}`;
}

export const unquoted = (etag: string): string => etag.replace(/^"(.*)"$/, '$1');

/** The object that an answer's headers tell of; undefined when they do not tell what every answer about an object does. */
export function objectFrom(key: string, headers: IncomingHttpHeaders): ObjectInfo | undefined {
  const range = contentRange(headers);
  const size = range === undefined ? Number(headers['content-length'] ?? 'none') : range.size;
  const modifiedAt = Date.parse(headers['last-modified'] ?? '');
  if (!Number.isSafeInteger(size) || Number.isNaN(modifiedAt) || headers.etag === undefined) return undefined;
  const parts = Number(headers['x-amz-mp-parts-count'] ?? 'none');
  return {
    key,
    size,
    etag: unquoted(headers.etag),
    modifiedAt,
    generation: modifiedAt,
    checksums: checksumsFrom(headers),
    ...(Number.isSafeInteger(parts) ? { parts } : {}),
    ...attributesFrom(headers),
  };
}

/** What S3 says of an object whose writer said nothing. */
const UNTOLD_TYPE = 'binary/octet-stream';

function attributesFrom(headers: IncomingHttpHeaders): ObjectAttributes {
  const told = Object.entries(ATTRIBUTE_HEADERS).flatMap(([name, header]) => {
    const value = headers[header];
    const isTold = typeof value === 'string' && !(header === 'content-type' && value === UNTOLD_TYPE);
    return isTold ? [[name, value] as const] : [];
  });
  const metadata = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith(META) && typeof value === 'string' ? [[name.slice(META.length), value] as const] : [],
  );
  return { ...Object.fromEntries(told), metadata: Object.fromEntries(metadata) };
}

const checksumsFrom = (headers: IncomingHttpHeaders): Checksums =>
  Object.fromEntries(
    Object.entries(CHECKSUM_HEADERS).flatMap(([name, header]) => {
      const value = headers[header];
      return typeof value === 'string' ? [[name, value] as const] : [];
    }),
  );

/** RFC 9110 §14.4; undefined when the answer is no part of an object. */
export function contentRange(
  headers: IncomingHttpHeaders,
): { readonly first: number; readonly last: number; readonly size: number } | undefined {
  const [, first, last, size] =
    /^bytes ([0-9]{1,15})-([0-9]{1,15})\/([0-9]{1,15})$/.exec(headers['content-range'] ?? '') ?? [];
  return size === undefined ? undefined : { first: Number(first), last: Number(last), size: Number(size) };
}

/** Where S3 copies from: the name escaped as in a path. */
export const copySource = ({
  bucket,
  key,
}: {
  readonly bucket: string;
  readonly key: string;
}): Record<string, string> => ({
  'x-amz-copy-source': `/${escapePath(bucket)}/${escapePath(key)}`,
});
