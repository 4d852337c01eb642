// The canonical request and the string to sign (AWS, "Create a signed AWS API request", steps 1 to 3).
import { hash } from 'node:crypto';
import { ok, type Result } from '../core/result.ts';
import { canonicalPath, type EscapedSlash, type PathEncoding } from './path.ts';
import { refused, type SigV4Failure } from './problem.ts';
import { canonicalQuery, parseQuery } from './query.ts';
import type { SignableRequest } from './request.ts';
import { type CredentialScope, scopeText } from './scope.ts';

/** The one algorithm served here. */
export const ALGORITHM = 'AWS4-HMAC-SHA256';

export interface CanonicalOptions {
  /** Lower case, sorted, distinct; each is in the request. */
  readonly signedHeaders: readonly string[];
  /** The last line: a hash of the body in hexadecimal, or a word such as UNSIGNED-PAYLOAD. */
  readonly payloadHash: string;
  readonly pathEncoding: PathEncoding;
  /** `slash` when absent. */
  readonly escapedSlash?: EscapedSlash;
}

/** What a header value may hold (RFC 9110 §5.5): no line breaks, and characters that stand for bytes. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * The canonical request, a character for each byte (latin1). Only the headers of `signedHeaders` are in it.
 * Fails with `path_malformed`, `query_malformed`, `signed_header_absent`, `header_malformed`.
 */
export function canonicalRequest(request: SignableRequest, options: CanonicalOptions): Result<string, SigV4Failure> {
  const path = canonicalPath(request.path, options.pathEncoding, options.escapedSlash);
  if (!path.ok) return path;
  const parameters = parseQuery(request.query);
  if (!parameters.ok) return parameters;
  const headers = canonicalHeaders(request.headers, options.signedHeaders);
  if (!headers.ok) return headers;
  const query = canonicalQuery(parameters.value);
  const names = options.signedHeaders.join(';');
  return ok(`${request.method}\n${path.value}\n${query}\n${headers.value}\n${names}\n${options.payloadHash}`);
}

/** The text that is signed. `canonical` is a canonical request, latin1. */
export const stringToSign = (amzDate: string, scope: CredentialScope, canonical: string): string =>
  `${ALGORITHM}\n${amzDate}\n${scopeText(scope)}\n${hash('sha256', Buffer.from(canonical, 'latin1'), 'hex')}`;

function canonicalHeaders(
  headers: SignableRequest['headers'],
  signedHeaders: readonly string[],
): Result<string, SigV4Failure> {
  let text = '';
  for (const name of signedHeaders) {
    const values = headers.get(name);
    if (values === undefined) return refused('signed_header_absent', `the signed header ${name} is absent`, name);
    if (!values.every((value) => FIELD_VALUE.test(value))) {
      return refused('header_malformed', `the header ${name} has a character that no header may have`, name);
    }
    text += `${name}:${values.map(trimAll).join(',')}\n`;
  }
  return ok(text);
}

/** One space for each run of them, and none at the ends. Other white space stays as it was sent. Time is linear. */
function trimAll(value: string): string {
  if (!value.includes(' ')) return value;
  const single = value.replace(/ {2,}/g, ' ');
  return single.slice(single.startsWith(' ') ? 1 : 0, single.endsWith(' ') ? -1 : undefined);
}
