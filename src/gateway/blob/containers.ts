// Carries out the operations on containers, which are the store's buckets.
import { ok } from '../../base/core/result.ts';
import type { AzureBlobCall, ListBlobsCall } from '../../wire/blob/call.ts';
import { encodeListing } from '../../wire/blob/listing.ts';
import { MAX_LIST_ENTRIES } from '../objects/store.ts';
import { failed, type Outcome, type Work } from './work.ts';

/** Get Container Properties, which clients ask for to see whether there is one. One that is configured may still be missing. */
export async function getContainer(work: Work, call: AzureBlobCall): Promise<Outcome> {
  const found = await work.store.hasBucket(call.container);
  if (!found.ok) return failed(work, call, found.error);
  if (!found.value) return failed(work, call, { problem: 'bucket_unknown', detail: 'the store has no such bucket' });
  return ok({ status: 200, headers: {}, body: null });
}

/** List Blobs: as many as the store tells at once, also where more were asked for; a marker says how to go on. */
export async function listBlobs(work: Work, call: ListBlobsCall): Promise<Outcome> {
  const { prefix, delimiter, after, maxResults } = call;
  const limit = Math.min(maxResults ?? MAX_LIST_ENTRIES, MAX_LIST_ENTRIES);
  const listed = await work.store.list(call.container, { prefix, delimiter, after, limit });
  if (!listed.ok) return failed(work, call, listed.error);
  return ok({ status: 200, headers: {}, body: encodeListing(call, listed.value, work.endpoint) });
}
