// Makes a store of the objects port over another S3, which keeps everything; nothing is kept here.
import { ok } from '../../../base/core/result.ts';
import type { Clock } from '../../../base/ports/clock.ts';
import type { ObjectStore } from '../store.ts';
import { UpstreamConnection, type UpstreamServer } from './connection.ts';
import type { UpstreamContext } from './context.ts';
import { copyObject, deleteObject, getObject, headObject, listBucket, putObject } from './objects.ts';
import { abortUpload, completeUpload, copyPart, createUpload, listParts, putPart } from './uploads.ts';

export interface UpstreamStoreOptions {
  readonly server: UpstreamServer;
  /** The buckets that exist for callers, by their names at the upstream. */
  readonly buckets: readonly string[];
  readonly clock: Clock;
}

/**
 * A store whose every call becomes one request, or a few, under the gateway's own key. What it guarantees is what that server
 * does: a write with a condition is as atomic as there. Generations are not counted: a condition on one, other than that there
 * be no object, is `not_supported`. When a bucket was made is not known either: the beginning of time.
 */
export function openUpstreamStore({ server, buckets, clock }: UpstreamStoreOptions): ObjectStore {
  const connection = new UpstreamConnection(server, clock);
  const c: UpstreamContext = { connection, buckets: new Set(buckets), clock };
  return {
    buckets: async () => ok(buckets.toSorted().map((name) => ({ name, createdAt: 0 }))),
    hasBucket: async (bucket) => ok(c.buckets.has(bucket)),
    head: (object, conditions) => headObject(c, object, conditions),
    get: (object, options) => getObject(c, object, options),
    put: (object, options) => putObject(c, object, options),
    delete: (object, options) => deleteObject(c, object, options),
    copy: (options) => copyObject(c, options),
    list: (bucket, options) => listBucket(c, bucket, options),
    createUpload: (object, options) => createUpload(c, object, options),
    putPart: (upload, part, options) => putPart(c, upload, part, options),
    copyPart: (upload, part, options) => copyPart(c, upload, part, options),
    listParts: (upload, options) => listParts(c, upload, options),
    completeUpload: (upload, options) => completeUpload(c, upload, options),
    abortUpload: (upload) => abortUpload(c, upload),
    close: async () => connection.close(),
  };
}
