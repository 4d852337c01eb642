// Uploads in parts at the upstream.
import { createHash } from 'node:crypto';
import { err, ok, type Result } from '../../../base/core/result.ts';
import { endedCall, objectFailure } from '../failure.ts';
import { resolveRange } from '../range.ts';
import {
  type CompleteOptions,
  type CopyPartOptions,
  type CreateUploadOptions,
  MAX_LIST_ENTRIES,
  MAX_PART_NUMBER,
  type ObjectAttributes,
  type ObjectFailure,
  type ObjectInfo,
  type ObjectRef,
  type PartInfo,
  type PartListing,
  type PutPartOptions,
  type UploadRef,
} from '../store.ts';
import { askDocument, askHead, type Outcome, told, type UpstreamContext } from './context.ts';
import { decodeCopy, decodeParts, decodeUploadId, encodeCompletion } from './documents.ts';
import { attributeHeaders, unquoted } from './headers.ts';
import { copyObject, look, pinSource, pinWrite } from './objects.ts';
import { outgoingBody, piecesOf } from './outgoing-body.ts';

export async function createUpload(
  c: UpstreamContext,
  object: ObjectRef,
  { attributes }: CreateUploadOptions,
): Outcome<{ readonly uploadId: string }> {
  const query = [['uploads', '']] as const;
  return askDocument(c, object, {
    method: 'POST',
    query,
    headers: attributeHeaders(attributes),
    decode: decodeUploadId,
  });
}

export async function putPart(
  c: UpstreamContext,
  upload: UploadRef,
  part: number,
  { content, signal }: PutPartOptions,
): Outcome<PartInfo> {
  if (!isPartNumber(part)) return PART_OUT_OF_BOUNDS;
  const body = await outgoingBody(content, signal);
  if (!body.ok) return body;
  const request = { method: 'PUT', query: partQuery(upload, part), body: body.value, signal } as const;
  const answer = ofUpload(await askHead(c, upload, request));
  if (!answer.ok) return answer;
  const { etag } = answer.value;
  if (etag === undefined) return told<PartInfo>(undefined);
  const stored = { part, size: body.value.length, etag: unquoted(etag), modifiedAt: c.clock.nowMs() };
  return ok({ ...stored, checksums: content.checksums() });
}

export async function copyPart(
  c: UpstreamContext,
  upload: UploadRef,
  part: number,
  { range, signal, source, sourceConditions }: CopyPartOptions,
): Outcome<PartInfo> {
  if (!isPartNumber(part)) return PART_OUT_OF_BOUNDS;
  const from = await pinSource(c, source, sourceConditions);
  if (!from.ok) return from;
  const { info } = from.value;
  const span = range === undefined ? ok({ first: 0, last: info.size - 1 }) : resolveRange(range, info);
  if (!span.ok) return span;
  const { first, last } = span.value;
  const headers = {
    ...from.value.headers,
    ...(range === undefined ? {} : { 'x-amz-copy-source-range': `bytes=${first}-${last}` }),
  };
  const request = { method: 'PUT', query: partQuery(upload, part), headers, signal, decode: decodeCopy } as const;
  const copied = ofUpload(await askDocument(c, upload, request));
  if (!copied.ok) return copied;
  return ok({ part, size: last - first + 1, etag: copied.value.etag, checksums: {}, modifiedAt: c.clock.nowMs() });
}

export async function listParts(
  c: UpstreamContext,
  upload: UploadRef,
  { after, limit }: { readonly after: number; readonly limit: number },
): Outcome<PartListing> {
  const query = [
    ['uploadId', upload.uploadId],
    ['max-parts', String(Math.min(limit, MAX_LIST_ENTRIES))],
    ['part-number-marker', String(after)],
  ] as const;
  return ofUpload(await askDocument(c, upload, { method: 'GET', query, decode: decodeParts }));
}

