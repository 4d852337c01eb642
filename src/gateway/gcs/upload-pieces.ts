// Resumable uploads that come in pieces: each piece is a part of the store's upload, and how far the upload got is what the store
// says, not what anybody remembers.
import { combineCrc32c } from '../../base/checksum/crc32c-combine.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { type GcsError, gcsError } from '../../wire/gcs/errors.ts';
import { hashBody } from '../../wire/gcs/hashes.ts';
import type { ObjectFailure, PartInfo, UploadRef } from '../objects/store.ts';
import type { OpenUpload } from './upload-tickets.ts';
import { declined, failed, type Outcome, type Work, written } from './work.ts';

/** Google's own: pieces but the last are whole multiples of it. */
const PIECE_UNIT = 256 * 1024;

/** What arrived of an upload. */
interface Progress {
  readonly upload: UploadRef;
  readonly parts: readonly PartInfo[];
  /** Bytes. */
  readonly received: number;
}

/** Takes a piece, answers how far the upload got, or completes it. Precondition: the caller owns the upload. */
export async function continuePieces(work: Work, opened: OpenUpload): Promise<Outcome> {
  const { call, ticket } = opened;
  const { bucket, key, span } = call;
  const progress = await progressOf(work, { bucket, key, uploadId: ticket.uploadId });
  if (!progress.ok) return failed(work, bucket, progress.error);
  const { received } = progress.value;
  if (span.kind === 'query') {
    return span.total === received ? complete(work, opened, progress.value) : incomplete(received);
  }
  if (span.first > received)
    return declined(gcsError('invalid', 'Bytes before these have not arrived.', 'Content-Range'));
  // Google has the client read in the answer where to go on, too.
  if (span.first < received) return incomplete(received);
  const isLast = span.kind === 'rest' || span.last + 1 === span.total;
  const refusal = refusePiece(work, opened, { isLast, before: progress.value.parts });
  if (refusal !== undefined) return declined(refusal);
  const part = await putPiece(work, opened, progress.value);
  if (!part.ok) return failed(work, bucket, part.error);
  const parts = [...progress.value.parts, part.value];
  const now = { ...progress.value, parts, received: received + part.value.size };
  return isLast ? complete(work, opened, now) : incomplete(now.received);
}

/** 308 with what arrived; without a range, nothing did. */
const incomplete = (received: number): Outcome =>
  ok({ status: 308, headers: received === 0 ? {} : { range: `bytes=0-${received - 1}` }, body: null });

async function progressOf({ store }: Work, upload: UploadRef): Promise<Result<Progress, ObjectFailure>> {
  const parts: PartInfo[] = [];
  let after: number | null = 0;
  while (after !== null) {
    const listed = await store.listParts(upload, { after, limit: 1000 });
    if (!listed.ok) return listed;
    parts.push(...listed.value.parts);
    after = listed.value.next;
  }
  return ok({ upload, parts, received: parts.reduce((sum, { size }) => sum + size, 0) });
}

/** Why a piece cannot be taken, or undefined. */
function refusePiece(
  { bodyBytes }: Work,
  { call, ticket }: OpenUpload,
  { before, isLast }: { readonly before: readonly PartInfo[]; readonly isLast: boolean },
): GcsError | undefined {
  const { span } = call;
  const known = wholeCrc32c(before);
  if (!known.ok) return known.error;
  // Nobody could compare it: the MD5 of a whole does not follow from those of its parts.
  if (ticket.hashes.md5 !== undefined)
    return gcsError('notImplemented', 'An upload in pieces cannot be held to an MD5.');
  if (span.kind !== 'bytes') return undefined;
  const size = span.last - span.first + 1;
  if (bodyBytes !== null && bodyBytes !== size) {
    return gcsError('badRequest', 'Content-Range and Content-Length contradict each other.');
  }
  if (isLast || size % PIECE_UNIT === 0) return undefined;
  return gcsError('invalid', `Every piece but the last is a multiple of ${PIECE_UNIT} bytes.`, 'Content-Range');
}

function putPiece(work: Work, { call }: OpenUpload, { parts, upload }: Progress) {
  const { span } = call;
  const size = span.kind === 'bytes' ? span.last - span.first + 1 : work.bodyBytes;
  const content = { ...hashBody(work.body, {}), size };
  return work.store.putPart(upload, parts.length + 1, { content, signal: work.signal });
}

async function complete(work: Work, { ticket }: OpenUpload, { parts, upload }: Progress): Promise<Outcome> {
  const { conditions, hashes } = ticket;
  const crc32c = wholeCrc32c(parts);
  if (!crc32c.ok) return declined(crc32c.error);
  if (hashes.crc32c !== undefined && hashes.crc32c !== crc32c.value) {
    await work.store.abortUpload(upload);
    return declined(gcsError('invalid', 'Provided CRC32C does not match what was received.'));
  }
  const checksums = () => ({ crc32c: crc32c.value });
  const named = parts.map(({ etag, part }) => ({ part, etag }));
  const options = { parts: named, conditions, checksums, anySize: true, signal: work.signal };
  const completed = await work.store.completeUpload(upload, options);
  if (!completed.ok) return failed(work, upload.bucket, completed.error);
  return written(work, upload.bucket, completed.value, checksums());
}

/** Clients delete what they uploaded when they are not told its CRC32C, so there is no object without one. */
function wholeCrc32c(parts: readonly PartInfo[]): Result<string, GcsError> {
  const runs = parts.map(({ checksums, size }) => ({ digest: Buffer.from(checksums.crc32c ?? '', 'base64'), size }));
  if (runs.some(({ digest }) => digest.length !== 4)) {
    return err(gcsError('notImplemented', 'The store behind this gateway takes objects in one piece only.'));
  }
  return ok(combineCrc32c(runs).toString('base64'));
}
