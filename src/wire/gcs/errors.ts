// The catalogue of the Cloud Storage JSON API's errors: reasons, statuses and messages as Google documents them. What led to one
// is in refusals.ts.
import { err, type Result } from '../../base/core/result.ts';

/** Status and usual message of each reason (Cloud Storage JSON API, "HTTP status and error codes"). */
const CATALOGUE = {
  authError: [401, 'Invalid Credentials'],
  badRequest: [400, 'Bad Request'],
  backendError: [503, 'Backend Error'],
  conditionNotMet: [412, 'At least one of the pre-conditions you specified did not hold.'],
  conflict: [409, 'Another write of the same object was faster. Please try again.'],
  forbidden: [403, 'The caller may not do this, or the resource does not exist.'],
  internalError: [500, 'Internal Error'],
  invalid: [400, 'Invalid Value'],
  notFound: [404, 'Not Found'],
  notImplemented: [501, 'This is not implemented here.'],
  quotaExceeded: [403, 'The quota of the bucket is used up.'],
  rateLimitExceeded: [429, 'There are too many requests.'],
  requestTimeout: [408, 'Nothing was sent or read for too long.'],
  requestedRangeNotSatisfiable: [416, 'The requested range cannot be satisfied.'],
  required: [400, 'Required'],
  uploadTooLarge: [413, 'The object is larger than may be stored in one piece.'],
} as const satisfies Record<string, readonly [number, string]>;

export type GcsErrorReason = keyof typeof CATALOGUE;

/** An answer that is no. Nothing in it is secret: callers read all of it. */
export interface GcsError {
  readonly reason: GcsErrorReason;
  readonly status: number;
  readonly message: string;
  /** The parameter, header or member at fault. */
  readonly location?: string;
  /** After this many seconds the same request may succeed. */
  readonly retryAfterSeconds?: number;
}

/** The error of `reason`, with its usual message unless another is given. */
export const gcsError = (
  reason: GcsErrorReason,
  message: string = CATALOGUE[reason][1],
  location?: string,
): GcsError => ({
  reason,
  status: CATALOGUE[reason][0],
  message,
  ...(location === undefined ? {} : { location }),
});

/** `gcsError` as a failed result. */
export const refuse = (reason: GcsErrorReason, message?: string, location?: string): Result<never, GcsError> =>
  err(gcsError(reason, message, location));

/** `invalid` about the value of one parameter, header or member. The value itself is not repeated. */
export const invalid = (location: string, wanted: string): Result<never, GcsError> =>
  refuse('invalid', `Invalid value for ${location}: ${wanted}`, location);

/** `notImplemented` that names what asks for too much. */
export const notImplemented = (what: string, location: string): Result<never, GcsError> =>
  refuse('notImplemented', `The ${what} ${JSON.stringify(location.slice(0, 64))} is not implemented here.`, location);
