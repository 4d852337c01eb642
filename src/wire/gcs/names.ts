// Names of buckets and objects, in paths, queries and bodies. It normalises nothing: what two readers could take for two names is
// one name here, byte for byte, or none.
import { ok, type Result } from '../../base/core/result.ts';
import { type GcsError, invalid } from './errors.ts';

/** Google's bound on a name, in bytes of UTF-8. */
const MAX_NAME_BYTES = 1024;

/** Google's rules for buckets, without the dots of domain-named ones: no gateway has such a bucket. */
export const isBucketName = (name: string): boolean => /^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$/.test(name);

/**
 * An object's name (Cloud Storage, "Object naming guidelines"), as decoded from wherever it stood. Errors: `invalid` for names of
 * no or more than 1024 bytes, NUL, line breaks, `.` and `..`, and what is not well-formed Unicode.
 */
export function readObjectName(name: string): Result<string, GcsError> {
  const isGood =
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    !/[\0\r\n]/.test(name) &&
    name.isWellFormed() &&
    Buffer.byteLength(name) <= MAX_NAME_BYTES;
  return isGood ? ok(name) : invalid('name', 'not the name of an object');
}

/** Percent-decoding, once, where `+` is a plus; undefined for broken escapes and for anything but shortest-form UTF-8. */
export function decodeOnce(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
