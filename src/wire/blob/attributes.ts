// What a request says about the blob that it stores.
import { ok, type Result } from '../../base/core/result.ts';
import type { BlobAttributes } from './call.ts';
import { type BlobError, invalidHeader, refuse } from './errors.ts';

/** S3's bound on names and values together: the blob may be kept by an S3. Azure's own is 8 KiB. */
const MAX_METADATA_BYTES = 2048;

const METADATA_PREFIX = 'x-ms-meta-';

const PROPERTIES = {
  'x-ms-blob-cache-control': 'cacheControl',
  'x-ms-blob-content-disposition': 'contentDisposition',
  'x-ms-blob-content-encoding': 'contentEncoding',
  'x-ms-blob-content-language': 'contentLanguage',
} as const;

/** Azure's own for blobs that were stored without one. */
const DEFAULT_CONTENT_TYPE = 'application/octet-stream';

/** What comes back in headers must be able to stand in one: no line breaks, nothing that readers decode differently. */
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
/** The names of C#, as Azure has it, in lower case: header names have no case. */
const METADATA_NAME = /^[a-z_][a-z0-9_]*$/;

/**
 * The attributes told by the headers of a write. `fallbackType`: the request's own Content-Type, where it is the blob's.
 * Errors: InvalidHeaderValue (not printable ASCII), InvalidMetadata, MetadataTooLarge.
 */
export function readAttributes(
  headers: ReadonlyMap<string, string>,
  fallbackType: string | undefined,
): Result<BlobAttributes, BlobError> {
  const contentType = headers.get('x-ms-blob-content-type') ?? fallbackType ?? DEFAULT_CONTENT_TYPE;
  const named: [string, string][] = Object.entries(PROPERTIES).flatMap(([name, property]) => {
    const value = headers.get(name);
    return value === undefined ? [] : [[property, value]];
  });
  const refused = [...named, ['content-type', contentType] as const].find(([, value]) => !PRINTABLE_ASCII.test(value));
  if (refused !== undefined) return invalidHeader(refused[0], '');
  const metadata = [...headers].filter(([name]) => name.startsWith(METADATA_PREFIX));
  const pairs = metadata.map(([name, value]): [string, string] => [name.slice(METADATA_PREFIX.length), value]);
  if (pairs.some(([name, value]) => !METADATA_NAME.test(name) || !PRINTABLE_ASCII.test(value))) {
    return refuse('InvalidMetadata');
  }
  const size = pairs.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (size > MAX_METADATA_BYTES) return refuse('MetadataTooLarge');
  return ok({ contentType, ...Object.fromEntries(named), metadata: Object.fromEntries(pairs) });
}
