// A refusal of the Cloud Storage front: the reason for the log, and the error that the caller gets.
import { failure } from '../../base/core/reasons.ts';
import type { CarriedSession } from '../../base/credential/carried-session.ts';
import type { GcsError } from '../../wire/gcs/errors.ts';
import { refuseReason, refuseStored } from '../../wire/gcs/refusals.ts';
import { type FrontRefusal, refusalsBy } from '../store-front/refusal.ts';

/** A refusal with its answer. */
export type GcsRefusal = FrontRefusal<GcsError>;

/** `failure` as the refusal of `session`; `error` unless the reason's own answer will do. */
export const refusalOf = refusalsBy<GcsError>(refuseReason);

/** No such bucket. Precondition: the caller may do with it what the call does. */
export const unknownBucket = (bucket: string, session: CarriedSession): GcsRefusal =>
  refusalOf(failure('bucket_unknown', `no bucket ${bucket} is configured here`), {
    session,
    error: refuseStored({ problem: 'bucket_unknown' }),
  });
