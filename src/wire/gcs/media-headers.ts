// The head of an answer with an object's bytes.
import { crc32cOf, type DescribedObject, METAGENERATION, md5Of } from './results.ts';

/** Google's own for objects that were stored without one. */
const DEFAULT_CONTENT_TYPE = 'application/octet-stream';

/** The bytes that follow, both ends included; null: all of them. */
export type SentRange = { readonly first: number; readonly last: number } | null;

/**
 * Status and headers. Bytes are sent as they were stored, compressed ones too. The digests are in one header without a space:
 * Node's client reads them so. It also takes an object that came without a CRC32C, as those of other doors may, for a damaged one,
 * unless nothing says how it is encoded: then it compares nothing.
 */
export function mediaHead(object: DescribedObject, range: SentRange) {
  const { cacheControl, contentDisposition, contentEncoding, contentLanguage, size } = object;
  const optional = {
    'cache-control': cacheControl,
    'content-disposition': contentDisposition,
    'content-encoding': contentEncoding,
    'content-language': contentLanguage,
    'x-goog-hash': hashHeader(object),
    'x-goog-stored-content-encoding': crc32cOf(object) === undefined ? undefined : (contentEncoding ?? 'identity'),
  };
  const told = Object.entries(optional).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    status: range === null ? 200 : 206,
    headers: {
      ...Object.fromEntries(told.map(([name, value]) => [name, headerValue(value)])),
      'accept-ranges': 'bytes',
      'content-length': String(range === null ? size : range.last - range.first + 1),
      'content-type': headerValue(object.contentType ?? DEFAULT_CONTENT_TYPE),
      etag: `"${object.etag}"`,
      'last-modified': new Date(object.modifiedAt).toUTCString(),
      'x-goog-generation': String(object.generation),
      'x-goog-metageneration': METAGENERATION,
      'x-goog-stored-content-length': String(size),
      ...(range === null ? {} : { 'content-range': `bytes ${range.first}-${range.last}/${size}` }),
    },
  };
}

function hashHeader(object: DescribedObject): string | undefined {
  const crc32c = crc32cOf(object);
  const md5 = md5Of(object);
  const told = [...(crc32c === undefined ? [] : [`crc32c=${crc32c}`]), ...(md5 === undefined ? [] : [`md5=${md5}`])];
  return told.length === 0 ? undefined : told.join(',');
}

/** Other doors of the same store may have let in what no header can hold. */
const headerValue = (text: string): string => (/^[\x20-\x7e]*$/.test(text) ? text : encodeURI(text.toWellFormed()));
