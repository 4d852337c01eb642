// Carries out uploads in blocks, each for its owner alone: blocks are parts of an upload of the store, by their number.
import { isDeepStrictEqual } from 'node:util';
import { err, ok, type Result } from '../../base/core/result.ts';
import { type BlockList, decodeBlockList } from '../../wire/blob/block-list.ts';
import type { PutBlockCall, PutBlockListCall } from '../../wire/blob/call.ts';
import { digestHeaders, writeHeaders } from '../../wire/blob/results.ts';
import { objectFailure } from '../objects/failure.ts';
import {
  type CompleteOptions,
  MAX_LIST_ENTRIES,
  type ObjectFailure,
  type ObjectInfo,
  type PartInfo,
  type PartListing,
  type UploadRef,
} from '../objects/store.ts';
import { uploadOwner } from '../store-front/owner.ts';
import { type BlockPlace, commitOf, DEFAULT_ATTRIBUTES } from './block-uploads.ts';
import { readSmallBody } from './small-body.ts';
import { failed, type Outcome, objectOf, type Work } from './work.ts';

/** Put Block: nothing is stored unless the whole body is what the request said. */
export async function putBlock(work: Work, call: PutBlockCall): Promise<Outcome> {
  const place = placeOf(work, call, call.block.upload);
  const upload = await work.uploads.open(place);
  if (!upload.ok) return failed(work, call, upload.error);
  const { content, signal } = work;
  const stored = await work.store.putPart(upload.value, partOf(call.block.number), { content, signal });
  if (stored.ok) return ok({ status: 201, headers: digestHeaders(call.digest), body: null });
  if (stored.error.problem !== 'upload_unknown') return failed(work, call, stored.error);
  // The store dropped it: what the client sends next begins another.
  work.uploads.ended(place, upload.value, null);
  return failed(work, call, { ...stored.error, problem: 'storage_unavailable' });
}

/** Put Block List: makes the blob of the named blocks. An empty list makes an empty blob, as at Azure. */
export async function putBlockList(work: Work, call: PutBlockListCall): Promise<Outcome> {
  const body = await readSmallBody(work);
  if (!body.ok) return body;
  const list = decodeBlockList(body.value);
  if (!list.ok) return ok({ error: list.error });
  const made = await commit(work, call, list.value);
  if (!made.ok) return failed(work, call, made.error);
  return ok({ status: 201, headers: writeHeaders(made.value, call.digest), body: null });
}

type Made = Promise<Result<ObjectInfo, ObjectFailure>>;

async function commit(work: Work, call: PutBlockListCall, { upload, numbers }: BlockList): Made {
  if (upload === null) return putEmpty(work, call);
  const place = placeOf(work, call, upload);
  const open = await work.uploads.find(place);
  if (open === undefined) return committedBefore(work, place, numbers);
  const stored = await partsOf(work, open);
  if (!stored.ok) return stored;
  const parts: PartInfo[] = [];
  for (const number of numbers) {
    const part = stored.value.get(partOf(number));
    if (part === undefined) return objectFailure('part_invalid', `block ${number} was not uploaded`);
    parts.push(part);
  }
  const options = { ...completion(call, parts), signal: work.signal };
  const completed = await work.store.completeUpload(open, options);
  if (completed.ok) work.uploads.ended(place, open, commitOf(numbers, completed.value));
  return completed;
}

/** Attributes come with the list. The usual ones were given when the upload began, for stores that take them only then. */
function completion(
  { attributes, conditions }: PutBlockListCall,
  parts: readonly PartInfo[],
): Omit<CompleteOptions, 'signal'> {
  const named = parts.map(({ part, etag }) => ({ part, etag }));
  const isUsual = isDeepStrictEqual(attributes, DEFAULT_ATTRIBUTES);
  return { parts: named, conditions, anySize: true, ...(isUsual ? {} : { attributes }) };
}

/** Asked again after it succeeded, it answers the same, as long as the blob stands: the first answer may be lost. */
async function committedBefore(work: Work, place: BlockPlace, numbers: readonly number[]): Made {
  const before = work.uploads.committed(place);
  const standing = before === undefined ? undefined : await work.store.head(place.object);
  const isSame = standing?.ok === true && isDeepStrictEqual(before, commitOf(numbers, standing.value));
  return isSame ? standing : objectFailure('upload_unknown', 'no blocks with such ids are there for this role and job');
}

const NOTHING = { body: (async function* () {})(), size: 0, checksums: () => ({}) };

const putEmpty = ({ store, signal }: Work, call: PutBlockListCall): Made =>
  store.put(objectOf(call), { content: NOTHING, attributes: call.attributes, conditions: call.conditions, signal });

/** All blocks of an upload, by the number of their part. */
async function partsOf(
  { store }: Work,
  upload: UploadRef,
): Promise<Result<ReadonlyMap<number, PartInfo>, ObjectFailure>> {
  const parts = new Map<number, PartInfo>();
  for (let after: number | null = 0; after !== null; ) {
    const listed: Result<PartListing, ObjectFailure> = await store.listParts(upload, {
      after,
      limit: MAX_LIST_ENTRIES,
    });
    if (!listed.ok) return err(listed.error);
    for (const part of listed.value.parts) parts.set(part.part, part);
    after = listed.value.next;
  }
  return ok(parts);
}

/** Blocks are numbered from 0, parts from 1. */
const partOf = (number: number): number => number + 1;

const placeOf = ({ session }: Work, call: PutBlockCall | PutBlockListCall, upload: string): BlockPlace => ({
  owner: uploadOwner(session),
  role: session.role,
  object: objectOf(call),
  upload,
});
