// A store that is not the one it was begins anew before anything is granted; nothing else makes it do so.
import { beforeEach, describe, expect, test } from 'vitest';
import { CountingRandom } from '../../test/fakes/counting-random.ts';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { MemoryKeyStore } from '../../test/fakes/memory-key-store.ts';
import { MemoryLog } from '../../test/fakes/memory-log.ts';
import { MemoryStsStore } from '../../test/fakes/memory-sts-store.ts';
import { MemoryWitness } from '../../test/fakes/memory-witness.ts';
import { StsWorld } from '../../test/fakes/sts-world.ts';
import type { StoreWatch } from '../base/audit/store-watch.ts';
import { KeyEncryptionKey } from '../keys/kek.ts';
import { GatewayKey } from '../keys/wrap.ts';
import { grantOf, NOW } from '../storage/conformance/fixtures.ts';
import { grantingStore, tellingStore, watchStsStore } from './begin-anew.ts';

let clock: FrozenClock;
let log: MemoryLog;
let witness: MemoryWitness;
let begun: number;

beforeEach(() => {
  clock = new FrozenClock(NOW);
  log = new MemoryLog();
  witness = new MemoryWitness();
  begun = 0;
});

/** A server that starts on this store. */
async function serverOn(store: MemoryStsStore, isShared = false): Promise<StoreWatch> {
  const watch = watchStsStore({
    store,
    witness,
    isShared,
    clock,
    random: new CountingRandom(Math.random() * 1e6),
    log,
  });
  watch.onBegun(() => {
    begun += 1;
  });
  await watch.open();
  return watch;
}

/** A store with these grants, as another copy of itself: same entries, same writer. */
async function storeWith(...names: readonly string[]): Promise<MemoryStsStore> {
  const store = new MemoryStsStore();
  for (const name of names) await store.grant(grantOf(name));
  return store;
}

/** What was put back in place of a store: the first `count` of its records. */
function olderCopyOf(store: MemoryStsStore, count: number): MemoryStsStore {
  const copy = new MemoryStsStore();
  copy.continueFrom(store, count);
  for (const session of [...store.sessions.values()].slice(0, count)) copy.sessions.set(session.id, session);
  copy.highWater = store.highWater;
  return copy;
}

const actions = (store: MemoryStsStore) => store.actions.map(({ action, detail }) => [action, detail]);
const messages = () => log.lines.map(({ message }) => message);

describe('a start', () => {
  test('on the store that was left goes on with it', async () => {
    const store = await storeWith();
    const first = await serverOn(store);
    await store.grant(grantOf('1'));
    await first.close();
    expect(witness.witness).toMatchObject({ mark: NOW, heads: [{ sequence: 1 }] });
    const again = await serverOn(store);
    expect(again.isSettled).toBe(true);
    expect(begun).toBe(0);
    expect(await store.findSession('S1')).toBeDefined();
  });

  test('on an older copy ends every session, refuses every token of before, and says what is lost', async () => {
    const store = await storeWith();
    const first = await serverOn(store);
    for (const name of ['1', '2', '3']) await store.grant(grantOf(name));
    await first.close();
    const copy = olderCopyOf(store, 1);
    clock.advance(60);
    expect((await serverOn(copy)).isSettled).toBe(true);
    expect(begun).toBe(1);
    expect(await copy.findSession('S1')).toBeUndefined();
    expect(await copy.grant(grantOf('9', { issuedFrom: NOW + 60, session: { issuedAt: NOW + 61 } }))).toBe(
      'epoch_raised',
    );
    const writer = witness.witness?.heads[0]?.writer;
    expect(actions(copy)).toEqual([
      [
        'store.begin_anew',
        { cause: 'older_copy', generation: 1, history: 'memory', lost_records: 2, lost: [{ writer, from: 2, to: 3 }] },
      ],
    ]);
    expect(messages()).toContain('audit records are lost');
    // The next start finds nothing amiss.
    await serverOn(copy);
    expect(actions(copy)).toHaveLength(1);
  });

  test('on a store that is marked, or that nobody remembers, begins anew', async () => {
    const marked = await storeWith('1');
    await marked.markRestored();
    await serverOn(marked);
    expect(actions(marked)).toMatchObject([['store.begin_anew', { cause: 'restored' }]]);
    witness.witness = undefined;
    const forgotten = await storeWith('1');
    await serverOn(forgotten);
    expect(actions(forgotten)).toMatchObject([['store.begin_anew', { cause: 'no_witness' }]]);
    expect(await forgotten.findSession('S1')).toBeUndefined();
  });

  test('on an empty store is refused when there was one, and begins with it when that is wanted', async () => {
    const store = await storeWith('1');
    await (await serverOn(store)).close();
    const empty = new MemoryStsStore();
    await expect(serverOn(empty)).rejects.toMatchObject({
      code: 'ERR_STORE_EMPTY',
      hint: expect.stringContaining('restore --mark'),
    });
    await empty.markRestored();
    expect((await serverOn(empty)).isSettled).toBe(true);
  });

  test('is refused when the witness cannot be written', async () => {
    witness.broken = new Error('read-only');
    await expect(serverOn(await storeWith())).rejects.toThrow('read-only');
  });

  test('begins no earlier than what was granted by a clock that was ahead', async () => {
    const store = await storeWith();
    const first = await serverOn(store);
    await store.grant(grantOf('1', { now: NOW + 25 }));
    await first.close();
    const copy = new MemoryStsStore();
    await copy.markRestored();
    await serverOn(copy);
    expect(await copy.listEpochs()).toEqual([{ scope: 'all', at: NOW + 25 }]);
  });
});

