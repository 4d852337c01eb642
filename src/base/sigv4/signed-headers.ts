// Which headers a signature covers, and which it must cover.
import { ok, type Result } from '../core/result.ts';
import { refused, type SigV4Failure } from './problem.ts';
import type { SignableRequest } from './request.ts';

/** RFC 9110 §5.6.2, lower case. */
const HEADER_NAME = /^[a-z0-9!#$%&'*+\-.^_`|~]+$/;

/** Reads `SignedHeaders`: lower-case names, sorted and distinct. Fails with `signed_headers_malformed`. */
export function parseSignedHeaders(text: string): Result<readonly string[], SigV4Failure> {
  const names = text.split(';');
  let previous = '';
  for (const name of names) {
    if (!HEADER_NAME.test(name) || name <= previous) {
      return refused('signed_headers_malformed', 'SignedHeaders is not a sorted list of lower-case names', text);
    }
    previous = name;
  }
  return ok(names);
}

/**
 * What must be signed beside the host. Every `x-amz-*` header of the request, since each may change what it does. STS:
 * those two that it reads; whatever else is there, AWS's STS ignores and so does ours.
 */
const mustBeSigned = (name: string, service: string): boolean =>
  service === 'sts' ? name === 'x-amz-date' || name === 'x-amz-security-token' : name.startsWith('x-amz-');

/**
 * Checks that `signed` covers the host and whatever must be covered, that each of them is in the request, and that
 * neither the host nor an `x-amz-*` header is there twice: two readers could each take another of the values.
 * Fails with `duplicated`, `host_unsigned`, `headers_unsigned`, `signed_header_absent`.
 */
export function checkSignedHeaders(
  signed: readonly string[],
  headers: SignableRequest['headers'],
  service: string,
): Result<null, SigV4Failure> {
  const covered = new Set(signed);
  const unsigned: string[] = [];
  for (const [name, values] of headers) {
    if (values.length !== 1 && (name === 'host' || name.startsWith('x-amz-'))) {
      return refused('duplicated', `the header ${name} is there ${values.length} times`, name);
    }
    if (mustBeSigned(name, service) && !covered.has(name)) unsigned.push(name);
  }
  if (!covered.has('host')) return refused('host_unsigned', 'the host is not signed', 'host');
  if (unsigned.length > 0) {
    const list = unsigned.sort().join(', ');
    return refused('headers_unsigned', `not signed: ${list}`, list);
  }
  const absent = signed.find((name) => !headers.has(name));
  return absent === undefined
    ? ok(null)
    : refused('signed_header_absent', `the signed header ${absent} is absent`, absent);
}
