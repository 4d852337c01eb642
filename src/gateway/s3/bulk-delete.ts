// Carries out DeleteObjects: a list of keys, each of which is decided on for itself.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ok } from '../../base/core/result.ts';
import { decodeDelete, MAX_XML_BYTES } from '../../wire/s3/bodies.ts';
import type { DeleteObjectsCall } from '../../wire/s3/call.ts';
import { s3Error } from '../../wire/s3/errors.ts';
import { deletePermission } from '../../wire/s3/permissions.ts';
import { refuseStored } from '../../wire/s3/refusals.ts';
import { type Deletion, encodeDeletions } from '../../wire/s3/results.ts';
import { readSmallBody } from './small-body.ts';
import type { Outcome, Work } from './work.ts';

/** Deletions under way at once. */
const MAX_CONCURRENT = 8;

/** DeleteObjects. Precondition: the session stands; about the keys nothing was decided yet. */
export async function deleteObjects(work: Work, call: DeleteObjectsCall): Promise<Outcome> {
  const body = await readSmallBody(work, MAX_XML_BYTES);
  if (!body.ok) return body;
  const asked = decodeDelete(body.value);
  if (!asked.ok) return ok({ error: asked.error });
  const { keys, isQuiet } = asked.value;
  const deletions: Deletion[] = [];
  for (let at = 0; at < keys.length; at += MAX_CONCURRENT) {
    const some = keys.slice(at, at + MAX_CONCURRENT);
    deletions.push(...(await Promise.all(some.map((key) => deleteOne(work, call, key)))));
    // Where nothing is permitted nothing is waited for: 1,000 dear decisions in a row would hold up everybody, and the watch too.
    await nextTurn();
  }
  const refused = deletions.filter(({ error }) => error !== null).length;
  work.report({ action: 's3:DeleteObject', resource: `arn:aws:s3:::${call.bucket}`, keys: keys.length, refused });
  return ok({ status: 200, headers: {}, body: encodeDeletions(deletions, { isQuiet }) });
}

async function deleteOne(
  { buckets, permits, signal, store }: Work,
  call: DeleteObjectsCall,
  key: string,
): Promise<Deletion> {
  const object = { bucket: call.bucket, key };
  if (signal.aborted || !permits(deletePermission(object))) return { key, error: s3Error('AccessDenied') };
  if (!buckets.has(call.bucket)) return { key, error: s3Error('NoSuchBucket') };
  const deleted = await store.delete(object, { signal });
  return { key, error: deleted.ok ? null : refuseStored(deleted.error, call) };
}
