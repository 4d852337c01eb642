// A refusal of the Blob front: the reason for the log, and the Azure error that the caller gets.
import type { Failure } from '../../base/core/reasons.ts';
import type { CarriedSession } from '../../base/credential/carried-session.ts';
import type { BlobError } from '../../wire/blob/errors.ts';
import { refuseReason } from '../../wire/blob/refusals.ts';
import type { Refusal } from '../authorize.ts';

/** A refusal with its answer. */
export interface BlobRefusal extends Refusal {
  readonly error: BlobError;
}

/** `failure` as the refusal of `session`; `error` unless the reason's own answer will do. */
export function refusalOf(
  { reason, detail }: Failure,
  more: { readonly session?: CarriedSession | undefined; readonly error?: BlobError } = {},
): BlobRefusal {
  const { session, error = refuseReason(reason) } = more;
  return { reason, detail, error, ...(session === undefined ? {} : { session }) };
}
