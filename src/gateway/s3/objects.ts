// Carries out the operations on single objects.
import { ok } from '../../base/core/result.ts';
import type { CopyObjectCall, DeleteObjectCall, PutObjectCall, ReadObjectCall } from '../../wire/s3/call.ts';
import { readResponseHead, writeHeaders } from '../../wire/s3/object-headers.ts';
import { encodeCopy } from '../../wire/s3/results.ts';
import { failed, type Outcome, type Work } from './work.ts';

/** GetObject: the bytes, or the asked range of them, as they stood when the store was asked. */
export async function getObject(work: Work, call: ReadObjectCall): Promise<Outcome> {
  const { signal } = work;
  const { conditions, range: asked } = call;
  const found = await work.store.get(call, { conditions, signal, ...(asked === undefined ? {} : { range: asked }) });
  if (!found.ok) return failed(work, call, found.error);
  const { info, range } = found.value;
  return ok({ ...readResponseHead(call, info, range), body: found.value });
}

/** HeadObject: what GetObject would say of the whole object, without its bytes. RFC 9110 §14.2: ranges are for GET. */
export async function headObject(work: Work, call: ReadObjectCall): Promise<Outcome> {
  const found = await work.store.head(call, call.conditions);
  if (!found.ok) return failed(work, call, found.error);
  return ok({ ...readResponseHead(call, found.value, null), body: null });
}

/** PutObject: nothing is stored unless the whole body is what the request said. */
export async function putObject(work: Work, call: PutObjectCall): Promise<Outcome> {
  const { store, content, signal } = work;
  const { attributes, conditions } = call;
  const stored = await store.put(call, { content, attributes, conditions, signal });
  if (!stored.ok) return failed(work, call, stored.error);
  return ok({ status: 200, headers: writeHeaders(stored.value), body: null });
}

/** CopyObject. Precondition: reading the source was permitted too. */
export async function copyObject(work: Work, call: CopyObjectCall): Promise<Outcome> {
  const { source, sourceConditions, conditions, attributes } = call;
  const { signal } = work;
  const copied = await work.store.copy({ source, target: call, sourceConditions, conditions, attributes, signal });
  if (!copied.ok) return failed(work, call, copied.error);
  return ok({ status: 200, headers: {}, body: encodeCopy('CopyObjectResult', copied.value) });
}

/** DeleteObject: deleting what is not there succeeds. */
export async function deleteObject(work: Work, call: DeleteObjectCall): Promise<Outcome> {
  const { conditions } = call;
  const deleted = await work.store.delete(call, { conditions, signal: work.signal });
  return deleted.ok ? ok({ status: 204, headers: {}, body: null }) : failed(work, call, deleted.error);
}
