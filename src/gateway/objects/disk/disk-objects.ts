// Single objects on the disk: head, get, put, delete, copy, list. Uploads in parts are disk-uploads' business.
import type { Writable } from 'node:stream';
import { ok, type Result } from '../../../base/core/result.ts';
import { checkRead, checkSource, checkWrite } from '../conditions.ts';
import { endedCall } from '../failure.ts';
import { resolveRange } from '../range.ts';
import type {
  Conditions,
  CopyOptions,
  DeleteOptions,
  GetOptions,
  Listing,
  ListOptions,
  ObjectFailure,
  ObjectInfo,
  ObjectRef,
  OpenObject,
  PutOptions,
} from '../store.ts';
import { BlobReader } from './blob-reader.ts';
import { checkBucket, commit, type DiskContext, keyUnknown, replaceObject } from './context.ts';
import { listObjects } from './listing.ts';
import { receiving } from './receiving.ts';

type Outcome<T> = Promise<Result<T, ObjectFailure>>;

/** The object as it stands, if the conditions allow its reading. */
function look(c: DiskContext, object: ObjectRef, conditions: Conditions): Result<ObjectInfo, ObjectFailure> {
  const known = checkBucket(c, object.bucket, object.key);
  if (!known.ok) return known;
  const found = c.index.read(() => c.objects.find(object));
  if (found === undefined) return keyUnknown();
  const check = checkRead(found.info, conditions);
  return check.ok ? ok(found.info) : check;
}

export async function headObject(c: DiskContext, object: ObjectRef, conditions: Conditions): Outcome<ObjectInfo> {
  return look(c, object, conditions);
}

/** From the look to the pinning of its blobs nothing else runs: the bytes are those of the object that was found. */
export async function getObject(c: DiskContext, object: ObjectRef, o: GetOptions): Outcome<OpenObject> {
  const found = look(c, object, o.conditions ?? {});
  if (!found.ok) return found;
  const info = found.value;
  const range = o.range === undefined ? null : resolveRange(o.range, info);
  if (range !== null && !range.ok) return range;
  const segments = c.index.read(() => c.objects.segmentsOf(info));
  const span = range === null ? { first: 0, last: info.size - 1 } : range.value;
  const reader = new BlobReader({ blobs: c.blobs, files: c.files, segments, span });
  const body = await reader.prepare();
  c.tasks.watch(body, o.signal);
  const sendTo = (target: Writable) => body.sendTo(target);
  return ok({ info, range: range === null ? null : range.value, body, sendTo });
}

export async function putObject(c: DiskContext, object: ObjectRef, o: PutOptions): Outcome<ObjectInfo> {
  const known = checkBucket(c, object.bucket, object.key);
  if (!known.ok) return known;
  const conditions = o.conditions ?? {};
  // Refused before a byte is read; what counts is the same check in the moment of the write.
  const current = c.index.read(() => c.objects.find(object))?.info;
  const early = checkWrite(current, conditions);
  if (!early.ok) return early;
  const replacedBytes = current?.size ?? 0;
  return receiving(c, { ...o, bucket: object.bucket, replacedBytes }, async (received) => {
    const { blob, size, md5, checksums } = received;
    const segments = blob === null ? [] : [{ blob, size }];
    const standing = { size, etag: md5, parts: null, checksums, uploadId: null, segments };
    return commit(c, blob, () => {
      const draft = { ...standing, attributes: o.attributes, modifiedAt: c.clock.nowMs() };
      const hasRoomFor = (delta: number) => c.quotas.mayStore(object.bucket, delta);
      return replaceObject(c, object, { draft, conditions, hasRoomFor });
    });
  });
}

export async function deleteObject(
  c: DiskContext,
  object: ObjectRef,
  { conditions = {}, signal }: DeleteOptions,
): Outcome<null> {
  const known = checkBucket(c, object.bucket, object.key);
  if (!known.ok) return known;
  return commit(c, null, () => {
    const check = endedCall(signal) ?? checkWrite(c.objects.find(object)?.info, conditions);
    if (!check.ok) return check;
    return ok({ value: null, released: c.objects.remove(object) });
  });
}

/** By reference: the copy has the source's blobs, and no byte moves. */
export async function copyObject(c: DiskContext, o: CopyOptions): Outcome<ObjectInfo> {
  const { source, target, conditions = {} } = o;
  const known = checkBucket(c, source.bucket, source.key);
  if (!known.ok) return known;
  const into = checkBucket(c, target.bucket, target.key);
  if (!into.ok) return into;
  return commit(c, null, () => {
    const found = c.objects.find(source)?.info;
    if (found === undefined) return keyUnknown();
    const check = checkSource(found, o.sourceConditions ?? {});
    if (!check.ok) return check;
    const { size, etag, checksums, parts = null } = found;
    const segments = c.objects.segmentsOf(found);
    const standing = { size, etag, checksums, parts, segments, uploadId: null };
    const draft = { ...standing, attributes: o.attributes ?? found, modifiedAt: c.clock.nowMs() };
    const hasRoomFor = (delta: number) => c.quotas.hasRoomFor(target.bucket, delta);
    return replaceObject(c, target, { draft, conditions, hasRoomFor });
  });
}

export async function listBucket(c: DiskContext, bucket: string, o: ListOptions): Outcome<Listing> {
  const known = checkBucket(c, bucket);
  return known.ok ? ok(c.index.read(() => listObjects(c.objects, bucket, o))) : known;
}
