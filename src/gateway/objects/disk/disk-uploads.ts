// Multipart uploads on the disk. An object made of parts has their blobs: completing moves no byte.
import { createHash } from 'node:crypto';
import type { Checksums } from '../../../base/checksum/checksum.ts';
import { ok, type Result } from '../../../base/core/result.ts';
import { checkSource, checkWrite } from '../conditions.ts';
import { endedCall, objectFailure } from '../failure.ts';
import { resolveRange } from '../range.ts';
import {
  type CompleteOptions,
  type CopyPartOptions,
  type CreateUploadOptions,
  MAX_LIST_ENTRIES,
  MAX_PART_NUMBER,
  type ObjectFailure,
  type ObjectInfo,
  type ObjectRef,
  type PartInfo,
  type PartListing,
  type PutPartOptions,
  type UploadRef,
} from '../store.ts';
import { BlobReader } from './blob-reader.ts';
import { checkBucket, commit, type DiskContext, keyUnknown, replaceObject, type Written } from './context.ts';
import type { ObjectDraft } from './object-table.ts';
import { receiving } from './receiving.ts';
import type { StoredPart, StoredUpload } from './upload-table.ts';

type Outcome<T> = Promise<Result<T, ObjectFailure>>;

const UPLOAD_ID_BYTES = 16;
/** Uploads removed in one transaction. */
const REMOVED_AT_ONCE = 20;

const uploadUnknown = () => objectFailure('upload_unknown', 'no such upload for this object');

function findUpload(c: DiskContext, upload: UploadRef): Result<StoredUpload, ObjectFailure> {
  const known = checkBucket(c, upload.bucket, upload.key);
  if (!known.ok) return known;
  const found = c.index.read(() => c.uploads.find(upload));
  return found === undefined ? uploadUnknown() : ok(found);
}

export async function createUpload(
  c: DiskContext,
  object: ObjectRef,
  o: CreateUploadOptions,
): Outcome<{ readonly uploadId: string }> {
  const known = checkBucket(c, object.bucket, object.key);
  if (!known.ok) return known;
  const uploadId = Buffer.from(c.random.bytes(UPLOAD_ID_BYTES)).toString('hex');
  return commit(c, null, () => {
    c.uploads.create(uploadId, object, { ...o, now: c.clock.nowMs() });
    return ok({ value: { uploadId }, released: [] });
  });
}

export async function putPart(c: DiskContext, upload: UploadRef, part: number, o: PutPartOptions): Outcome<PartInfo> {
  if (!Number.isInteger(part) || part < 1 || part > MAX_PART_NUMBER) {
    return objectFailure('part_invalid', `part numbers run from 1 to ${MAX_PART_NUMBER}`);
  }
  const found = findUpload(c, upload);
  if (!found.ok) return found;
  const replacedBytes = c.index.read(() => c.uploads.part(upload.uploadId, part))?.size ?? 0;
  return receiving(c, { ...o, bucket: upload.bucket, replacedBytes }, async (received) => {
    const { blob, size, md5: etag, checksums } = received;
    const info = { part, size, etag, checksums };
    return commit(c, blob, () => storePart(c, upload, { ...info, blob, modifiedAt: c.clock.nowMs() }));
  });
}

/** The upload may have ended while the part arrived. */
function storePart(c: DiskContext, upload: UploadRef, stored: StoredPart): Written<PartInfo> {
  if (c.uploads.find(upload) === undefined) return uploadUnknown();
  const { blob: _, ...info } = stored;
  const before = c.uploads.part(upload.uploadId, stored.part)?.size ?? 0;
  if (!c.quotas.mayStore(upload.bucket, stored.size - before)) {
    return objectFailure('quota_exceeded', 'the bucket has no room for the part');
  }
  return ok({ value: info, released: c.uploads.replacePart(upload, stored) });
}

/**
 * Copies bytes, unlike `copy`: a part that kept a whole blob alive for the sake of a few of its bytes would take space that
 * no quota counts.
 */
export async function copyPart(c: DiskContext, upload: UploadRef, part: number, o: CopyPartOptions): Outcome<PartInfo> {
  const known = checkBucket(c, o.source.bucket, o.source.key);
  if (!known.ok) return known;
  const info = c.index.read(() => c.objects.find(o.source))?.info;
  if (info === undefined) return keyUnknown();
  const check = checkSource(info, o.sourceConditions ?? {});
  if (!check.ok) return check;
  const range = o.range === undefined ? ok({ first: 0, last: info.size - 1 }) : resolveRange(o.range, info);
  if (!range.ok) return range;
  const span = range.value;
  const segments = c.index.read(() => c.objects.segmentsOf(info));
  const body = new BlobReader({ blobs: c.blobs, files: c.files, segments, span });
  try {
    const content = { body, size: span.last + 1 - span.first, checksums: () => ({}) };
    return await putPart(c, upload, part, { content, signal: o.signal });
  } finally {
    body.destroy();
  }
}

