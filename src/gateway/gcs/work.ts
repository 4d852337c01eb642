// What the operations of the Cloud Storage front work with, and how they tell what the store said.
import { failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { CarriedSession } from '../../base/credential/carried-session.ts';
import type { GroupKeys } from '../../keys/group-key.ts';
import { type GcsError, gcsError } from '../../wire/gcs/errors.ts';
import { PayloadError } from '../../wire/gcs/payload-error.ts';
import { type GcsPermission, type GcsPermissions, listPermission } from '../../wire/gcs/permissions.ts';
import { refuseStored } from '../../wire/gcs/refusals.ts';
import { objectResource, type Place } from '../../wire/gcs/results.ts';
import type { Checksums, ObjectFailure, ObjectInfo, ObjectStore } from '../objects/store.ts';
import { LOGGED_PROBLEMS } from '../store-front/refusal.ts';
import type { GcsAnswer } from './answer.ts';
import { type GcsRefusal, refusalOf } from './refusal.ts';

/** One call that may be carried out. */
export interface Work {
  readonly store: ObjectStore;
  /** The buckets there are. */
  readonly buckets: ReadonlySet<string>;
  readonly place: Place;
  readonly session: CarriedSession;
  /** Binds resumable uploads. */
  readonly groupKeys: GroupKeys;
  /** Aborted when nothing may be stored or sent any more. */
  readonly signal: AbortSignal;
  /** The body of the request; nothing of it is read before it is asked for. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The announced length of the body; null: it is not known. */
  readonly bodyBytes: number | null;
  /** Whether the caller may do this too, at this moment. */
  permits(permission: GcsPermission): boolean;
  /** The decision about what the body turned out to ask for; from now on the call lasts as long as it holds. */
  decide(permissions: GcsPermissions): Result<null, GcsRefusal>;
}

/** What became of a call: an answer, or a refusal, which is logged. */
export type Outcome = Result<GcsAnswer, GcsRefusal>;

/** JSON as an answer. */
export const answered = (body: object): Outcome => ok({ status: 200, headers: {}, body: JSON.stringify(body) });

/** What was written. Clients delete it when they are not told its CRC32C, which not every store keeps: `checksums` are those told to it. */
export const written = ({ place }: Work, bucket: string, object: ObjectInfo, checksums: Checksums): Outcome =>
  answered(objectResource(place, bucket, { ...object, checksums: { ...object.checksums, ...checksums } }));

/** An ordinary no, which is not logged. */
export const declined = (error: GcsError, headers: Readonly<Record<string, string>> = {}): Outcome =>
  ok({ error, headers });

/** The outcome of a call about something in `bucket` that the store did not carry out. */
export function failed(work: Work, bucket: string, problem: ObjectFailure): Outcome {
  const { session } = work;
  const error = refuseStored(problem);
  const reason = LOGGED_PROBLEMS[problem.problem];
  if (reason !== undefined) return err(refusalOf(failure(reason, problem.detail), { session, error }));
  if (problem.problem === 'key_unknown') return missing(work, bucket);
  const { current } = problem;
  const isRange = problem.problem === 'range_unsatisfiable' && current !== undefined;
  // RFC 9110 §15.5.17: the size tells what could have been asked for.
  return declined(error, isRange ? { 'content-range': `bytes */${current.size}` } : {});
}

/** There is no such object; only who may list its bucket learns that, as through the S3 front. */
export const missing = ({ permits }: Work, bucket: string): Outcome =>
  declined(permits(listPermission(bucket)) ? refuseStored({ problem: 'key_unknown' }) : gcsError('forbidden'));

/** A body that could not be read or does not fit its call. `thrown`: what reading it threw. */
export function refusedBody({ session }: Work, thrown: unknown): GcsRefusal {
  const error =
    thrown instanceof PayloadError ? thrown.refusal : gcsError('badRequest', 'The body did not arrive whole.');
  return refusalOf(failure('payload_mismatch', `${error.reason}: ${error.message}`), { session, error });
}
