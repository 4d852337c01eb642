// What a caller is told of each kind of refusal: by the gateway's decision, by the store. Exhaustive, and no text of an
// operator's gets into it.
import type { ObjectProblem } from '../../base/core/object-problem.ts';
import { type Reason, safeReason } from '../../base/core/reasons.ts';
import type { AzureBlobCall } from './call.ts';
import { type BlobError, blobError } from './errors.ts';
import { BlobPayloadError } from './payload.ts';

/** What is unavailable is tried again at this pace; the SDKs do so by themselves on a 503. */
const RETRY_AFTER_SECONDS = 1;

const busy = (): BlobError => ({ ...blobError('ServerBusy'), retryAfterSeconds: RETRY_AFTER_SECONDS });

/** Refusals of credential, standing and permission. Unknown role, other tenant and denied permission are one answer. */
export function refuseReason(reason: Reason): BlobError {
  // A new token is the way on, if the job still runs.
  if (reason === 'session_ended') return blobError('InvalidAuthenticationInfo');
  if (reason === 'internal_failure') return blobError('InternalError');
  if (reason === 'credential_missing') return blobError('NoAuthenticationInformation');
  switch (safeReason(reason)) {
    case 'token_invalid':
    case 'token_expired':
      return blobError('InvalidAuthenticationInfo');
    case 'unavailable':
    case 'limited':
    case 'conflict':
      return busy();
    case 'request_invalid':
      return blobError('InvalidInput');
    case 'access_denied':
    case 'client_invalid':
    case 'not_found':
      return blobError('AuthorizationPermissionMismatch');
  }
}

/** A store's refusal, as far as its caller may learn of it. */
export interface StoreFailure {
  readonly problem: ObjectProblem;
  /** What the body threw, with `payload_refused`. */
  readonly cause?: unknown;
}

const SMALL_BLOCKS =
  'Every block but the last needs at least 5 MiB on the store behind this gateway: set blockSize (uploadData, uploadFile) or bufferSize (uploadStream).';

/** Refusals of a store that was asked to do `call`. */
export function refuseStored({ problem, cause }: StoreFailure, call: AzureBlobCall): BlobError {
  switch (problem) {
    case 'key_unknown':
      // A write misses nothing but the blob that If-Match names, and that is a condition.
      return blobError(isWrite(call) ? 'ConditionNotMet' : 'BlobNotFound');
    case 'precondition_failed':
      return blobError(isCreation(call) ? 'BlobAlreadyExists' : 'ConditionNotMet');
    case 'not_modified':
      return { ...blobError('ConditionNotMet'), status: 304 };
    case 'payload_refused':
      return cause instanceof BlobPayloadError ? cause.refusal : blobError('InvalidInput', 'The body ended early.');
    case 'part_too_small':
      return blobError('InvalidBlockList', SMALL_BLOCKS);
    case 'conflict':
    case 'storage_unavailable':
      return busy();
    default:
      return blobError(SIMPLE_PROBLEMS[problem]);
  }
}

const SIMPLE_PROBLEMS = {
  bucket_unknown: 'ContainerNotFound',
  upload_unknown: 'InvalidBlockList',
  range_unsatisfiable: 'InvalidRange',
  part_invalid: 'InvalidBlockList',
  part_order: 'InvalidBlockList',
  too_large: 'RequestBodyTooLarge',
  quota_exceeded: 'ContainerQuotaExceeded',
  aborted: 'OperationTimedOut',
  not_supported: 'NotImplemented',
} as const;

const isWrite = ({ operation }: AzureBlobCall): boolean => operation === 'PutBlob' || operation === 'PutBlockList';

const isCreation = (call: AzureBlobCall): boolean =>
  isWrite(call) && 'conditions' in call && call.conditions.ifNoneMatch === '*';
