// The query string of a request, decoded strictly. Whether a name may stand twice is the route's business.
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import { decodePairs } from './urlencoded.ts';

/** Longer than any job's request URL with a 255-character audience, every byte escaped. */
export const MAX_QUERY_CHARS = 4096;

/**
 * The values of each name, in order. `raw` stands without the leading `?`. `+` is a space, as every URL library writes
 * it. Characters that a client should have escaped are taken as they are (cosign does not escape its audience), but
 * only printable ASCII: anything else is `request_malformed`, as are broken escapes and more than MAX_QUERY_CHARS
 * characters.
 */
export function parseQuery(raw: string): Result<ReadonlyMap<string, readonly string[]>, Failure> {
  if (raw.length > MAX_QUERY_CHARS) return err(failure('request_malformed', 'the query string is too long'));
  if (!/^[\x21-\x7e]*$/.test(raw)) {
    return err(failure('request_malformed', 'the query string holds a character that must be escaped'));
  }
  const pairs = decodePairs(new TextEncoder().encode(raw));
  if (!pairs.ok) return pairs;
  const query = new Map<string, string[]>();
  for (const { name, value } of pairs.value) {
    const values = query.get(name);
    if (values === undefined) query.set(name, [value]);
    else values.push(value);
  }
  return ok(query);
}
