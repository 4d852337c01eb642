// Ids of uploads: good for their owner, bucket and key, and for nobody else.
import { describe, expect, test } from 'vitest';
import { FeedSts } from '../../../test/fakes/feed-sts.ts';
import { FrozenClock } from '../../../test/fakes/frozen-clock.ts';
import { groupKeysOf } from '../../../test/fakes/group-keys.ts';
import { uploadOwner } from '../store-front/owner.ts';
import { openUploadId, sealUploadId } from './upload-ids.ts';

const keys = groupKeysOf(1);
const session = new FeedSts(new FrozenClock()).session();
const owner = uploadOwner(session);
const upload = { bucket: 'web', key: 'a/b', uploadId: 'u.1' };
const sealed = sealUploadId(keys, owner, upload);

describe('an upload id', () => {
  test('opens for its owner, also when the store’s own id has a dot', () => {
    expect(openUploadId(keys, owner, { ...upload, uploadId: sealed })).toBe('u.1');
  });

  test('opens as long as the key that it was made with lives, whichever is the active one', () => {
    expect(openUploadId(groupKeysOf(1, 2), owner, { ...upload, uploadId: sealed })).toBe('u.1');
    const later = sealUploadId(groupKeysOf(1, 2), owner, upload);
    expect(openUploadId(keys, owner, { ...upload, uploadId: later })).toBeUndefined();
  });

  test.each([
    ['another bucket', keys, owner, { bucket: 'other' }],
    ['another key', keys, owner, { key: 'a/c' }],
    ['another owner', keys, uploadOwner({ ...session, jobId: 'J2' }), {}],
    ['another group key', groupKeysOf(0), owner, {}],
    ['another id of the store', keys, owner, { uploadId: sealed.replace('u.1', 'u.2') }],
    ['the store’s id alone', keys, owner, { uploadId: 'u.1' }],
    ['no id', keys, owner, { uploadId: '' }],
    ['another spelling of the same bytes', keys, owner, { uploadId: `${sealed}=` }],
  ])('does not open for %s', (_what, groupKeys, asking, change) => {
    expect(openUploadId(groupKeys, asking, { ...upload, uploadId: sealed, ...change })).toBeUndefined();
  });
});

describe('the owner of an upload', () => {
  test('is the role in its job, whichever session asks', () => {
    expect(uploadOwner({ ...session, sessionId: 'S-later' })).toBe(owner);
    expect(uploadOwner({ ...session, role: 'main/other' })).not.toBe(owner);
    expect(uploadOwner({ ...session, jobIssuer: 'https://other.example' })).not.toBe(owner);
  });

  test('is the session alone when there is no job', () => {
    const one = uploadOwner({ ...session, jobId: null });
    expect(uploadOwner({ ...session, jobId: null, sessionId: 'S-later' })).not.toBe(one);
  });

  test('cannot be a job and a session by the same text', () => {
    expect(uploadOwner({ ...session, jobId: null, sessionId: 'x' })).not.toBe(uploadOwner({ ...session, jobId: 'x' }));
  });
});
