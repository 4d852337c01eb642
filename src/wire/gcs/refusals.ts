// What a caller is told of each kind of refusal: by the gateway's decision, by the store. Exhaustive, and no text of an operator's
// gets into it.
import type { ObjectProblem } from '../../base/core/object-problem.ts';
import { type Reason, safeReason } from '../../base/core/reasons.ts';
import { type GcsError, gcsError } from './errors.ts';
import { PayloadError } from './payload-error.ts';

/** What is unavailable is retried at this pace. */
const RETRY_AFTER_SECONDS = 2;
const retried = (error: GcsError): GcsError => ({ ...error, retryAfterSeconds: RETRY_AFTER_SECONDS });

/** Refusals of credential, standing and permission. Unknown role, other tenant and denied permission are one answer. */
export function refuseReason(reason: Reason): GcsError {
  if (reason === 'internal_failure') return gcsError('internalError');
  // New credentials are the way on, if the job still runs.
  if (reason === 'session_ended') return gcsError('authError');
  switch (safeReason(reason)) {
    case 'token_invalid':
    case 'token_expired':
      return gcsError('authError');
    case 'access_denied':
    case 'client_invalid':
    case 'not_found':
      return gcsError('forbidden');
    case 'unavailable':
      return retried(gcsError('backendError'));
    case 'limited':
      return retried(gcsError('rateLimitExceeded'));
    case 'request_invalid':
      return gcsError('badRequest');
    case 'conflict':
      return gcsError('conflict');
  }
}

/** A store's refusal, as far as its caller may learn of it. `cause`: what the body threw, with `payload_refused`. */
export interface StoreFailure {
  readonly problem: ObjectProblem;
  readonly cause?: unknown;
}

/** A store's refusal as its caller is told. */
export function refuseStored({ problem, cause }: StoreFailure): GcsError {
  switch (problem) {
    case 'bucket_unknown':
      return gcsError('notFound', 'The specified bucket does not exist.');
    case 'key_unknown':
      return gcsError('notFound', 'No such object.');
    case 'upload_unknown':
      return gcsError('notFound', 'There is no such upload.');
    case 'precondition_failed':
    case 'not_modified':
      return gcsError('conditionNotMet');
    case 'conflict':
      return gcsError('conflict');
    case 'range_unsatisfiable':
      return gcsError('requestedRangeNotSatisfiable');
    case 'too_large':
      return gcsError('uploadTooLarge');
    case 'quota_exceeded':
      return gcsError('quotaExceeded');
    case 'payload_refused':
      return cause instanceof PayloadError
        ? cause.refusal
        : gcsError('badRequest', 'The body is not what was announced.');
    case 'aborted':
      return gcsError('requestTimeout');
    case 'storage_unavailable':
      return retried(gcsError('backendError'));
    case 'not_supported':
      return gcsError('notImplemented', 'The store behind this gateway cannot do this.');
    case 'part_invalid':
    case 'part_order':
    case 'part_too_small':
      return gcsError('invalid', 'The pieces of the upload do not fit together.');
  }
}
