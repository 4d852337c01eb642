// What a caller is told of each kind of refusal: by the signature's checks, by the gateway's decision, by the store. Exhaustive,
// and no text of an operator's gets into it.
import type { ObjectProblem } from '../../base/core/object-problem.ts';
import { type Reason, safeReason } from '../../base/core/reasons.ts';
import type { ObjectName, S3Call } from './call.ts';
import { type S3Error, s3Error } from './errors.ts';
import { PayloadError } from './payload/payload-error.ts';

/** What is unavailable is retried at this pace; every SDK does so by itself on a 503. */
const RETRY_AFTER_SECONDS = 1;

/** Refusals of credential, standing and permission. Unknown role, other tenant and denied permission are one answer. */
export function refuseReason(reason: Reason): S3Error {
  // AWS's own words for both are ExpiredToken: new credentials are the way on, if the job still runs.
  if (reason === 'session_ended') return s3Error('ExpiredToken');
  if (reason === 'internal_failure') return s3Error('InternalError');
  // STS credentials without their token: AWS knows no such long-term key.
  if (reason === 'credential_missing') return s3Error('InvalidAccessKeyId');
  switch (safeReason(reason)) {
    case 'token_invalid':
      return s3Error('InvalidToken');
    case 'token_expired':
      return s3Error('ExpiredToken');
    case 'unavailable':
      return { ...s3Error('ServiceUnavailable', 'Service is unable to handle request.'), ...retried };
    case 'limited':
      return { ...s3Error('SlowDown'), ...retried };
    case 'request_invalid':
      return s3Error('InvalidRequest');
    case 'conflict':
      return s3Error('ConditionalRequestConflict');
    case 'access_denied':
    case 'client_invalid':
    case 'not_found':
      return s3Error('AccessDenied');
  }
}

const retried = { retryAfterSeconds: RETRY_AFTER_SECONDS };

/** A store's refusal, as far as its caller may learn of it. */
export interface StoreFailure {
  readonly problem: ObjectProblem;
  /** What stands there, with `range_unsatisfiable`. */
  readonly current?: { readonly size: number };
  /** What the body threw, with `payload_refused`. */
  readonly cause?: unknown;
}

/** Refusals of a store that was asked to do `call`. */
export function refuseStored(failure: StoreFailure, call: S3Call): S3Error {
  switch (failure.problem) {
    case 'bucket_unknown':
      return s3Error('NoSuchBucket', undefined, 'bucket' in call ? [['BucketName', call.bucket]] : []);
    case 'key_unknown':
      return s3Error('NoSuchKey', undefined, [['Key', missingOf(call)]]);
    case 'upload_unknown':
      return s3Error('NoSuchUpload', undefined, 'uploadId' in call ? [['UploadId', call.uploadId]] : []);
    case 'range_unsatisfiable':
      return s3Error('InvalidRange', undefined, sizeElements(failure));
    case 'payload_refused':
      return failure.cause instanceof PayloadError ? failure.cause.refusal : s3Error('IncompleteBody');
    case 'storage_unavailable':
      return { ...s3Error('ServiceUnavailable', 'Service is unable to handle request.'), ...retried };
    default:
      return s3Error(SIMPLE_PROBLEMS[failure.problem]);
  }
}

const SIMPLE_PROBLEMS = {
  precondition_failed: 'PreconditionFailed',
  not_modified: 'NotModified',
  conflict: 'ConditionalRequestConflict',
  part_invalid: 'InvalidPart',
  part_order: 'InvalidPartOrder',
  part_too_small: 'EntityTooSmall',
  too_large: 'EntityTooLarge',
  quota_exceeded: 'QuotaExceeded',
  aborted: 'RequestTimeout',
  not_supported: 'NotImplemented',
} as const;

/** A copy misses its source; what it writes need not exist. */
function missingOf(call: S3Call): string {
  const object: ObjectName | undefined = 'source' in call ? call.source : 'key' in call ? call : undefined;
  return object?.key ?? '';
}

const sizeElements = ({ current }: StoreFailure): S3Error['elements'] =>
  current === undefined ? [] : [['ActualObjectSize', String(current.size)]];
