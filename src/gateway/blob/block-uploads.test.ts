// Which upload blocks go to: one for each owner, blob and set of ids, begun once, bounded, and dropped when nobody adds to it.
import { beforeEach, describe, expect, test } from 'vitest';
import { FrozenClock } from '../../../test/fakes/frozen-clock.ts';
import { MemoryLog } from '../../../test/fakes/memory-log.ts';
import { ok } from '../../base/core/result.ts';
import { objectFailure } from '../objects/failure.ts';
import type { ObjectStore } from '../objects/store.ts';
import { type BlockPlace, BlockUploads, MAX_OF_OWNER, MAX_OF_ROLE } from './block-uploads.ts';

const HOUR_MS = 3_600_000;

let made: number;
let aborted: string[];
let createUpload: ObjectStore['createUpload'];
let clock: FrozenClock;
let uploads: BlockUploads;

beforeEach(() => {
  made = 0;
  aborted = [];
  createUpload = async () => {
    made += 1;
    return ok({ uploadId: `U${made}` });
  };
  const store = {
    createUpload: (...asked: Parameters<ObjectStore['createUpload']>) => createUpload(...asked),
    abortUpload: async ({ uploadId }: { readonly uploadId: string }) => {
      aborted.push(uploadId);
      return ok(null);
    },
  } as unknown as ObjectStore;
  clock = new FrozenClock();
  uploads = new BlockUploads({ store, clock, log: new MemoryLog() });
});

const place = (over: Partial<BlockPlace> = {}): BlockPlace => ({
  owner: 'job 1',
  role: 'main/deploy',
  object: { bucket: 'web', key: 'a' },
  upload: '00',
  ...over,
});

/** The first one that is begun. */
const U1 = { bucket: 'web', key: 'a', uploadId: 'U1' };

const idOf = async (at: BlockPlace): Promise<string> => {
  const opened = await uploads.open(at);
  return opened.ok ? opened.value.uploadId : opened.error.problem;
};

describe('an upload in blocks', () => {
  test('is begun once, however many blocks come at once', async () => {
    expect(await Promise.all([idOf(place()), idOf(place()), idOf(place())])).toEqual(['U1', 'U1', 'U1']);
    expect(await uploads.find(place())).toEqual({ bucket: 'web', key: 'a', uploadId: 'U1' });
  });

  test.each<[string, Partial<BlockPlace>]>([
    ['owner', { owner: 'job 2' }],
    ['blob', { object: { bucket: 'web', key: 'b' } }],
    ['container', { object: { bucket: 'other', key: 'a' } }],
    ['set of ids', { upload: '01' }],
  ])('is not that of another %s', async (_what, over) => {
    await idOf(place());
    expect(await uploads.find(place(over))).toBeUndefined();
    expect(await idOf(place(over))).toBe('U2');
  });

  test('is begun again after it was committed, and the commit is remembered until then', async () => {
    await idOf(place());
    uploads.ended(place(), U1, { numbers: '0', etag: 'e' });
    expect([await uploads.find(place()), uploads.committed(place())]).toEqual([undefined, { numbers: '0', etag: 'e' }]);
    expect(await idOf(place())).toBe('U2');
    expect(uploads.committed(place())).toBeUndefined();
  });

  test('that the store lost is begun again once, however many of its blocks hear of that and when', async () => {
    await idOf(place());
    uploads.ended(place(), U1, null);
    expect(await idOf(place())).toBe('U2');
    // A block of before, whose failure took longer.
    uploads.ended(place(), U1, null);
    expect(await idOf(place())).toBe('U2');
  });

  test('that could not be begun is tried again', async () => {
    const begin = createUpload;
    createUpload = async () => objectFailure('storage_unavailable', 'full');
    expect(await idOf(place())).toBe('storage_unavailable');
    createUpload = async () => {
      throw new Error('broken');
    };
    await expect(idOf(place())).rejects.toThrow('broken');
    createUpload = begin;
    expect(await idOf(place())).toBe('U1');
  });

  test('is dropped when nobody adds to it for an hour, at the store too', async () => {
    await idOf(place());
    await idOf(place({ upload: '01' }));
    clock.advanceMs(HOUR_MS / 2);
    await idOf(place({ upload: '01' }));
    clock.advanceMs(HOUR_MS / 2);
    await idOf(place({ upload: '02' }));
    expect(await uploads.find(place())).toBeUndefined();
    expect(await uploads.find(place({ upload: '01' }))).toBeDefined();
    expect(aborted).toEqual(['U1']);
  });
});

describe('there are no more uploads than', () => {
  test('one owner may have, and others have room', async () => {
    for (let count = 0; count < MAX_OF_OWNER; count += 1) await idOf(place({ upload: String(count) }));
    expect(await idOf(place({ upload: 'more' }))).toBe('storage_unavailable');
    expect(await idOf(place({ upload: '0' }))).toBe('U1');
    expect(await idOf(place({ owner: 'job 2' }))).toBe(`U${MAX_OF_OWNER + 1}`);
  });

  test('one role may have, whatever owners it comes as', async () => {
    for (let count = 0; count < MAX_OF_ROLE; count += 1) await idOf(place({ owner: String(count) }));
    expect(await idOf(place({ owner: 'more' }))).toBe('storage_unavailable');
    expect(await idOf(place({ owner: 'more', role: 'main/other' }))).toBe(`U${MAX_OF_ROLE + 1}`);
  });
});
