// What a caller is told of a refused signature, in S3's words, which differ between the header and the query form.
import type { SigV4Failure, SigV4Problem } from '../../base/sigv4/problem.ts';
import type { S3Request } from './call.ts';
import { type S3Error, type S3ErrorCode, s3Error } from './errors.ts';

/** What the answer tells beside the failure. */
export interface SignatureContext {
  readonly request: S3Request;
  /** The one that signatures are for here. */
  readonly region: string;
  /** The gateway's clock, epoch seconds. */
  readonly nowSeconds: number;
}

type Elements = S3Error['elements'];

const WANTED_CREDENTIAL = 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".';
const UNSUPPORTED = 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.';
const NO_DATE = 'AWS authentication requires a valid Date or x-amz-date header';
const INCOMPLETE_QUERY =
  'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.';
const MIXED =
  'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified';
const MAX_SKEW_MS = '900000';

/** The answer to a signature that was refused. It repeats what was sent, never a key, a token or what we would have signed with one. */
export function refuseSignature(failure: SigV4Failure, context: SignatureContext): S3Error {
  const { problem } = failure;
  const mapped = MAPPING[problem];
  if (typeof mapped !== 'function') return s3Error(...mapped);
  return mapped({ failure, context, isQuery: !context.request.headers.has('authorization') });
}

interface Refused {
  readonly failure: SigV4Failure;
  readonly context: SignatureContext;
  readonly isQuery: boolean;
}

type Mapped = readonly [S3ErrorCode, string?] | ((refused: Refused) => S3Error);

/** A part of the authentication that is not as it must be, in the words of the form that was used. */
const malformed =
  (text: string | ((refused: Refused) => string), elements: (refused: Refused) => Elements = () => []) =>
  (refused: Refused): S3Error => {
    const told = typeof text === 'string' ? text : text(refused);
    return refused.isQuery
      ? s3Error(
          'AuthorizationQueryParametersError',
          `Error parsing the X-Amz-Credential parameter; ${told}`,
          elements(refused),
        )
      : s3Error('AuthorizationHeaderMalformed', `The authorization header is malformed; ${told}`, elements(refused));
  };

/** One answer for the header form, one for the query form. */
const byForm =
  (header: readonly [S3ErrorCode, string?], query: readonly [S3ErrorCode, string?]) =>
  ({ isQuery }: Refused): S3Error =>
    s3Error(...(isQuery ? query : header));

const sent = ({ failure }: Refused): string => JSON.stringify(failure.component ?? '');

const unsigned = ({ failure }: Refused): S3Error =>
  s3Error('AccessDenied', 'There were headers present in the request which were not signed', [
    ['HeadersNotSigned', failure.component ?? 'host'],
  ]);

const MAPPING: Readonly<Record<SigV4Problem, Mapped>> = {
  auth_missing: ['AccessDenied'],
  scheme_unknown: ['InvalidArgument', 'Unsupported Authorization Type'],
  unsupported_version: ['InvalidRequest', UNSUPPORTED],
  unsupported_algorithm: byForm(
    ['InvalidRequest', UNSUPPORTED],
    ['AuthorizationQueryParametersError', 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"'],
  ),
  query_auth_mixed: ['InvalidArgument', MIXED],
  duplicated: ({ failure }) =>
    s3Error(
      'InvalidRequest',
      `${JSON.stringify(failure.component ?? 'A part of the authentication')} is there more than once`,
    ),
  component_malformed: byForm(
    ['AuthorizationHeaderMalformed', 'The authorization header is malformed; an authorization component is malformed.'],
    ['AuthorizationQueryParametersError', 'An authorization query parameter is malformed.'],
  ),
  component_missing: byForm(
    [
      'AuthorizationHeaderMalformed',
      'The authorization header is malformed; the authorization header requires three components: Credential, SignedHeaders, and Signature.',
    ],
    ['AuthorizationQueryParametersError', INCOMPLETE_QUERY],
  ),
  credential_malformed: malformed(WANTED_CREDENTIAL),
  scope_terminal: malformed((refused) => `incorrect terminal ${sent(refused)}. This endpoint uses "aws4_request".`),
  scope_service: malformed((refused) => `incorrect service ${sent(refused)}. This endpoint belongs to "s3".`),
  scope_region: malformed(
    (refused) => `the region ${sent(refused)} is wrong; expecting ${JSON.stringify(refused.context.region)}`,
    ({ context }) => [['Region', context.region]],
  ),
  scope_date: malformed(
    (refused) => `Invalid credential date ${sent(refused)}. This date is not the same as X-Amz-Date.`,
  ),
  date_missing: byForm(['AccessDenied', NO_DATE], ['AuthorizationQueryParametersError', INCOMPLETE_QUERY]),
  date_malformed: byForm(
    ['AccessDenied', NO_DATE],
    ['AuthorizationQueryParametersError', "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""],
  ),
  clock_skewed: refuseSkewed,
  presign_lifetime: ({ failure }) =>
    s3Error('AuthorizationQueryParametersError', lifetimeMessage(failure.component ?? '')),
  presign_expired: ({ context }) =>
    s3Error('AccessDenied', 'Request has expired', [['ServerTime', isoSeconds(context.nowSeconds)]]),
  signed_headers_malformed: malformed('SignedHeaders is not a sorted list of distinct header names.'),
  signed_header_absent: ['SignatureDoesNotMatch'],
  host_unsigned: unsigned,
  headers_unsigned: unsigned,
  signature_malformed: ['SignatureDoesNotMatch'],
  signature_mismatch: ({ failure }) =>
    s3Error(
      'SignatureDoesNotMatch',
      undefined,
      failure.stringToSign === undefined ? [] : [['StringToSign', failure.stringToSign]],
    ),
  path_malformed: ['InvalidURI'],
  query_malformed: ['InvalidURI'],
  header_malformed: ['InvalidRequest', 'A signed header has a character that no header may have'],
};

/** The JavaScript SDK repairs its clock by this answer's code and Date header, and tries again. */
function refuseSkewed({ failure, context, isQuery }: Refused): S3Error {
  // Only a time in the future is skewed in the query form; the past there is a matter of X-Amz-Expires.
  if (isQuery) return s3Error('AccessDenied', 'Request is not valid yet');
  return s3Error('RequestTimeTooSkewed', undefined, [
    ['RequestTime', failure.component ?? ''],
    ['ServerTime', isoSeconds(context.nowSeconds)],
    ['MaxAllowedSkewMilliseconds', MAX_SKEW_MS],
  ]);
}

function lifetimeMessage(text: string): string {
  if (!/^-?[0-9]+$/.test(text)) return 'X-Amz-Expires should be a number';
  return Number(text) > 0
    ? 'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds'
    : 'X-Amz-Expires must be non-negative';
}

const isoSeconds = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
