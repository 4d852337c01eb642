// Names of buckets and objects: in request paths and in x-amz-copy-source. It normalises nothing: what two readers could
// take for two names is one name here, byte for byte, or none.
import { ok, type Result } from '../../base/core/result.ts';
import type { ObjectName } from './call.ts';
import { invalidArgument, refuse, type S3Error } from './errors.ts';

/** AWS's bound on a key, in bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024;
/** A key with every byte escaped, the longest bucket name, two slashes. More is refused unread. */
const MAX_PATH_CHARS = 3 * (MAX_KEY_BYTES + 63) + 2;

/** What a path names. */
export type Target =
  | { readonly kind: 'service' }
  | { readonly kind: 'bucket'; readonly bucket: string }
  | ({ readonly kind: 'object' } & ObjectName);

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const IPV4 = /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/;
/** Reserved for access points, directory buckets and the like: such a name means something else than a bucket. */
const RESERVED_START = /^(?:xn--|sthree-|amzn-s3-demo-)/;
const RESERVED_END = /(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/;

/** AWS's rules for general purpose buckets (Amazon S3 User Guide, "Bucket naming rules"). */
export const isBucketName = (name: string): boolean =>
  BUCKET.test(name) &&
  !name.includes('..') &&
  !IPV4.test(name) &&
  !RESERVED_START.test(name) &&
  !RESERVED_END.test(name);

/**
 * The target of a raw path, path-style only. The first segment is the bucket, everything after its slash the key, decoded once:
 * dot segments, double slashes and encoded ones are bytes like others. Errors: InvalidURI (not an absolute path of visible
 * ASCII, broken escapes or UTF-8, `#`, NUL), InvalidBucketName, KeyTooLongError.
 */
export function readTarget(path: string): Result<Target, S3Error> {
  if (path.length > MAX_PATH_CHARS) return refuse('KeyTooLongError');
  if (!/^\/[\x21-\x7e]*$/.test(path) || path.includes('#')) return refuse('InvalidURI');
  if (path === '/') return ok({ kind: 'service' });
  const slash = path.indexOf('/', 1);
  const bucket = path.slice(1, slash === -1 ? undefined : slash);
  if (!isBucketName(bucket)) return refuse('InvalidBucketName', undefined, [['BucketName', bucket]]);
  if (slash === -1 || slash === path.length - 1) return ok({ kind: 'bucket', bucket });
  const key = decodeOnce(path.slice(slash + 1));
  if (key === undefined || key.includes('\0')) return refuse('InvalidURI');
  return isKeyTooLong(key) ? refuse('KeyTooLongError') : ok({ kind: 'object', bucket, key });
}

/** Whether a key is beyond AWS's bound. */
export const isKeyTooLong = (key: string): boolean => Buffer.byteLength(key) > MAX_KEY_BYTES;

/** Percent-decoding, once; undefined for broken escapes and for anything but shortest-form UTF-8. */
function decodeOnce(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const COPY_SOURCE = 'x-amz-copy-source';

/**
 * The object named by `x-amz-copy-source`: `bucket/key` with or without a leading slash, percent-encoded. A `+` is refused,
 * because some writers mean a space by it. Errors: InvalidArgument; NotImplemented for `?versionId=`.
 */
export function readCopySource(value: string): Result<ObjectName, S3Error> {
  const refused = (message: string): Result<never, S3Error> => invalidArgument(COPY_SOURCE, value, message);
  if (/\?versionId=/.test(value))
    return refuse('NotImplemented', 'Versions are not implemented', [['Header', COPY_SOURCE]]);
  if (value.length > MAX_PATH_CHARS || !/^[\x21-\x7e]+$/.test(value) || /[+?#]/.test(value)) {
    return refused('Invalid copy source encoding');
  }
  const decoded = decodeOnce(value.startsWith('/') ? value.slice(1) : value);
  if (decoded === undefined) return refused('Invalid copy source encoding');
  const slash = decoded.indexOf('/');
  if (slash === -1) return refused('Copy Source must mention the source bucket and key: sourcebucket/sourcekey');
  const bucket = decoded.slice(0, slash);
  const key = decoded.slice(slash + 1);
  if (!isBucketName(bucket)) return refused('Invalid copy source bucket name');
  if (key === '' || key.includes('\0') || isKeyTooLong(key)) return refused('Invalid copy source object key');
  return ok({ bucket, key });
}
