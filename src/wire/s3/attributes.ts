// What a request says about the object that it stores, and what a reader wants in its place.
import { ok, type Result } from '../../base/core/result.ts';
import type { ObjectAttributes, ResponseOverrides } from './call.ts';
import { invalidArgument, refuse, type S3Error } from './errors.ts';

/** AWS's bounds: names and values of the user's metadata together, and as much for the system's. */
const MAX_METADATA_BYTES = 2048;

const METADATA_PREFIX = 'x-amz-meta-';

const SYSTEM_HEADERS = {
  'cache-control': 'cacheControl',
  'content-disposition': 'contentDisposition',
  'content-encoding': 'contentEncoding',
  'content-language': 'contentLanguage',
  'content-type': 'contentType',
  expires: 'expires',
} as const;

/** What comes back in headers must be able to stand in one: no line breaks, nothing that readers decode differently. */
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
/** RFC 9110 §5.1. A presigned URL names metadata in its query, where anything can stand: no reader would get it back. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** A header's value as Node writes it, one byte a character. */
const PRINTABLE_LATIN1 = /^[\x20-\x7e\xa0-\xff]*$/;

/**
 * The attributes told by the headers of a write. Errors: InvalidArgument (a value that is not printable ASCII, metadata
 * without a name), MetadataTooLarge, RequestHeaderSectionTooLarge.
 */
export function readAttributes(headers: ReadonlyMap<string, string>): Result<ObjectAttributes, S3Error> {
  const system: Partial<Record<(typeof SYSTEM_HEADERS)[keyof typeof SYSTEM_HEADERS], string>> = {};
  const metadata: [string, string][] = [];
  for (const [name, value] of headers) {
    const attribute = systemAttribute(name);
    const isMetadata = name.startsWith(METADATA_PREFIX);
    if (attribute === undefined && !isMetadata) continue;
    if (!PRINTABLE_ASCII.test(value)) return invalidArgument(name, value, `${name} is not printable ASCII`);
    if (attribute !== undefined) system[attribute] = value;
    else metadata.push([name.slice(METADATA_PREFIX.length), value]);
  }
  if (metadata.some(([name]) => !FIELD_NAME.test(name))) {
    return invalidArgument(METADATA_PREFIX, '', 'The name of a metadata header is not one that a header may have');
  }
  if (totalChars(metadata) > MAX_METADATA_BYTES) return refuse('MetadataTooLarge');
  if (totalChars(Object.entries(system)) > MAX_METADATA_BYTES) return refuse('RequestHeaderSectionTooLarge');
  const { contentEncoding, ...others } = system;
  const stored = contentEncoding === undefined ? '' : storedEncoding(contentEncoding);
  return ok({
    ...others,
    ...(stored === '' ? {} : { contentEncoding: stored }),
    metadata: Object.fromEntries(metadata),
  });
}

const systemAttribute = (name: string) =>
  Object.hasOwn(SYSTEM_HEADERS, name) ? SYSTEM_HEADERS[name as keyof typeof SYSTEM_HEADERS] : undefined;

const totalChars = (pairs: readonly (readonly [string, string])[]): number =>
  pairs.reduce((sum, [name, value]) => sum + name.length + value.length, 0);

/** Without `aws-chunked`, which is undone before anything is stored. */
const storedEncoding = (text: string): string =>
  text
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked')
    .join(',');

const OVERRIDE_PREFIX = 'response-';

/** The `response-*` parameters by the header that each replaces. InvalidArgument for what no header can hold. */
export function readOverrides(parameters: ReadonlyMap<string, string>): Result<ResponseOverrides, S3Error> {
  const overrides: [string, string][] = [];
  for (const [name, value] of parameters) {
    if (!name.startsWith(OVERRIDE_PREFIX)) continue;
    if (!PRINTABLE_LATIN1.test(value)) {
      return invalidArgument(name, value, 'Header value cannot be represented using ISO-8859-1.');
    }
    overrides.push([name.slice(OVERRIDE_PREFIX.length), value]);
  }
  return ok(Object.fromEntries(overrides));
}
