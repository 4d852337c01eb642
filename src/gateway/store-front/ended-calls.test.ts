// A call that ends while the store is asked about something changes nothing any more.
import { beforeEach, expect, test } from 'vitest';
import { FrozenClock } from '../../../test/fakes/frozen-clock.ts';
import { MemoryLog } from '../../../test/fakes/memory-log.ts';
import { contentOf } from '../../../test/fakes/object-content.ts';
import { ok } from '../../base/core/result.ts';
import type { DeleteBlobCall, PutBlockListCall } from '../../wire/blob/call.ts';
import type { ContinueUploadCall, DeleteObjectCall } from '../../wire/gcs/call.ts';
import { deleteBlob } from '../blob/blobs.ts';
import { BlockUploads } from '../blob/block-uploads.ts';
import { putBlockList } from '../blob/blocks.ts';
import type { Work as BlobWork } from '../blob/work.ts';
import { deleteObject } from '../gcs/objects.ts';
import { continuePieces } from '../gcs/upload-pieces.ts';
import type { UploadTicket } from '../gcs/upload-tickets.ts';
import type { Work as GcsWork } from '../gcs/work.ts';
import { endedCall } from '../objects/failure.ts';
import type { CompleteOptions, DeleteOptions, ObjectInfo, ObjectStore } from '../objects/store.ts';
import { uploadOwner } from './owner.ts';

const OBJECT = { bucket: 'web', key: 'a' };
const INFO: ObjectInfo = {
  ...{ key: 'a', size: 4, etag: 'e', modifiedAt: 0, generation: 1 },
  ...{ checksums: {}, metadata: {} },
};
const PART = { part: 1, size: 4, etag: 'e', modifiedAt: 0, checksums: { crc32c: 'AAAAAA==' } };
const SESSION = { role: 'main/publish-web', jobIssuer: 'https://ci.example.com', jobId: 'J1', sessionId: 'S1' };

let ending: AbortController;
let isEnding: boolean;
let changes: string[];
let store: ObjectStore;

beforeEach(() => {
  ending = new AbortController();
  isEnding = true;
  changes = [];
  const answer = async <T>(value: T) => {
    if (isEnding) ending.abort();
    return ok(value);
  };
  const change = async (name: string, { signal }: { readonly signal: AbortSignal }) => {
    const ended = endedCall(signal);
    if (ended === undefined) changes.push(name);
    return ended ?? ok(INFO);
  };
  store = {
    head: () => answer(INFO),
    listParts: () => answer({ checksumAlgorithm: null, parts: [PART], isTruncated: false, next: null }),
    createUpload: async () => ok({ uploadId: 'U1' }),
    delete: (_object: unknown, options: DeleteOptions) => change('delete', options),
    completeUpload: (_upload: unknown, options: CompleteOptions) => change('completeUpload', options),
  } as unknown as ObjectStore;
});

const gcsWork = () =>
  ({ store, signal: ending.signal, session: SESSION, place: { url: '' }, permits: () => true }) as unknown as GcsWork;

async function blobWork(): Promise<BlobWork> {
  const uploads = new BlockUploads({ store, clock: new FrozenClock(), log: new MemoryLog() });
  const owner = uploadOwner(SESSION as BlobWork['session']);
  await uploads.open({ owner, role: SESSION.role, object: OBJECT, upload: '' });
  const id = Buffer.from('00000').toString('base64');
  const content = contentOf(`<BlockList><Latest>${id}</Latest></BlockList>`);
  return {
    store,
    uploads,
    content,
    signal: ending.signal,
    session: SESSION,
    permits: () => true,
  } as unknown as BlobWork;
}

const BLOB = { container: 'web', blob: 'a', conditionKeys: new Map<string, string>(), conditions: {} };
const ATTRIBUTES = { contentType: 'application/octet-stream', metadata: {} };

const CASES: readonly (readonly [name: string, change: string, call: () => Promise<unknown>])[] = [
  [
    'a deletion at the Cloud Storage front',
    'delete',
    () => {
      const call: DeleteObjectCall = { operation: 'DeleteObject', ...OBJECT, generation: null, conditions: {} };
      return deleteObject(gcsWork(), call);
    },
  ],
  [
    'the end of a resumable upload',
    'completeUpload',
    () => {
      const span = { kind: 'query', total: 4 } as const;
      const call: ContinueUploadCall = { operation: 'ContinueUpload', ...OBJECT, uploadId: '', span, hashes: {} };
      const ticket: UploadTicket = { uploadId: 'U1', attributes: ATTRIBUTES, conditions: {}, hashes: {} };
      return continuePieces(gcsWork(), { call, ticket });
    },
  ],
  [
    'a deletion at the Blob front',
    'delete',
    async () => {
      const call: DeleteBlobCall = { operation: 'DeleteBlob', ...BLOB };
      return deleteBlob(await blobWork(), call);
    },
  ],
  [
    'a list of blocks',
    'completeUpload',
    async () => {
      const call: PutBlockListCall = { operation: 'PutBlockList', ...BLOB, attributes: ATTRIBUTES, digest: null };
      return putBlockList(await blobWork(), call);
    },
  ],
];

test.each(CASES)('%s is not carried out once its call has ended', async (_name, _change, call) => {
  expect(await call()).toMatchObject({ ok: false, error: { reason: 'request_malformed' } });
  expect(changes).toEqual([]);
});

test.each(CASES)('%s is carried out while its call lasts', async (_name, change, call) => {
  isEnding = false;
  expect(await call()).toMatchObject({ ok: true });
  expect(changes).toEqual([change]);
});