describe('a running server', () => {
  test('whose database becomes another one grants nothing until it has begun anew', async () => {
    const store = await storeWith('1');
    const watch = await serverOn(store);
    const granting = grantingStore(store, watch);
    expect(await granting.grant(grantOf('2', { session: { issuedAt: NOW + 5 }, now: NOW + 5 }))).toBe('granted');
    const before = begun;
    store.ownHistory = 'promoted';
    await expect(granting.grant(grantOf('3'))).rejects.toMatchObject({ code: 'ERR_STORE_HISTORY' });
    store.hooks.beforeRaise = () => {
      throw new Error('not yet');
    };
    await watch.look();
    expect(watch.isSettled).toBe(false);
    // The database could take it now; the server must not let it.
    expect(store.accepted).toBe('promoted');
    await expect(granting.grant(grantOf('4'))).rejects.toMatchObject({ code: 'ERR_STORE_HISTORY' });
    // Nor may it say what stands: ends of before may be missing.
    const telling = tellingStore(store, watch);
    const asked = [
      telling.findSession('S1'),
      telling.identity(),
      telling.listEndedSessions('artifacts', 0, NOW, 10),
      telling.listEpochs(),
      telling.highWaterMark(),
    ];
    for (const one of await Promise.allSettled(asked))
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'ERR_STORE_HISTORY' } });
    store.hooks.beforeRaise = () => undefined;
    clock.advance(10);
    await watch.look();
    expect(watch.isSettled).toBe(true);
    expect(await telling.listEpochs()).toEqual([{ scope: 'all', at: NOW + 10 }]);
    expect(begun).toBeGreaterThan(before);
    expect(store.actions.at(-1)?.detail).toMatchObject({ cause: 'history_changed', history: 'promoted' });
    expect(await granting.grant(grantOf('5'))).toBe('epoch_raised');
    const later = { issuedFrom: NOW + 11, now: NOW + 11, session: { issuedAt: NOW + 11 } };
    expect(await granting.grant(grantOf('6', later))).toBe('granted');
  });

  test('takes over what another server on the same store began', async () => {
    const store = await storeWith();
    const watch = await serverOn(store);
    await store.grant(grantOf('1'));
    await watch.look();
    const other = watchStsStore({
      store,
      witness: new MemoryWitness(),
      isShared: false,
      clock,
      random: new CountingRandom(7),
      log,
    });
    await other.open();
    expect(actions(store)).toHaveLength(1);
    await watch.look();
    expect(begun).toBe(1);
    expect(actions(store)).toHaveLength(1);
    await watch.look();
    expect(begun).toBe(1);
  });

  test('that cannot reach its store goes on watching, and says so once', async () => {
    const store = await storeWith();
    const watch = await serverOn(store);
    const { listHeads } = store;
    store.listHeads = async () => {
      throw new Error('away');
    };
    await watch.look();
    await watch.look();
    expect(watch.isSettled).toBe(true);
    expect(messages().filter((message) => message === 'the store could not be looked at')).toHaveLength(1);
    store.listHeads = listHeads;
    await watch.look();
    expect(messages().at(-1)).toBe('the store is watched again');
  });
});

test('an STS whose database is another one by now tells neither gateways nor resources nor callers what stands', async () => {
  let watch: StoreWatch | undefined;
  const store = new MemoryKeyStore();
  const kek = KeyEncryptionKey.fromBytes(new Uint8Array(32));
  const gateway = await GatewayKey.open({ ring: 'gateway/artifacts-1', store, kek, clock });
  const world = new StsWorld({
    gatewayKeys: [gateway.publicJwk],
    registration: { jobStatus: { kind: 'none' } },
    watch: ({ clock: own, store }) => {
      watch = watchStsStore({ store, witness, isShared: false, clock: own, random: new CountingRandom(3), log });
      return watch;
    },
  });
  try {
    await watch?.open();
    await world.sts.start();
    const { json } = await world.exchange(await world.issuer.idToken());
    const ask = () =>
      world.call('POST /introspect', { as: 'relying-party', form: { token: String(json.access_token) } });
    const poll = () => world.call('GET /v1/feed?nonce=nonce-of-the-poll&cursor=0', { as: 'gateway' });
    expect([(await ask()).json.active, (await poll()).status]).toEqual([true, 200]);
    world.store.ownHistory = 'promoted';
    world.store.hooks.beforeRaise = () => {
      throw new Error('not yet');
    };
    await watch?.look();
    expect([(await ask()).text, (await poll()).status]).toEqual([expect.not.stringContaining('"active"'), 503]);
  } finally {
    await world.close();
  }
});

describe('a server without a witness beside others', () => {
  test('need not begin anew while one that knows the store vouches for it', async () => {
    const store = await storeWith('1');
    let at = NOW;
    const vouching = setInterval(() => {
      at += 1;
      void store.vouch(at);
    }, 50);
    try {
      expect((await serverOn(store, true)).isSettled).toBe(true);
    } finally {
      clearInterval(vouching);
    }
    expect(actions(store)).toEqual([]);
    expect(await store.findSession('S1')).toBeDefined();
  });

  test('begins anew where nobody does', async () => {
    const store = await storeWith('1');
    await store.vouch(NOW - 5);
    await serverOn(store, true);
    expect(actions(store)).toMatchObject([['store.begin_anew', { cause: 'no_witness' }]]);
    expect((await store.beginning()).vouchedAt).toBe(NOW);
  });
});
