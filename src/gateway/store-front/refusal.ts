// A refusal of a store's front: the reason for the log, and the error that the caller gets.
import type { Failure, Reason } from '../../base/core/reasons.ts';
import type { CarriedSession } from '../../base/credential/carried-session.ts';
import type { Refusal } from '../authorize.ts';
import type { ObjectProblem } from '../objects/store.ts';

/** A refusal with its answer. `E` is an error of the front's protocol. */
export interface FrontRefusal<E> extends Refusal {
  readonly error: E;
}

/** What is known of a refusal beside its reason. */
interface More<E> {
  readonly session?: CarriedSession | undefined;
  readonly error?: E;
}

/** Makes the refusals of one protocol: a failure with `error`, or else with what `refuseReason` tells for its reason. */
export const refusalsBy =
  <E>(refuseReason: (reason: Reason) => E) =>
  ({ reason, detail }: Failure, { session, error = refuseReason(reason) }: More<E> = {}): FrontRefusal<E> => ({
    reason,
    detail,
    error,
    ...(session === undefined ? {} : { session }),
  });

/** The reasons of problems that no caller has in ordinary use; the others are not logged. */
export const LOGGED_PROBLEMS: Partial<Record<ObjectProblem, Reason>> = {
  quota_exceeded: 'quota_exceeded',
  payload_refused: 'payload_mismatch',
  aborted: 'request_malformed',
  storage_unavailable: 'upstream_unreachable',
};
