import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { MemoryKeyStore } from '../../test/fakes/memory-key-store.ts';
import { openGroupKey } from './group-key.ts';
import { KeyEncryptionKey } from './kek.ts';

const kek = KeyEncryptionKey.fromBytes(Buffer.alloc(32, 7));
const open = (store: MemoryKeyStore, options: { ring?: string; kek?: KeyEncryptionKey } = {}) =>
  openGroupKey({
    ring: 'group/artifacts',
    store,
    kek,
    clock: new FrozenClock(),
    random: { bytes: randomBytes },
    ...options,
  });

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
