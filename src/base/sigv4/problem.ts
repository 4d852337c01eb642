// Why a signed request is refused, as data. A protocol's codes and texts for it are the business of wire/.
import { type Err, err } from '../core/result.ts';
import type { Secret } from '../core/secret.ts';

/** Every problem of a signature, and what it means. One problem per check, so that each wire can give the exact answer. */
export const SIGV4_PROBLEMS = {
  auth_missing: 'the request carries no signature, neither in a header nor in the query',
  scheme_unknown: 'the Authorization header is of no AWS signature scheme',
  unsupported_version: 'Signature Version 2',
  unsupported_algorithm: 'a Version 4 algorithm other than AWS4-HMAC-SHA256 (SigV4A among them)',
  query_auth_mixed: 'parts of the header form and of the query form in one request',
  duplicated: 'a part of the authentication, the host or an x-amz-* header is there more than once',
  component_malformed:
    'a component of the Authorization header, or a parameter of the query form, is not what it must be',
  component_missing: 'a component of the Authorization header, or a parameter of the query form, is absent',
  credential_malformed: 'the credential is not keyid/date/region/service/term',
  scope_terminal: 'the credential scope does not end in aws4_request',
  scope_service: 'the credential scope is for another service',
  scope_region: 'the credential scope is for another region',
  scope_date: 'the date of the credential scope is not the day of X-Amz-Date',
  date_missing: 'X-Amz-Date is absent',
  date_malformed: 'X-Amz-Date is not a moment as YYYYMMDDTHHMMSSZ',
  clock_skewed: 'X-Amz-Date is more than 15 minutes away; for a presigned request: in the future',
  presign_lifetime: 'X-Amz-Expires is not a whole number of seconds from 1 to 604800',
  presign_expired: 'the presigned request is past its expiry',
  signed_headers_malformed: 'SignedHeaders is not a sorted list of distinct lower-case header names',
  signed_header_absent: 'a header of SignedHeaders is not in the request',
  host_unsigned: 'the host is not among the signed headers',
  headers_unsigned: 'a header that must be signed is not',
  signature_malformed: 'the signature is not 64 lower-case hexadecimal digits',
  signature_mismatch: 'the signature is another than the one of this request by this key',
  path_malformed: 'the path has a broken or lower-case percent escape, or a character that no request line may have',
  query_malformed: 'the query has such an escape or character, or a parameter without a name',
  header_malformed: 'the value of a signed header has a character that no header may have',
} as const;

export type SigV4Problem = keyof typeof SIGV4_PROBLEMS;

/** A refused signature. `detail` holds no secret and no token. */
export interface SigV4Failure {
  readonly problem: SigV4Problem;
  /** For the operator. */
  readonly detail: string;
  /** The part at fault, as sent, or its name when it is absent; several names are joined by ", ". Never a signature or token. */
  readonly component?: string;
  /** Of a mismatch: what we signed. A secret because it repeats the session token; it may be told to its sender only. */
  readonly canonicalRequest?: Secret;
  /** Of a mismatch: the text over which we made our signature. */
  readonly stringToSign?: string;
}

/** Shorthand for a refusal. `component` is absent when no single part is at fault, or when the part must not be repeated. */
export const refused = (problem: SigV4Problem, detail: string, component?: string): Err<SigV4Failure> =>
  err(component === undefined ? { problem, detail } : { problem, detail, component });
