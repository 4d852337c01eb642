// The canonical path of a request, by the two rules that AWS's services follow. It routes nothing.
import { ok, type Result } from '../core/result.ts';
import { encode, recode } from './percent.ts';
import { refused, type SigV4Failure } from './problem.ts';

/**
 * How a service's canonical path is made (AWS, "Create a canonical request").
 * - `single`: S3. Decoded once and encoded once; dot segments and empty segments stay, since keys may hold them.
 * - `double`: every other service. Dot segments and empty segments removed (RFC 3986 §6.2.2.3), then the path is encoded
 *   as it was sent, so that its escapes are encoded a second time.
 */
export type PathEncoding = 'single' | 'double';

/**
 * What a `%2F` of the wire is in a `single` path. `slash`: the "/" of the decoded key, as aws4 and S3-compatible servers
 * have it. `escape`: kept, as the AWS SDKs and botocore sign it. Both stand for the same key.
 */
export type EscapedSlash = 'slash' | 'escape';

/** The canonical form of a raw path. Fails with `path_malformed`. */
export function canonicalPath(
  path: string,
  encoding: PathEncoding,
  escapedSlash: EscapedSlash = 'slash',
): Result<string, SigV4Failure> {
  if (path === '/') return ok('/');
  if (!path.startsWith('/')) return refused('path_malformed', 'the path does not begin with "/"');
  const segments = encoding === 'single' ? path.split('/') : withoutDots(path);
  const spelled: string[] = [];
  for (const segment of segments) {
    const one = encoding === 'single' ? recode(segment) : encode(segment);
    if (one === undefined) {
      return refused('path_malformed', 'the path has a broken or lower-case escape, or a character it may not have');
    }
    spelled.push(one);
  }
  const joined = spelled.join('/');
  return ok(encoding === 'single' && escapedSlash === 'slash' ? joined.replaceAll('%2F', '/') : joined);
}

/** Whether the two readings of an escaped slash give two canonical paths. */
export const hasEscapedSlash = (path: string): boolean => path.includes('%2F');

/** The segments of a path, the first one empty; a final "/" stays. As the AWS SDKs do it, `/a/..` and `/a/.` end in none. */
function withoutDots(path: string): readonly string[] {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  return kept.length === 0 || path.endsWith('/') ? ['', ...kept, ''] : ['', ...kept];
}
