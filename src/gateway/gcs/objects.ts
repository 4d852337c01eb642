// Carries out the calls about single objects that stand already.
import { ok } from '../../base/core/result.ts';
import type { DeleteObjectCall, GetObjectCall, ReadObjectCall } from '../../wire/gcs/call.ts';
import { gcsError } from '../../wire/gcs/errors.ts';
import { mediaHead } from '../../wire/gcs/media-headers.ts';
import { listPermission } from '../../wire/gcs/permissions.ts';
import { objectResource } from '../../wire/gcs/results.ts';
import type { Conditions, ObjectFailure } from '../objects/store.ts';
import { answered, declined, failed, missing, type Outcome, type Work } from './work.ts';

/** GetObject: what an object is, without its bytes. */
export async function getObject(work: Work, call: GetObjectCall): Promise<Outcome> {
  const found = await work.store.head(call, only(call.generation));
  if (!found.ok) return notThere(work, call, found.error);
  return answered(objectResource(work.place, call.bucket, found.value));
}

/** ReadObject: the bytes, or the asked range of them, as they stood when the store was asked. */
export async function readObject(work: Work, call: ReadObjectCall): Promise<Outcome> {
  const { range, generation } = call;
  const { signal } = work;
  const conditions = only(generation);
  const found = await work.store.get(call, { conditions, signal, ...(range === undefined ? {} : { range }) });
  if (!found.ok) return notThere(work, call, found.error);
  return ok({ ...mediaHead(found.value.info, found.value.range), body: found.value });
}

/** DeleteObject. Google's answer to the deletion of nothing is that there is nothing; who may not know that gets none. */
export async function deleteObject(work: Work, call: DeleteObjectCall): Promise<Outcome> {
  const { bucket, conditions, generation } = call;
  if (generation !== null && (conditions.ifGenerationMatch ?? generation) !== generation) {
    return declined(gcsError('conditionNotMet'));
  }
  if (work.permits(listPermission(bucket))) {
    const found = await work.store.head(call, only(generation));
    if (!found.ok) return notThere(work, call, found.error);
  }
  const wanted = { ...only(generation), ...conditions };
  const deleted = await work.store.delete(call, { conditions: wanted, signal: work.signal });
  if (!deleted.ok) return notThere(work, call, deleted.error);
  return ok({ status: 204, headers: {}, body: null });
}

/** The condition that makes one generation of an object the only one there is. */
export const only = (generation: number | null): Conditions =>
  generation === null ? {} : { ifGenerationMatch: generation };

/** As `failed`; a generation that does not stand is as an object that does not. */
export function notThere(
  work: Work,
  { bucket, generation }: { readonly bucket: string; readonly generation: number | null },
  problem: ObjectFailure,
): Outcome {
  const isOther = generation !== null && problem.problem === 'precondition_failed';
  return isOther ? missing(work, bucket) : failed(work, bucket, problem);
}
