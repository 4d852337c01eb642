// What AWS STS answers to a signature that it does not take. The texts are the protocol's; what was sent is never repeated.
import { type Failure, failure, type Reason } from '../../base/core/reasons.ts';
import type { SigV4Failure, SigV4Problem } from '../../base/sigv4/problem.ts';
import { type AwsCode, type AwsFault, type AwsRefusal, awsFault } from './fault.ts';

/** Reason for the operator, code, text, and a status where AWS gives the code another one than its usual. */
type Row = readonly [Reason, AwsCode, string, (number | undefined)?];

const UNSIGNED: Row = ['credential_missing', 'MissingAuthenticationToken', 'Request is missing Authentication Token'];
const incomplete = (text: string): Row => ['signature_malformed', 'IncompleteSignature', text];
const mismatch = (text: string, status?: number): Row => ['signature_invalid', 'SignatureDoesNotMatch', text, status];

const NONCONFORMING = incomplete('The request signature does not conform to AWS standards.');
const NOT_MATCHING = mismatch(
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
);

/** Every problem has its row, so a new one cannot be forgotten. */
const ROWS: Readonly<Record<SigV4Problem, Row>> = {
  auth_missing: UNSIGNED,
  scheme_unknown: UNSIGNED,
  unsupported_version: incomplete('AWS Signature Version 2 is not supported.'),
  unsupported_algorithm: incomplete('Only AWS4-HMAC-SHA256 is supported.'),
  query_auth_mixed: NONCONFORMING,
  duplicated: NONCONFORMING,
  component_malformed: NONCONFORMING,
  component_missing: incomplete('Authorization header requires Credential, SignedHeaders, and Signature.'),
  credential_malformed: incomplete(
    'Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term',
  ),
  scope_terminal: mismatch("Credential should be scoped with a valid terminator: 'aws4_request'."),
  scope_service: mismatch("Credential should be scoped to correct service: 'sts'.", 400),
  scope_region: mismatch('Credential should be scoped to a valid region. '),
  scope_date: mismatch(
    'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.',
    400,
  ),
  date_missing: incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."),
  date_malformed: incomplete("Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601"),
  // The code, not one for clocks alone: it makes clients of AWS set their clock by the answer's Date and try again.
  clock_skewed: [
    'clock_skewed',
    'SignatureDoesNotMatch',
    'Signature expired or not yet current: its time is more than 15 minutes away from the time here.',
  ],
  presign_lifetime: NONCONFORMING,
  presign_expired: ['clock_skewed', 'SignatureDoesNotMatch', 'Signature expired.'],
  signed_headers_malformed: NONCONFORMING,
  signed_header_absent: NOT_MATCHING,
  host_unsigned: mismatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."),
  headers_unsigned: mismatch('There were headers present in the request which were not signed.'),
  signature_malformed: NOT_MATCHING,
  signature_mismatch: NOT_MATCHING,
  path_malformed: NONCONFORMING,
  query_malformed: NONCONFORMING,
  header_malformed: NONCONFORMING,
};

/** The refusal of a request for its signature. */
export function signatureRefusal({ detail, problem }: SigV4Failure): AwsRefusal {
  const [reason, code, text, status] = ROWS[problem];
  return { fault: awsFault(code, text, status), failure: failure(reason, detail), isOpen: false };
}

/**
 * The refusal of the session that a signature is made with. Past its expiry or ended, it was one of ours once, and a client may
 * get a new one; every other token is nobody's, whatever is wrong with it.
 */
export function sessionRefusal(refused: Failure): AwsRefusal {
  const isOver = refused.reason === 'session_expired' || refused.reason === 'session_ended';
  const fault: AwsFault = isOver
    ? awsFault('ExpiredToken', 'The security token included in the request is expired')
    : awsFault('InvalidClientTokenId', 'The security token included in the request is invalid.');
  return { fault, failure: refused, isOpen: false };
}
