// What a request's JSON says about the object that it writes (Cloud Storage JSON API, "Objects: resource").
import { isJsonObject, type JsonObject, type JsonValue, ownMember } from '../../base/core/json.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { parseJsonObject } from '../../base/json/parse.ts';
import type { ExpectedHashes, ObjectAttributes } from './call.ts';
import { type GcsError, gcsError, invalid, notImplemented } from './errors.ts';
import { isDigest } from './hashes.ts';
import { readObjectName } from './names.ts';

/** Metadata and whatever a client says beside it. */
export const MAX_METADATA_JSON_BYTES = 64 * 1024;
/** As an S3 keeps them, which may be where the objects are: names and values of custom metadata together, and as much for the rest. */
const MAX_CUSTOM_BYTES = 2048;
const MAX_TEXT_BYTES = 2048;
/** What comes back in headers must be able to stand in one, and in one of S3's. */
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

const TEXTS = ['contentType', 'contentEncoding', 'contentDisposition', 'contentLanguage', 'cacheControl'] as const;
/** Told back by clients that copy an object's whole resource; they say nothing about what is to be written. */
const IGNORED = new Set(['kind', 'id', 'selfLink', 'mediaLink', 'generation', 'metageneration', 'size', 'etag']);

/** An object as its writer describes it. */
export interface DescribedWrite {
  /** Undefined when the URL alone names it. */
  readonly name?: string;
  readonly attributes: ObjectAttributes;
  readonly hashes: ExpectedHashes;
}

/**
 * Reads the resource for `bucket`. A null is as no member. Errors: `invalid` (broken JSON, values that no header can hold, digests
 * that are none, more than 2 KiB of metadata, another bucket), `notImplemented` for members that ask for more: ACLs, holds, keys,
 * times, other storage classes.
 */
export function readWrittenObject(bytes: Uint8Array, bucket: string): Result<DescribedWrite, GcsError> {
  const parsed = bytes.length === 0 ? ok<JsonObject>({}) : parseJsonObject(bytes);
  if (!parsed.ok) return err(gcsError('badRequest', `The metadata is not JSON: ${parsed.error.problem}`));
  const members = Object.entries(parsed.value).filter(([name, value]) => value !== null && !IGNORED.has(name));
  const object: JsonObject = Object.fromEntries(members);
  for (const [name, value] of members) {
    const refusal = refuseMember(name, value, bucket);
    if (refusal !== undefined) return refusal;
  }
  const texts = textsOf(object);
  const textBytes = Object.values(texts).reduce((sum, text) => sum + text.length, 0);
  if (textBytes > MAX_TEXT_BYTES) return invalid('contentType', `more than ${MAX_TEXT_BYTES} bytes with its like`);
  const metadata = readCustom(ownMember(object, 'metadata') ?? {});
  if (!metadata.ok) return metadata;
  const name = ownMember(object, 'name');
  return ok({
    ...(typeof name === 'string' ? { name } : {}),
    attributes: { ...texts, metadata: metadata.value },
    hashes: hashesOf(object),
  });
}

type Refusal = Result<never, GcsError> | undefined;

function refuseMember(name: string, value: JsonValue, bucket: string): Refusal {
  switch (name) {
    case 'metadata':
      return undefined;
    case 'bucket':
      return value === bucket ? undefined : invalid(name, 'the URL names another');
    case 'storageClass':
      return value === 'STANDARD' ? undefined : notImplemented('storage class', String(value));
    case 'name': {
      const read = readObjectName(typeof value === 'string' ? value : '');
      return read.ok ? undefined : read;
    }
    case 'crc32c':
      return typeof value === 'string' && isDigest(value, 'crc32c') ? undefined : invalid(name, 'not a CRC32C');
    case 'md5Hash':
      return typeof value === 'string' && isDigest(value, 'md5') ? undefined : invalid(name, 'not an MD5');
    default:
      if (!TEXTS.some((known) => known === name)) return notImplemented('member', name);
      return typeof value === 'string' && isAttribute(value)
        ? undefined
        : invalid(name, 'not printable ASCII, or too long');
  }
}

/** Whether a text may be kept as one of an object's attributes. */
export const isAttribute = (text: string): boolean => PRINTABLE_ASCII.test(text) && text.length <= MAX_TEXT_BYTES;

const textsOf = (object: JsonObject): Readonly<Record<string, string>> =>
  Object.fromEntries(TEXTS.flatMap((name) => (typeof object[name] === 'string' ? [[name, object[name]]] : [])));

function hashesOf({ crc32c, md5Hash }: JsonObject): ExpectedHashes {
  return {
    ...(typeof crc32c === 'string' ? { crc32c } : {}),
    ...(typeof md5Hash === 'string' ? { md5: md5Hash } : {}),
  };
}

/** The writer's own metadata. S3 has its names in lower case, and two that differ by nothing else would be one. */
function readCustom(value: JsonValue): Result<Readonly<Record<string, string>>, GcsError> {
  if (!isJsonObject(value)) return invalid('metadata', 'not an object');
  const metadata = new Map<string, string>();
  let size = 0;
  for (const [name, text] of Object.entries(value)) {
    if (text === null) continue;
    const isGood = typeof text === 'string' && PRINTABLE_ASCII.test(text) && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);
    if (!isGood || metadata.has(name.toLowerCase()))
      return invalid('metadata', 'not a name and a text of printable ASCII');
    metadata.set(name.toLowerCase(), text);
    size += name.length + text.length;
  }
  return size <= MAX_CUSTOM_BYTES ? ok(Object.fromEntries(metadata)) : invalid('metadata', 'more than 2048 bytes');
}
