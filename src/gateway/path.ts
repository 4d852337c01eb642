// Reads a request target so that it can be understood in one way only. It decides nothing and rewrites nothing: what is
// accepted here is forwarded byte for byte, so every spelling that two readers could take for two paths is refused.
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import { parseQuery } from '../wire/query.ts';

/** Longer paths are refused; Linux itself takes no path name beyond 4096 bytes. */
export const MAX_PATH_CHARS = 4096;

/** A request target that every reader understands alike. */
export interface Target {
  /** The bytes to forward: path and query exactly as they came. */
  readonly raw: string;
  /** The raw path, percent escapes and all. */
  readonly path: string;
  /** The raw query without `?`; empty when there is none. */
  readonly query: string;
  /** The path decoded once, without its leading slash: the tail of the resource name that policies speak of. */
  readonly pathForPolicy: string;
}

/** RFC 3986 §3.3 `pchar` and `/`, without `;`: some servers cut path parameters off before they route, others do not. */
const RAW_PATH = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,=:@/]|%[0-9A-Fa-f]{2})*$/;
/** Decoded characters with a meaning of their own in a URL or a file name, and both ranges of control characters. */
const AMBIGUOUS_DECODED = /[\\;?#\u0000-\u001f\u007f-\u009f]/;
/** What would change if somebody behind us decoded a second time. */
const ESCAPE = /%[0-9A-Fa-f]{2}/;
/** `.`, `..` and what some file systems take for them (dots and spaces alone); outer spaces, which many readers trim. */
const AMBIGUOUS_SEGMENT = /^\.[. ]*$|^ | $/;

/**
 * The target in `rawUrl`, the request line's own text. Refused with `path_refused`: anything but origin-form (RFC 9112 §3.2.1),
 * characters that a URL does not hold, broken escapes and UTF-8, `//`, dot segments in any spelling, segments with outer spaces, encoded `/ \ ; ? #`,
 * control characters, double encoding, a fragment, and a `_method` parameter in the query (some frameworks let it replace the
 * method). A query that cannot be decoded strictly is `request_malformed`. The detail quotes nothing of the target.
 */
export function readTarget(rawUrl: string): Result<Target, Failure> {
  const split = rawUrl.indexOf('?');
  const path = split === -1 ? rawUrl : rawUrl.slice(0, split);
  const query = split === -1 ? '' : rawUrl.slice(split + 1);
  const decoded = readPath(path);
  if (!decoded.ok) return decoded;
  const refusal = refuseQuery(query);
  if (refusal !== undefined) return err(refusal);
  return ok({ raw: rawUrl, path, query, pathForPolicy: decoded.value.slice(1) });
}

function readPath(path: string): Result<string, Failure> {
  if (path.length > MAX_PATH_CHARS) return refused('the path is too long');
  if (!RAW_PATH.test(path)) return refused('the target is not an absolute path of plain URL characters');
  // Before decoding: an encoded slash would join or split segments depending on who decodes first.
  if (/%2f/i.test(path)) return refused('the path has an encoded slash');
  const decoded = decodeOnce(path);
  if (decoded === undefined) return refused('the path is not UTF-8');
  if (AMBIGUOUS_DECODED.test(decoded)) return refused('the path has an encoded delimiter or control character');
  if (ESCAPE.test(decoded)) return refused('the path is encoded twice');
  if (decoded.includes('//')) return refused('the path has an empty segment');
  if (decoded.split('/').some((segment) => AMBIGUOUS_SEGMENT.test(segment))) {
    return refused('the path has a dot segment or one with outer spaces');
  }
  return ok(decoded);
}

function decodeOnce(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function refuseQuery(query: string): Failure | undefined {
  if (query.includes('#')) return failure('path_refused', 'the target has a fragment');
  const parsed = parseQuery(query);
  if (!parsed.ok) return parsed.error;
  const names = [...parsed.value.keys()].map((name) => name.toLowerCase());
  return names.includes('_method')
    ? failure('path_refused', 'the query has a _method parameter, which could replace the method')
    : undefined;
}

const refused = (detail: string) => err(failure('path_refused', detail));
