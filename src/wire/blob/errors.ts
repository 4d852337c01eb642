// The catalogue of Blob service errors: codes, statuses and messages as Azure documents them. What led to one is in refusals.ts.
import { err, type Result } from '../../base/core/result.ts';

/** Status and usual message of each code ("Status and error codes", "Blob service error codes"). */
const CATALOGUE = {
  AuthorizationPermissionMismatch: [
    403,
    'This request is not authorized to perform this operation using this permission.',
  ],
  BlobAlreadyExists: [409, 'The specified blob already exists.'],
  BlobNotFound: [404, 'The specified blob does not exist.'],
  BlockCountExceedsLimit: [409, 'The number of a block is beyond 9999.'],
  ConditionHeadersNotSupported: [400, 'Condition headers are not supported.'],
  ConditionNotMet: [412, 'The condition specified using HTTP conditional header(s) is not met.'],
  ContainerNotFound: [404, 'The specified container does not exist.'],
  /** Azure has accounts with quotas, not containers: this code is ours. */
  ContainerQuotaExceeded: [403, 'The quota of the container is used up.'],
  Crc64Mismatch: [
    400,
    'The CRC64 value specified in the request did not match with the CRC64 value calculated by the server.',
  ],
  InternalError: [500, 'The server encountered an internal error. Please retry the request.'],
  InvalidAuthenticationInfo: [
    401,
    'Server failed to authenticate the request. Please refer to the information in the www-authenticate header.',
  ],
  InvalidBlockId: [400, 'The specified block ID is invalid.'],
  InvalidBlockList: [400, 'The specified block list is invalid.'],
  InvalidHeaderValue: [400, 'The value for one of the HTTP headers is not in the correct format.'],
  InvalidInput: [400, 'One of the request inputs is not valid.'],
  InvalidMd5: [
    400,
    'The MD5 value specified in the request is invalid. MD5 value must be 128 bits and base64 encoded.',
  ],
  InvalidMetadata: [400, 'The specified metadata is invalid. It includes characters that are not permitted.'],
  InvalidQueryParameterValue: [400, 'Value for one of the query parameters specified in the request URI is invalid.'],
  InvalidRange: [416, 'The range specified is invalid for the current size of the resource.'],
  InvalidResourceName: [400, 'The specified resource name contains invalid characters.'],
  InvalidUri: [400, 'The requested URI does not represent any resource on the server.'],
  InvalidXmlDocument: [400, 'XML specified is not syntactically valid.'],
  KeyBasedAuthenticationNotPermitted: [403, 'Key based authentication is not permitted on this storage account.'],
  Md5Mismatch: [
    400,
    'The MD5 value specified in the request did not match with the MD5 value calculated by the server.',
  ],
  MetadataTooLarge: [400, 'The size of the specified metadata exceeds the maximum size permitted.'],
  MissingContentLengthHeader: [411, 'Content-Length HTTP header is missing.'],
  MissingRequiredHeader: [400, 'An HTTP header that is mandatory for this request is not specified.'],
  NoAuthenticationInformation: [
    401,
    'Server failed to authenticate the request. Please refer to the information in the www-authenticate header.',
  ],
  NotImplemented: [501, 'The requested operation is not implemented on the specified resource.'],
  OperationTimedOut: [500, 'Operation could not be completed within the specified time.'],
  OutOfRangeQueryParameterValue: [
    400,
    'One of the query parameters specified in the request URI is outside the permissible range.',
  ],
  RequestBodyTooLarge: [413, 'The request body is too large and exceeds the maximum permissible limit.'],
  ServerBusy: [503, 'The server is busy.'],
  UnsupportedHeader: [400, 'One of the HTTP headers specified in the request is not supported.'],
  UnsupportedQueryParameter: [400, 'One of the query parameters specified in the request URI is not supported.'],
  UnsupportedXmlNode: [400, 'One of the XML nodes specified in the request body is not supported.'],
} as const satisfies Record<string, readonly [number, string]>;

export type BlobErrorCode = keyof typeof CATALOGUE;

/** An answer that is no. Nothing in it is secret: callers read all of it. */
export interface BlobError {
  readonly code: BlobErrorCode;
  readonly status: number;
  readonly message: string;
  /** Further elements of the answer, in order, such as `HeaderName`; values are the caller's own. */
  readonly elements: readonly (readonly [name: string, value: string])[];
  /** After this many seconds the same request may succeed. */
  readonly retryAfterSeconds?: number;
}

/** The error of `code`, with its usual message unless another is given. */
export function blobError(
  code: BlobErrorCode,
  message: string = CATALOGUE[code][1],
  elements: BlobError['elements'] = [],
): BlobError {
  return { code, status: CATALOGUE[code][0], message, elements };
}

/** `blobError` as a failed result. */
export const refuse = (
  code: BlobErrorCode,
  message?: string,
  elements?: BlobError['elements'],
): Result<never, BlobError> => err(blobError(code, message, elements));

/** `InvalidHeaderValue` with the name and the value that Azure repeats. */
export const invalidHeader = (name: string, value: string, message?: string): Result<never, BlobError> =>
  refuse('InvalidHeaderValue', message, [
    ['HeaderName', name],
    ['HeaderValue', value],
  ]);

/** `UnsupportedHeader` that names the header which asks for too much. */
export const unsupportedHeader = (name: string): Result<never, BlobError> =>
  refuse('UnsupportedHeader', undefined, [['HeaderName', name]]);

/** `UnsupportedQueryParameter` that names the parameter. Its value is not repeated: it may be part of a signed URL. */
export const unsupportedParameter = (name: string): Result<never, BlobError> =>
  refuse('UnsupportedQueryParameter', undefined, [['QueryParameterName', name.slice(0, 64)]]);

/** A refused value of a query parameter, with the name and the value that Azure repeats. */
export const refuseParameter = (
  code: 'InvalidQueryParameterValue' | 'OutOfRangeQueryParameterValue',
  name: string,
  value: string,
): Result<never, BlobError> =>
  refuse(code, undefined, [
    ['QueryParameterName', name],
    ['QueryParameterValue', value],
  ]);
