// Names in request paths: `/<account>/<container>/<blob>`, as clients write them for servers that are no Azure. It normalises
// nothing: what two readers could take for two names is one name here, byte for byte, or none.
import { ok, type Result } from '../../base/core/result.ts';
import type { BlobName } from './call.ts';
import { type BlobError, refuse } from './errors.ts';

/** The store's bound on a key, in bytes of UTF-8; Azure's is 1024 characters. */
const MAX_BLOB_BYTES = 1024;
/** A blob with every byte escaped, the longest account and container, three slashes. More is refused unread. */
const MAX_PATH_CHARS = 3 * MAX_BLOB_BYTES + 24 + 63 + 3;

/** What a path names. */
export type Target =
  | { readonly kind: 'account' }
  | { readonly kind: 'container'; readonly container: string }
  | ({ readonly kind: 'blob' } & BlobName);

/** Azure's form, without `$root` and its like, which mean something else than a container. */
const CONTAINER = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

/**
 * The target of a raw path. The first segment is the account, compared as it is, the second the container, everything after
 * its slash the blob, decoded once: dot segments, double slashes and encoded ones are bytes like others. Errors: InvalidUri
 * (not an absolute path of visible ASCII, another account, broken escapes or UTF-8, `#`, NUL, a name too long),
 * InvalidResourceName.
 */
export function readTarget(path: string, account: string): Result<Target, BlobError> {
  if (path.length > MAX_PATH_CHARS || !/^\/[\x21-\x7e]*$/.test(path) || path.includes('#')) return refuse('InvalidUri');
  if (path !== `/${account}` && !path.startsWith(`/${account}/`)) return refuse('InvalidUri');
  const rest = path.slice(account.length + 2);
  if (rest === '') return ok({ kind: 'account' });
  const slash = rest.indexOf('/');
  const container = slash === -1 ? rest : rest.slice(0, slash);
  if (!CONTAINER.test(container)) return refuse('InvalidResourceName');
  if (slash === -1) return ok({ kind: 'container', container });
  const blob = decodeOnce(rest.slice(slash + 1));
  // An empty name is no blob, and not the container either: nothing here has two spellings.
  if (blob === undefined || blob === '' || blob.includes('\0')) return refuse('InvalidUri');
  return isTooLong(blob) ? refuse('InvalidUri') : ok({ kind: 'blob', container, blob });
}

/** Whether a name, or the prefix of one, is beyond the bound. */
export const isTooLong = (blob: string): boolean => Buffer.byteLength(blob) > MAX_BLOB_BYTES;

/** Percent-decoding, once; undefined for broken escapes and for anything but shortest-form UTF-8. */
function decodeOnce(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