export async function completeUpload(
  c: UpstreamContext,
  upload: UploadRef,
  options: CompleteOptions,
): Outcome<ObjectInfo> {
  const problem = partsProblem(options.parts);
  if (problem !== undefined) return err(problem);
  const { attributes } = options;
  const fits = attributes === undefined ? ok(null) : await fitsIntoCopy(c, upload);
  if (!fits.ok) return fits;
  const pinned = await pinWrite(c, upload, options.conditions);
  if (!pinned.ok) return pinned;
  const ended = endedCall(options.signal);
  if (ended !== undefined) return ended;
  const document = Buffer.from(encodeCompletion(options.parts));
  const headers = { 'content-type': 'application/xml', ...pinned.value };
  const body = { bytes: piecesOf([document]), length: document.length };
  const request = { method: 'POST', query: uploadQuery(upload), headers, body, decode: decodeCopy } as const;
  const done = ofUpload(await askDocument(c, upload, request));
  if (!done.ok) return done;
  if (attributes === undefined) return look(c, upload);
  // Ceph 16 does not tell the ETag here.
  return giveAttributes(c, upload, { attributes, etag: done.value.etag || etagOfParts(options.parts) });
}

/**
 * S3 takes attributes at the beginning of an upload only: the object is copied onto itself. Who reads it in between does not see
 * them yet.
 */
async function giveAttributes(
  c: UpstreamContext,
  object: ObjectRef,
  { attributes, etag }: { readonly attributes: ObjectAttributes; readonly etag: string },
): Outcome<ObjectInfo> {
  const { signal } = new AbortController();
  const sourceConditions = { ifMatch: [etag] };
  const given = await copyObject(c, { source: object, target: object, attributes, sourceConditions, signal });
  if (given.ok || given.error.problem !== 'precondition_failed') return given;
  return objectFailure('conflict', 'the object was replaced before it had its attributes');
}

/** As S3 makes it of the parts' own. */
function etagOfParts(parts: CompleteOptions['parts']): string {
  const hash = createHash('md5');
  for (const { etag } of parts) hash.update(etag, 'hex');
  return `${hash.digest('hex')}-${parts.length}`;
}

/** S3 copies no more than this at once. */
const MAX_COPY_BYTES = 5 * 1024 ** 3;

async function fitsIntoCopy(c: UpstreamContext, upload: UploadRef): Outcome<null> {
  let size = 0;
  for (let after: number | null = 0; after !== null; ) {
    const listed: Result<PartListing, ObjectFailure> = await listParts(c, upload, { after, limit: MAX_LIST_ENTRIES });
    if (!listed.ok) return listed;
    size += listed.value.parts.reduce((sum, part) => sum + part.size, 0);
    after = listed.value.next;
  }
  return size <= MAX_COPY_BYTES ? ok(null) : TOO_LARGE_TO_COPY;
}

const TOO_LARGE_TO_COPY = objectFailure(
  'not_supported',
  `attributes after the upload of more than ${MAX_COPY_BYTES} bytes`,
);

export async function abortUpload(c: UpstreamContext, upload: UploadRef): Outcome<null> {
  const answer = ofUpload(await askHead(c, upload, { method: 'DELETE', query: uploadQuery(upload) }));
  return answer.ok ? ok(null) : answer;
}

const isPartNumber = (part: number): boolean => Number.isInteger(part) && part >= 1 && part <= MAX_PART_NUMBER;

const PART_OUT_OF_BOUNDS = objectFailure('part_invalid', `parts are numbered 1 to ${MAX_PART_NUMBER}`);

function partsProblem(parts: CompleteOptions['parts']): ObjectFailure | undefined {
  if (parts.length === 0) return { problem: 'part_invalid', detail: 'no part is named' };
  const isRising = parts.every(({ part }, index) => index === 0 || part > (parts[index - 1]?.part ?? 0));
  return isRising ? undefined : { problem: 'part_order', detail: 'the numbers of the parts do not rise' };
}

const uploadQuery = ({ uploadId }: UploadRef) => [['uploadId', uploadId]] as const;

const partQuery = (upload: UploadRef, part: number) => [['partNumber', String(part)], ...uploadQuery(upload)] as const;

/** What is not found where an upload is named is the upload. */
const ofUpload = <T>(result: Result<T, ObjectFailure>): Result<T, ObjectFailure> =>
  result.ok || result.error.problem !== 'key_unknown' ? result : err({ ...result.error, problem: 'upload_unknown' });
