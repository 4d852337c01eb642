// The catalogue of S3 errors: codes, statuses and messages as AWS documents them. What led to one is in refusals.ts.
import { err, type Result } from '../../base/core/result.ts';

/** Status and usual message of each code (Amazon S3 API Reference, "Error responses"). */
const CATALOGUE = {
  AccessControlListNotSupported: [400, 'The bucket does not allow ACLs'],
  AccessDenied: [403, 'Access Denied'],
  AuthorizationHeaderMalformed: [400, 'The authorization header that you provided is not valid.'],
  AuthorizationQueryParametersError: [400, 'The authorization query parameters that you provided are not valid.'],
  BadDigest: [400, 'The Content-MD5 you specified did not match what we received.'],
  ConditionalRequestConflict: [
    409,
    'A conflicting conditional operation is currently in progress against this resource. Please try again.',
  ],
  EntityTooLarge: [400, 'Your proposed upload exceeds the maximum allowed size'],
  EntityTooSmall: [400, 'Your proposed upload is smaller than the minimum allowed size'],
  ExpiredToken: [400, 'The provided token has expired.'],
  IncompleteBody: [400, 'The request body terminated unexpectedly'],
  InternalError: [500, 'We encountered an internal error. Please try again.'],
  InvalidAccessKeyId: [403, 'The AWS Access Key Id you provided does not exist in our records.'],
  InvalidArgument: [400, 'Invalid Argument'],
  InvalidBucketName: [400, 'The specified bucket is not valid.'],
  InvalidDigest: [400, 'The Content-MD5 you specified was invalid.'],
  InvalidPart: [
    400,
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
  ],
  InvalidPartOrder: [400, 'The list of parts was not in ascending order. Parts must be ordered by part number.'],
  InvalidRange: [416, 'The requested range is not satisfiable'],
  InvalidRequest: [400, 'Invalid Request'],
  InvalidToken: [400, 'The provided token is malformed or otherwise invalid.'],
  InvalidURI: [400, "Couldn't parse the specified URI."],
  KeyTooLongError: [400, 'Your key is too long'],
  MalformedTrailerError: [
    400,
    'The request contained trailing data that was not well-formed or did not conform to our published schema.',
  ],
  MalformedXML: [400, 'The XML you provided was not well-formed or did not validate against our published schema'],
  MaxMessageLengthExceeded: [400, 'Your request was too big.'],
  MetadataTooLarge: [400, 'Your metadata headers exceed the maximum allowed metadata size'],
  MissingContentLength: [411, 'You must provide the Content-Length HTTP header.'],
  MissingSecurityHeader: [400, 'Your request was missing a required header'],
  NoSuchBucket: [404, 'The specified bucket does not exist'],
  NoSuchKey: [404, 'The specified key does not exist.'],
  NoSuchUpload: [
    404,
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
  ],
  NotImplemented: [501, 'A header you provided implies functionality that is not implemented'],
  NotModified: [304, 'Not Modified'],
  PreconditionFailed: [412, 'At least one of the pre-conditions you specified did not hold'],
  QuotaExceeded: [403, 'The quota of the bucket is used up'],
  RequestHeaderSectionTooLarge: [
    400,
    'Your request header and query parameters used to make the request exceed the maximum allowed size.',
  ],
  RequestTimeTooSkewed: [403, 'The difference between the request time and the current time is too large.'],
  RequestTimeout: [
    400,
    'Your socket connection to the server was not read from or written to within the timeout period.',
  ],
  ServiceUnavailable: [503, 'Please reduce your request rate.'],
  SignatureDoesNotMatch: [
    403,
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  ],
  SlowDown: [503, 'Please reduce your request rate.'],
  UnexpectedContent: [400, 'This request does not support content'],
  XAmzContentSHA256Mismatch: [400, "The provided 'x-amz-content-sha256' header does not match what was computed."],
} as const satisfies Record<string, readonly [number, string]>;

export type S3ErrorCode = keyof typeof CATALOGUE;

/** An answer that is no. Nothing in it is secret: callers read all of it. */
export interface S3Error {
  readonly code: S3ErrorCode;
  readonly status: number;
  readonly message: string;
  /** Further elements of the answer, in order, such as `ArgumentName`; values are the caller's own. */
  readonly elements: readonly (readonly [name: string, value: string])[];
  /** After this many seconds the same request may succeed. */
  readonly retryAfterSeconds?: number;
}

/** The error of `code`, with its usual message unless another is given. */
export function s3Error(
  code: S3ErrorCode,
  message: string = CATALOGUE[code][1],
  elements: S3Error['elements'] = [],
): S3Error {
  return { code, status: CATALOGUE[code][0], message, elements };
}

/** `s3Error` as a failed result. */
export const refuse = (code: S3ErrorCode, message?: string, elements?: S3Error['elements']): Result<never, S3Error> =>
  err(s3Error(code, message, elements));

/** `InvalidArgument` with the name and the value that AWS repeats. */
export const invalidArgument = (name: string, value: string, message: string): Result<never, S3Error> =>
  refuse('InvalidArgument', message, [
    ['ArgumentName', name],
    ['ArgumentValue', value],
  ]);

/** `NotImplemented` that names the header which asks for too much. */
export const headerNotImplemented = (name: string): Result<never, S3Error> =>
  refuse('NotImplemented', undefined, [['Header', name]]);

/** `NotImplemented` for a query parameter: AWS has no element for those, so the message names it. */
export const parameterNotImplemented = (name: string): Result<never, S3Error> =>
  refuse('NotImplemented', `The query parameter ${JSON.stringify(name.slice(0, 64))} is not implemented here`);
