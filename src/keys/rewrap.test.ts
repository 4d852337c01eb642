// The key-encryption key changes, whenever the change is cut short.
import { randomBytes } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { MemoryKeyStore } from '../../test/fakes/memory-key-store.ts';
import { groupKind } from './group-key.ts';
import { KeyEncryptionKey } from './kek.ts';
import { LiveRing, signingKind } from './live-ring.ts';
import { rewrapAll } from './rewrap.ts';
import { publicPartOf } from './stored.ts';
import { KEY_VERBS } from './verbs.ts';

const [old, next] = [1, 2].map((fill) => KeyEncryptionKey.fromBytes(Buffer.alloc(32, fill)));
if (old === undefined || next === undefined) throw new Error('no keys');
const both = next.withBefore(old);
const clock = new FrozenClock();
const random = { bytes: randomBytes };
const schedule = { rotateEverySeconds: null, publishSeconds: 660, retainSeconds: 660 };
const actor = { kind: 'client', name: 'ann' } as const;

let store: MemoryKeyStore;

const signing = (kek: KeyEncryptionKey) => signingKind({ ring: 'id-token', algorithm: 'ES256', kek }, schedule);
const group = (kek: KeyEncryptionKey) => groupKind({ ring: 'group/artifacts', kek, random }, schedule);
const open = async (kek: KeyEncryptionKey) => {
  const deps = { store, clock, random };
  const [ids, groups] = [await LiveRing.open(signing(kek), deps), await LiveRing.open(group(kek), deps)];
  return { ids, secret: Buffer.from(groups.view.active.key.reveal()).toString('hex') };
};
const opens = (kek: KeyEncryptionKey): Promise<boolean> =>
  open(kek).then(
    () => true,
    () => false,
  );

beforeEach(async () => {
  store = new MemoryKeyStore();
  const { ids } = await open(old);
  await ids.change(KEY_VERBS.revoke(ids.kind, { kid: ids.view.signer().kid, early: false }), actor);
});

test('afterwards the new key alone opens every record, with the same keys in them', async () => {
  const before = await open(old);
  expect(await rewrapAll({ store, kek: both, clock, random }, actor)).toMatchObject({ ok: true });
  expect([await opens(old), await opens(next)]).toEqual([false, true]);
  const after = await open(next);
  expect([after.secret, after.ids.view.publicJwks()]).toEqual([before.secret, before.ids.view.publicJwks()]);
  // What is gone is still known to have been there.
  expect(after.ids.keys.map((key) => publicPartOf(key, next)?.kid)).toEqual(after.ids.keys.map(({ kid }) => kid));
});

test('cut short after any number of rings, both keys together open everything, and a second run finishes it', async () => {
  for (let rings = 0; rings < 2; rings += 1) {
    const replace = store.replaceRing.bind(store);
    let left = rings;
    store.replaceRing = async (change) => {
      left -= 1;
      if (left < 0) throw new Error('killed');
      return replace(change);
    };
    await expect(rewrapAll({ store, kek: both, clock, random }, actor)).rejects.toThrow('killed');
    store.replaceRing = replace;
    expect([await opens(both), await opens(next)]).toEqual([true, false]);
  }
  await rewrapAll({ store, kek: both, clock, random }, actor);
  expect(await opens(next)).toBe(true);
});

test('a rotation in the middle of it is not lost', async () => {
  const { ids } = await open(both);
  const read = store.readRing.bind(store);
  let isFirst = true;
  store.readRing = async (ring) => {
    const found = await read(ring);
    if (ring === 'id-token' && isFirst) {
      isFirst = false;
      await ids.change(KEY_VERBS.prepare(ids.kind, { kid: null, early: false }), actor);
    }
    return found;
  };
  await rewrapAll({ store, kek: both, clock, random }, actor);
  expect((await open(next)).ids.keys.map(({ state }) => state)).toEqual(['revoked', 'active', 'prepared']);
});

test('is refused when a record opens with neither key, and leaves that one as it was', async () => {
  const before = store.keys;
  const foreign = next.withBefore(KeyEncryptionKey.fromBytes(Buffer.alloc(32, 9)));
  await expect(rewrapAll({ store, kek: foreign, clock, random }, actor)).rejects.toMatchObject({
    code: 'ERR_KEY_UNREADABLE',
  });
  expect(store.keys).toEqual(before);
});
