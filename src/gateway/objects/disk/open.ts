// Makes a store of the objects port over a folder of the local disk, for one machine and one process at a time.
import type { DatabaseSync } from 'node:sqlite';
import { ok } from '../../../base/core/result.ts';
import type { Clock } from '../../../base/ports/clock.ts';
import type { Log } from '../../../base/ports/log.ts';
import type { Random } from '../../../base/ports/random.ts';
import { MAX_PUT_BYTES, MIN_PART_BYTES, type ObjectStore } from '../store.ts';
import { Blobs } from './blobs.ts';
import { answer, type DiskContext, type DiskLimits } from './context.ts';
import { copyObject, deleteObject, getObject, headObject, listBucket, putObject } from './disk-objects.ts';
import {
  abortUpload,
  completeUpload,
  copyPart,
  createUpload,
  listParts,
  putPart,
  removeAbandonedUploads,
} from './disk-uploads.ts';
import { type FileOperations, nodeFiles, typedFiles } from './file-operations.ts';
import { prepareFolder } from './folder.ts';
import { IndexFile, openIndex } from './index-file.ts';
import { ObjectTable } from './object-table.ts';
import { type BucketSettings, Quotas } from './quotas.ts';
import { integer, text } from './row.ts';
import { Tasks } from './tasks.ts';
import { UploadTable } from './upload-table.ts';

/** A week: whoever comes back to an upload later begins anew. */
const UPLOAD_IDLE_MS = 7 * 24 * 3600 * 1000;
const SWEEP_INTERVAL_MS = 3600 * 1000;

const DEFAULT_LIMITS: DiskLimits = {
  minPartBytes: MIN_PART_BYTES,
  maxPutBytes: MAX_PUT_BYTES,
  uploadIdleMs: UPLOAD_IDLE_MS,
};

export interface DiskStoreOptions {
  /** Made when it is missing. The store's alone: nothing else may lie in it. */
  readonly folder: string;
  /** Those of a folder's buckets that are not named here keep their objects and are not shown. */
  readonly buckets: readonly BucketSettings[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits?: Partial<DiskLimits>;
  /** Node's, unless a test wants a failing disk. */
  readonly files?: FileOperations;
}

/** The port, and the one thing that a disk asks for besides. */
export interface DiskStore extends ObjectStore {
  /** Runs by itself at the start and every hour. Resolves with how many uploads were given up. */
  removeAbandonedUploads(): Promise<number>;
}

/**
 * Opens the store of a folder; removes what a crash left behind. While it is open no other process can open it, and death
 * frees it. Throws ERR_STORE_LOCKED, ERR_STORE_PERMISSIONS, ERR_STORE_SCHEMA or ERR_STORE_UNAVAILABLE.
 *
 * A file is as long as the index says or is not served (`storage_unavailable`); its content is not hashed again on reading:
 * clients get the checksums that were verified at its writing, and compare.
 */
export async function openDiskStore(o: DiskStoreOptions): Promise<DiskStore> {
  const folder = prepareFolder(o.folder);
  const db = openIndex(folder.index);
  try {
    const files = typedFiles(o.files ?? nodeFiles);
    const blobs = new Blobs({ folder, files, random: o.random, log: o.log });
    const c = contextOn(db, { ...o, files, blobs });
    await nameBuckets(c);
    const orphans = await blobs.removeOrphans((blob) => c.index.read(() => c.objects.isReferenced(blob)));
    if (orphans > 0) o.log.info({ orphans }, 'removed blobs of uploads that never ended');
    await removeAbandonedUploads(c);
    return storeOn(c);
  } catch (cause) {
    if (db.isOpen) db.close();
    throw cause;
  }
}

function contextOn(db: DatabaseSync, o: DiskStoreOptions & { files: FileOperations; blobs: Blobs }): DiskContext {
  const index = new IndexFile(db, () => o.blobs.onCommit());
  const objects = new ObjectTable(index);
  return {
    buckets: new Set(o.buckets.map((bucket) => bucket.name)),
    limits: { ...DEFAULT_LIMITS, ...o.limits },
    index,
    objects,
    uploads: new UploadTable(index),
    blobs: o.blobs,
    files: o.files,
    quotas: new Quotas(o.buckets, (bucket) => objects.bytesOf(bucket)),
    tasks: new Tasks(),
    clock: o.clock,
    random: o.random,
    log: o.log,
  };
}

/** A bucket begins when it is first named. */
async function nameBuckets(c: DiskContext): Promise<void> {
  const insert = c.index.prepare('INSERT INTO bucket (name, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING');
  await c.index.write(() => {
    for (const name of c.buckets) insert.run(name, c.clock.nowMs());
  });
}

function readBuckets(c: DiskContext) {
  const all = c.index.prepare('SELECT name, created_at FROM bucket ORDER BY name');
  return () =>
    c.index
      .read(() => all.all())
      .map((row) => ({ name: text(row, 'name'), createdAt: integer(row, 'created_at') }))
      .filter(({ name }) => c.buckets.has(name));
}

function storeOn(c: DiskContext): DiskStore {
  const buckets = readBuckets(c);
  const sweep = setInterval(() => {
    c.tasks.track(removeAbandonedUploads(c)).catch((cause: unknown) => {
      c.log.warn({ cause: String(cause) }, 'abandoned uploads could not be removed');
    });
  }, SWEEP_INTERVAL_MS);
  sweep.unref();
  return {
    buckets: () => answer(c, async () => ok(buckets())),
    hasBucket: async (bucket) => ok(c.buckets.has(bucket)),
    head: (object, conditions = {}) => answer(c, () => headObject(c, object, conditions)),
    get: (object, options) => answer(c, () => getObject(c, object, options)),
    put: (object, options) => answer(c, () => putObject(c, object, options)),
    delete: (object, options) => answer(c, () => deleteObject(c, object, options)),
    copy: (options) => answer(c, () => copyObject(c, options)),
    list: (bucket, options) => answer(c, () => listBucket(c, bucket, options)),
    createUpload: (object, options) => answer(c, () => createUpload(c, object, options)),
    putPart: (upload, part, options) => answer(c, () => putPart(c, upload, part, options)),
    copyPart: (upload, part, options) => answer(c, () => copyPart(c, upload, part, options)),
    listParts: (upload, options) => answer(c, () => listParts(c, upload, options)),
    completeUpload: (upload, options) => answer(c, () => completeUpload(c, upload, options)),
    abortUpload: (upload) => answer(c, () => abortUpload(c, upload)),
    removeAbandonedUploads: () => removeAbandonedUploads(c),
    close: async () => {
      clearInterval(sweep);
      await c.tasks.close();
      await c.blobs.settled();
      c.index.close();
    },
  };
}
