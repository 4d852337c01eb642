// What the calls of the disk store share: its tables, its blobs, and the one way in which a write becomes true.
import { JobpassError } from '../../../base/core/errors.ts';
import { type Err, ok, type Result } from '../../../base/core/result.ts';
import type { Clock } from '../../../base/ports/clock.ts';
import type { Log } from '../../../base/ports/log.ts';
import type { Random } from '../../../base/ports/random.ts';
import { checkWrite } from '../conditions.ts';
import { objectFailure } from '../failure.ts';
import { type Conditions, MAX_KEY_BYTES, type ObjectFailure, type ObjectInfo, type ObjectRef } from '../store.ts';
import type { Blobs } from './blobs.ts';
import type { FileOperations } from './file-operations.ts';
import type { IndexFile } from './index-file.ts';
import { keyBytes, type ObjectDraft, type ObjectTable } from './object-table.ts';
import type { Quotas } from './quotas.ts';
import type { Tasks } from './tasks.ts';
import type { UploadTable } from './upload-table.ts';

/** Bounds of a disk store. Tests make them small. */
export interface DiskLimits {
  readonly minPartBytes: number;
  readonly maxPutBytes: number;
  /** An upload that nothing was added to for so long is removed. */
  readonly uploadIdleMs: number;
}

/** An open disk store's parts. */
export interface DiskContext {
  readonly buckets: ReadonlySet<string>;
  readonly limits: DiskLimits;
  readonly index: IndexFile;
  readonly objects: ObjectTable;
  readonly uploads: UploadTable;
  readonly blobs: Blobs;
  readonly files: FileOperations;
  readonly quotas: Quotas;
  readonly tasks: Tasks;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What a write inside the index decided: a refusal, before it changed anything, or a value and the blobs it let go of. */
export type Written<T> = Result<{ readonly value: T; readonly released: readonly string[] }, ObjectFailure>;

/**
 * Makes `apply` true and durable, then removes the blobs that nothing refers to any more. `fresh`, the new blob that `apply`
 * refers to, is removed too when it was refused. Rejects with ERR_STORE_UNAVAILABLE: nothing changed.
 */
export async function commit<T>(
  c: DiskContext,
  fresh: string | null,
  apply: () => Written<T>,
): Promise<Result<T, ObjectFailure>> {
  const mine = fresh === null ? [] : [fresh];
  const run = () => {
    const written = apply();
    const candidates = written.ok ? written.value.released : mine;
    return { written, free: candidates.filter((blob) => !c.objects.isReferenced(blob)) };
  };
  try {
    const { written, free } = await c.index.write(run);
    c.blobs.remove(free);
    return written.ok ? ok(written.value.value) : written;
  } catch (cause) {
    for (const blob of mine) c.blobs.doubt(blob);
    throw cause;
  }
}

/** Inside a write: puts `draft` in the object's place if conditions and quota allow it. */
export function replaceObject(
  c: DiskContext,
  object: ObjectRef,
  o: {
    readonly draft: ObjectDraft;
    readonly conditions: Conditions;
    /** May the bucket grow by so many bytes? */
    readonly hasRoomFor: (delta: number) => boolean;
  },
): Written<ObjectInfo> {
  const current = c.objects.find(object)?.info;
  const check = checkWrite(current, o.conditions);
  if (!check.ok) return check;
  if (!o.hasRoomFor(o.draft.size - (current?.size ?? 0))) return quotaExceeded(object.bucket);
  const { info, released } = c.objects.replace(object, o.draft);
  return ok({ value: info, released });
}

export const quotaExceeded = (bucket: string): Err<ObjectFailure> =>
  objectFailure('quota_exceeded', `the bucket ${bucket} has no room for it`);

export const keyUnknown = (): Err<ObjectFailure> => objectFailure('key_unknown', 'no such object');

/** Runs a call; the store's own faults become `storage_unavailable`, anything else is thrown. */
export async function answer<T>(
  c: DiskContext,
  call: () => Promise<Result<T, ObjectFailure>>,
): Promise<Result<T, ObjectFailure>> {
  if (c.tasks.isClosed) return objectFailure('storage_unavailable', 'the object store is closed');
  try {
    return await c.tasks.track(call());
  } catch (cause) {
    if (!(cause instanceof JobpassError) || cause.code !== 'ERR_STORE_UNAVAILABLE') throw cause;
    c.log.error({ cause: String(cause), reason: String(cause.cause) }, 'the object store is not available');
    return objectFailure('storage_unavailable', cause.message, { cause });
  }
}

/** The bucket's name must be one of the settings'; a key that breaks the port's precondition is a fault of the program. */
export function checkBucket(c: DiskContext, bucket: string, ...keys: readonly string[]): Result<null, ObjectFailure> {
  for (const key of keys) {
    const length = keyBytes(key).length;
    if (length === 0 || length > MAX_KEY_BYTES || key.includes('\0') || !key.isWellFormed()) {
      throw new JobpassError('ERR_OBJECT_KEY', 'an object key breaks the bounds of the port');
    }
  }
  return c.buckets.has(bucket) ? ok(null) : objectFailure('bucket_unknown', 'no such bucket');
}
