import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { groupKeysOf } from '../../test/fakes/group-keys.ts';
import { MemoryKeyStore } from '../../test/fakes/memory-key-store.ts';
import { type GroupKey, groupKind } from './group-key.ts';
import { KeyEncryptionKey } from './kek.ts';
import { MIN_PUBLISH_SECONDS } from './lifecycle.ts';
import { LiveRing } from './live-ring.ts';

const kek = KeyEncryptionKey.fromBytes(Buffer.alloc(32, 7));
const random = { bytes: randomBytes };
const schedule = { rotateEverySeconds: null, publishSeconds: MIN_PUBLISH_SECONDS, retainSeconds: 60 };

async function open(store: MemoryKeyStore, options: { ring?: string; kek?: KeyEncryptionKey } = {}): Promise<GroupKey> {
  const kind = groupKind({ ring: 'group/artifacts', kek, random, ...options }, schedule);
  return (await LiveRing.open(kind, { store, clock: new FrozenClock(), random })).view.active;
}

describe('a group key', () => {
  it('is 32 bytes, the same at every opening, and another for every group', async () => {
    const store = new MemoryKeyStore();
    const [one, again, other] = [await open(store), await open(store), await open(store, { ring: 'group/other' })];
    expect(one.key.reveal()).toHaveLength(32);
    expect([again.id, again.key.reveal()]).toEqual([one.id, one.key.reveal()]);
    expect(other.id).not.toBe(one.id);
    expect(other.key.reveal()).not.toEqual(one.key.reveal());
  });

  it('is one for replicas that open the empty ring at once', async () => {
    const store = new MemoryKeyStore();
    const keys = await Promise.all([open(store), open(store), open(store)]);
    expect(store.keys).toHaveLength(1);
    expect(new Set(keys.map((key) => Buffer.from(key.key.reveal()).toString('hex'))).size).toBe(1);
  });

  it('stands nowhere in the clear: not in the record, not in a print', async () => {
    const store = new MemoryKeyStore();
    const group = await open(store);
    const [record] = store.keys;
    expect(record).toMatchObject({ ring: 'group/artifacts', publicJwk: null, state: 'active', kid: group.id });
    expect(Buffer.from(record?.sealed ?? []).includes(Buffer.from(group.key.reveal()))).toBe(false);
    expect(inspect(group)).toContain('[secret]');
  });

  it('does not open with another key-encryption key, under another group, or when it is none', async () => {
    const store = new MemoryKeyStore();
    await open(store);
    const unreadable = { code: 'ERR_KEY_UNREADABLE' };
    await expect(open(store, { kek: KeyEncryptionKey.fromBytes(Buffer.alloc(32)) })).rejects.toMatchObject(unreadable);
    const own = store.keys;
    store.keys = own.map((key) => ({ ...key, ring: 'group/other' }));
    await expect(open(store, { ring: 'group/other' })).rejects.toMatchObject(unreadable);
    store.keys = own.map((key) => ({ ...key, algorithm: 'ES256' }));
    await expect(open(store)).rejects.toMatchObject(unreadable);
    store.keys = own.map((key) => ({ ...key, state: 'revoked' }));
    await expect(open(store)).rejects.toMatchObject({ code: 'ERR_KEY_RING' });
  });
});

describe('the keys of a group', () => {
  it('are found by their ids; what names none follows from the oldest', () => {
    const keys = groupKeysOf(1, 2);
    expect([keys.find('group-key-1'), keys.find(null)?.id, keys.find('group-key-3')]).toEqual([
      keys.living[0],
      'group-key-1',
      undefined,
    ]);
    expect(keys.active.id).toBe('group-key-2');
  });

  it('have a name that another set, or another active key, has not', () => {
    const names = [groupKeysOf(1), groupKeysOf(2), groupKeysOf(1, 2), groupKeysOf(2, 1)].map(({ id }) => id);
    expect(new Set(names).size).toBe(4);
    expect(groupKeysOf(1, 2).id).toBe(groupKeysOf(1, 2).id);
  });
});
