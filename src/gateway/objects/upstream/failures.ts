// What an S3 server's refusals mean to the port. Pure; everything unexpected is the storage's fault, never a yes.
import type { ObjectFailure, ObjectProblem } from '../store.ts';

/** By the code in the answer's body (AWS, "Error responses"). */
const BY_CODE: Readonly<Record<string, ObjectProblem>> = {
  NoSuchKey: 'key_unknown',
  NoSuchBucket: 'bucket_unknown',
  NoSuchUpload: 'upload_unknown',
  PreconditionFailed: 'precondition_failed',
  ConditionalRequestConflict: 'conflict',
  OperationAborted: 'conflict',
  InvalidRange: 'range_unsatisfiable',
  InvalidPart: 'part_invalid',
  InvalidPartOrder: 'part_order',
  EntityTooSmall: 'part_too_small',
  EntityTooLarge: 'too_large',
  QuotaExceeded: 'quota_exceeded',
  NotImplemented: 'not_supported',
  BadDigest: 'payload_refused',
  XAmzContentSHA256Mismatch: 'payload_refused',
};

/** By the status, where no body tells a code: answers to HEAD have none. */
const BY_STATUS: Readonly<Record<number, ObjectProblem>> = {
  304: 'not_modified',
  404: 'key_unknown',
  412: 'precondition_failed',
  416: 'range_unsatisfiable',
  501: 'not_supported',
};

/** The failure that an answer of the upstream stands for. A refused credential is the operator's matter, not the caller's. */
export function failureOf(answer: { readonly status: number; readonly code: string | null }): ObjectFailure {
  const { code, status } = answer;
  const known = code === null ? BY_STATUS[status] : Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
  const said = code === null ? `status ${status}` : `${status} ${code}`;
  return { problem: known ?? 'storage_unavailable', detail: `the upstream answered ${said}` };
}

export const unavailable = (detail: string, cause?: unknown): ObjectFailure => ({
  problem: 'storage_unavailable',
  detail,
  ...(cause === undefined ? {} : { cause }),
});