export async function listParts(
  c: DiskContext,
  upload: UploadRef,
  o: { readonly after: number; readonly limit: number },
): Outcome<PartListing> {
  const found = findUpload(c, upload);
  if (!found.ok) return found;
  const limit = Math.max(0, Math.min(o.limit, MAX_LIST_ENTRIES));
  const rows = c.index.read(() => c.uploads.parts(upload.uploadId, { after: o.after, limit: limit + 1 }));
  const parts = rows.slice(0, limit).map(({ blob: _, ...info }) => info);
  const isTruncated = limit > 0 && rows.length > limit;
  const next = isTruncated ? (parts.at(-1)?.part ?? null) : null;
  return ok({ checksumAlgorithm: found.value.checksumAlgorithm, parts, isTruncated, next });
}

/** Asked again after it succeeded, it answers the same, as long as the object it made stands: the first answer may be lost. */
export async function completeUpload(c: DiskContext, upload: UploadRef, o: CompleteOptions): Outcome<ObjectInfo> {
  const known = checkBucket(c, upload.bucket, upload.key);
  if (!known.ok) return known;
  return commit(c, null, () => {
    const found = c.uploads.find(upload);
    if (found === undefined) return completedBefore(c, upload);
    const named = namedParts(c, upload, o);
    if (!named.ok) return named;
    const check = endedCall(o.signal) ?? checkWrite(c.objects.find(upload)?.info, o.conditions ?? {});
    if (!check.ok) return check;
    // First the parts, then the object: what both have is counted once.
    const left = c.uploads.remove(upload.uploadId);
    const draft = draftOf(c, { found, upload, parts: named.value, options: o });
    const written = replaceObject(c, upload, { draft, conditions: {}, hasRoomFor: () => true });
    return written.ok ? ok({ ...written.value, released: [...written.value.released, ...left] }) : written;
  });
}

function completedBefore(c: DiskContext, upload: UploadRef): Written<ObjectInfo> {
  const standing = c.objects.find(upload);
  return standing?.uploadId === upload.uploadId ? ok({ value: standing.info, released: [] }) : uploadUnknown();
}

/** The stored parts that the caller names, all of them as the caller knows them. */
function namedParts(
  c: DiskContext,
  upload: UploadRef,
  o: CompleteOptions,
): Result<readonly StoredPart[], ObjectFailure> {
  const stored: StoredPart[] = [];
  const minPartBytes = o.anySize === true ? 0 : c.limits.minPartBytes;
  if (o.parts.length === 0) return objectFailure('part_invalid', 'an object is made of one part at least');
  for (const { part, etag, checksums = {} } of o.parts) {
    const before = stored.at(-1);
    if (before !== undefined && before.part >= part) return objectFailure('part_order', `part ${part} is out of order`);
    if (before !== undefined && before.size < minPartBytes) {
      return objectFailure('part_too_small', `part ${before.part} has ${before.size} bytes`);
    }
    const found = c.uploads.part(upload.uploadId, part);
    if (found === undefined || found.etag !== etag || !agrees(found.checksums, checksums)) {
      return objectFailure('part_invalid', `part ${part} is not what was uploaded`);
    }
    stored.push(found);
  }
  return ok(stored);
}

const agrees = (stored: Checksums, named: Checksums): boolean => {
  const known: Readonly<Record<string, string>> = stored;
  return Object.entries(named).every(([algorithm, value]) => known[algorithm] === value);
};

function draftOf(
  c: DiskContext,
  o: { found: StoredUpload; upload: UploadRef; parts: readonly StoredPart[]; options: CompleteOptions },
): ObjectDraft {
  const { parts } = o;
  const hash = createHash('md5');
  for (const part of parts) hash.update(part.etag, 'hex');
  return {
    size: parts.reduce((sum, part) => sum + part.size, 0),
    etag: `${hash.digest('hex')}-${parts.length}`,
    parts: parts.length,
    modifiedAt: c.clock.nowMs(),
    attributes: o.options.attributes ?? o.found.attributes,
    checksums: o.options.checksums?.(parts) ?? {},
    uploadId: o.upload.uploadId,
    segments: parts.flatMap(({ blob, size }) => (blob === null ? [] : [{ blob, size }])),
  };
}

export async function abortUpload(c: DiskContext, upload: UploadRef): Outcome<null> {
  const known = checkBucket(c, upload.bucket, upload.key);
  if (!known.ok) return known;
  return commit(c, null, () => {
    if (c.uploads.find(upload) === undefined) return uploadUnknown();
    return ok({ value: null, released: c.uploads.remove(upload.uploadId) });
  });
}

/** Removes uploads that nothing was added to for too long. Resolves with how many. */
export async function removeAbandonedUploads(c: DiskContext): Promise<number> {
  for (let count = 0; ; ) {
    const removed = await commit(c, null, () => {
      const ids = c.uploads.abandoned(c.clock.nowMs() - c.limits.uploadIdleMs, REMOVED_AT_ONCE);
      return ok({ value: ids.length, released: ids.flatMap((id) => c.uploads.remove(id)) });
    });
    // It refuses nothing, so it always has a value.
    const more = removed.ok ? removed.value : 0;
    count += more;
    if (more < REMOVED_AT_ONCE) return count;
  }
}
