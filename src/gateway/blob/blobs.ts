// Carries out the operations on single blobs.
import { ok } from '../../base/core/result.ts';
import type { DeleteBlobCall, PutBlobCall, ReadBlobCall } from '../../wire/blob/call.ts';
import { readHead, writeHeaders } from '../../wire/blob/results.ts';
import { failed, mayKnow, type Outcome, objectOf, type Work } from './work.ts';

/** Get Blob: the bytes, or the asked range of them, as they stood when the store was asked. */
export async function getBlob(work: Work, call: ReadBlobCall): Promise<Outcome> {
  const { conditions, range } = call;
  const options = { conditions, signal: work.signal, ...(range === undefined ? {} : { range }) };
  const found = await work.store.get(objectOf(call), options);
  if (!found.ok) return failed(work, call, found.error);
  const { info, range: given } = found.value;
  return ok({ ...readHead(info, given), body: found.value });
}

/** Get Blob Properties. */
export async function getProperties(work: Work, call: ReadBlobCall): Promise<Outcome> {
  const found = await work.store.head(objectOf(call), call.conditions);
  if (!found.ok) return failed(work, call, found.error);
  return ok({ ...readHead(found.value, null), body: null });
}

/** Put Blob: nothing is stored unless the whole body is what the request said. */
export async function putBlob(work: Work, call: PutBlobCall): Promise<Outcome> {
  const { content, signal } = work;
  const { attributes, conditions, digest } = call;
  const stored = await work.store.put(objectOf(call), { content, attributes, conditions, signal });
  if (!stored.ok) return failed(work, call, stored.error);
  return ok({ status: 201, headers: writeHeaders(stored.value, digest), body: null });
}

/**
 * Delete Blob. At Azure deleting what is not there is a no, at stores of objects a yes: who may know what is there is told, and
 * to anybody else both look alike.
 */
export async function deleteBlob(work: Work, call: DeleteBlobCall): Promise<Outcome> {
  const object = objectOf(call);
  const found = mayKnow(work, call) ? await work.store.head(object) : ok(null);
  if (!found.ok) return failed(work, call, found.error);
  const deleted = await work.store.delete(object, { conditions: call.conditions, signal: work.signal });
  return deleted.ok ? ok({ status: 202, headers: {}, body: null }) : failed(work, call, deleted.error);
}
