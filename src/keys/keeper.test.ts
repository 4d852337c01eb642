import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { MemoryKeyStore } from '../../test/fakes/memory-key-store.ts';
import { MemoryLog } from '../../test/fakes/memory-log.ts';
import type { WatchableStore } from '../base/core/change-watch.ts';
import { assembleJws } from '../base/jwt/assemble.ts';
import { importKeySet, type VerificationKey } from '../base/jwt/jwk.ts';
import { parseJws } from '../base/jwt/jws.ts';
import { verifyJws } from '../base/jwt/verify.ts';
import { KeyKeeper } from './keeper.ts';
import { KeyEncryptionKey } from './kek.ts';
import { KEY_SET_CACHE_SECONDS, MIN_PUBLISH_SECONDS, retainSecondsFor } from './lifecycle.ts';
import { LiveKeys, LiveRing, signingKind } from './live-ring.ts';
import type { KeyRing } from './ring.ts';
import type { KeyStore } from './store.ts';
import { KEY_VERBS } from './verbs.ts';

const kek = KeyEncryptionKey.fromBytes(Buffer.alloc(32, 7));
const LIFE = 600;
const SKEW = 30;
const schedule = {
  rotateEverySeconds: 4000,
  publishSeconds: MIN_PUBLISH_SECONDS,
  retainSeconds: retainSecondsFor(LIFE),
};

let clock: FrozenClock;
let store: MemoryKeyStore;
let log: MemoryLog;

beforeEach(() => {
  clock = new FrozenClock(1_000_000);
  store = new MemoryKeyStore();
  log = new MemoryLog();
});

interface Replica {
  readonly ring: LiveRing<KeyRing>;
  readonly keys: LiveKeys;
  readonly keeper: KeyKeeper;
}

async function replica(over: KeyStore & WatchableStore = store): Promise<Replica> {
  const kind = signingKind({ ring: 'access-token', algorithm: 'ES256', kek }, schedule);
  const ring = await LiveRing.open(kind, { store: over, clock, random: { bytes: randomBytes } });
  const keeper = new KeyKeeper({ store: over, rings: [ring], clock, log, server: 'sts' });
  return { ring, keys: new LiveKeys(ring), keeper };
}

const states = async () => (await store.readRing('access-token')).keys.map(({ state }) => state);

async function isGood(token: string, keys: readonly VerificationKey[]): Promise<boolean> {
  const parsed = parseJws(token);
  if (!parsed.ok) throw new Error(parsed.error.detail);
  return (await verifyJws(parsed.value, keys, { algorithms: ['ES256'] })).ok;
}

/** Keeps a key set exactly as long as it may, and asks another replica each time. */
class CachingVerifier {
  #keys: readonly VerificationKey[] = [];
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #fetches: number;

  readonly #replicas: readonly Replica[];

  constructor(replicas: readonly Replica[], offset: number) {
    this.#replicas = replicas;
    this.#fetches = offset;
  }

  keys(): readonly VerificationKey[] {
    if (clock.nowSeconds() - this.#fetchedAt > KEY_SET_CACHE_SECONDS) {
      this.#fetches += 1;
      const set = importKeySet(this.#replicas[this.#fetches % this.#replicas.length]?.keys.publicJwks() ?? {});
      if (!set.ok) throw new Error(set.error.detail);
      this.#keys = set.value.keys;
      this.#fetchedAt = clock.nowSeconds();
    }
    return this.#keys;
  }
}

describe('a ring that rotates by itself', () => {
  it('ten times leaves no token that anybody who caches as long as they may could not verify', async () => {
    const replicas = [await replica(), await replica()];
    const verifiers = [0, 1, 0, 1].map((offset) => new CachingVerifier(replicas, offset));
    const signers = new Set<string>();
    let alive: { readonly token: string; readonly until: number }[] = [];
    let checked = 0;
    for (let step = 0; signers.size < 11; step += 1) {
      clock.advance(29);
      // One replica is always a step behind the other.
      const [awake, asleep] = step % 2 === 0 ? replicas : [...replicas].reverse();
      await awake?.keeper.tick();
      const signer = asleep?.keys.signer();
      if (signer === undefined) throw new Error('no replica');
      signers.add(signer.kid);
      const token = await assembleJws({ typ: 'JWT' }, { step }, signer);
      alive.push({ token, until: clock.nowSeconds() + LIFE + SKEW });
      alive = alive.filter(({ until }) => until >= clock.nowSeconds());
      const oldest = alive[0]?.token ?? token;
      const verifier = verifiers[step % verifiers.length];
      for (const presented of [token, oldest]) {
        checked += 1;
        expect(await isGood(presented, verifier?.keys() ?? []), `step ${step}`).toBe(true);
      }
    }
    expect(checked).toBeGreaterThan(2000);
    expect((await states()).filter((state) => state === 'active')).toHaveLength(1);
    // What is gone keeps its public part alone.
    expect((await states()).filter((state) => state === 'expired').length).toBeGreaterThan(7);
  });

  it('has one winner when two replicas come at once, and one record of each step', async () => {
    const [one, two] = [await replica(), await replica()];
    for (const [wait, expected] of [
      [4000 - MIN_PUBLISH_SECONDS, ['active', 'prepared']],
      [MIN_PUBLISH_SECONDS, ['retired', 'active']],
      [schedule.retainSeconds, ['expired', 'active']],
    ] as const) {
      clock.advance(wait);
      await Promise.all([one.keeper.tick(), two.keeper.tick()]);
      await Promise.all([one.keeper.tick(), two.keeper.tick()]);
      expect(await states()).toEqual(expected);
      expect(one.keys.signer().kid).toBe(two.keys.signer().kid);
    }
    const [first, second] = (await store.readRing('access-token')).keys;
    expect(store.actions.map((record) => [record.action, record.target, record.actor])).toEqual([
      ['key.prepare', `ring access-token key ${second?.kid}`, { kind: 'server', name: 'sts' }],
      ['key.activate', `ring access-token key ${second?.kid}`, { kind: 'server', name: 'sts' }],
      ['key.retire', `ring access-token key ${first?.kid}`, { kind: 'server', name: 'sts' }],
    ]);
  });

  it('takes no step before it is due', async () => {
    const { keeper } = await replica();
    clock.advance(4000 - MIN_PUBLISH_SECONDS - 1);
    await keeper.tick();
    expect(await states()).toEqual(['active']);
    clock.advance(1);
    await keeper.tick();
    clock.advance(MIN_PUBLISH_SECONDS - 1);
    await keeper.tick();
    expect(await states()).toEqual(['active', 'prepared']);
  });

  it('tells who listens of changes, its own and others’, and of nothing else', async () => {
    const [one, two] = [await replica(), await replica()];
    const told: string[] = [];
    one.keeper.onChange(() => told.push('one'));
    two.keeper.onChange(() => told.push('two'));
    await Promise.all([one.keeper.tick(), two.keeper.tick()]);
    clock.advance(4000 - MIN_PUBLISH_SECONDS);
    await one.keeper.tick();
    await one.keeper.tick();
    expect(told).toEqual(['one']);
    await two.keeper.tick();
    expect(told).toEqual(['one', 'two']);
  });
});

describe('while the store is away', () => {
  it('keys are served and sign as before, which is said once, and the ring goes on afterwards', async () => {
    let isAway = false;
    const flaky = new Proxy(store, {
      get: (target, name, receiver) => {
        if (isAway) return () => Promise.reject(new Error('the store is away'));
        const member = Reflect.get(target, name, receiver);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    const { keeper, keys } = await replica(flaky);
    const [signer, jwks] = [keys.signer(), keys.publicJwks()];
    isAway = true;
    clock.advance(100_000);
    await keeper.tick();
    await keeper.tick();
    expect([keys.signer(), keys.publicJwks()]).toEqual([signer, jwks]);
    expect(await isGood(await assembleJws({ typ: 'JWT' }, {}, keys.signer()), keys.verificationKeys())).toBe(true);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    isAway = false;
    await keeper.tick();
    expect(await states()).toEqual(['active', 'prepared']);
    expect(log.lines.at(-1)?.message).toBe('the key rings are followed again');
  });

  it('a ring that nobody here can open is not taken over: what was opened serves on', async () => {
    const { keeper, keys } = await replica();
    const before = keys.publicJwks();
    const { keys: stored, version } = await store.readRing('access-token');
    const foreign = stored.map((key) => ({ ...key, sealed: new Uint8Array(64) }));
    await store.replaceRing({ ring: 'access-token', expectedVersion: version, keys: foreign, record: null });
    await keeper.tick();
    expect(keys.publicJwks()).toEqual(before);
    expect(log.lines.map(({ level }) => level)).toEqual(['warn']);
  });
});

describe('a change that the store tells of', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is followed at once, by one look for a flood of them, and not after the end', async () => {
    const [{ keeper, ring }, other] = [await replica(), await replica()];
    keeper.start();
    await other.ring.change(KEY_VERBS.prepare(ring.kind, { kid: null, early: false }), { kind: 'client', name: 'ann' });
    const looks = vi.spyOn(store, 'listRingVersions');
    for (let told = 0; told < 100; told += 1) for (const tell of store.watchers) tell();
    await vi.advanceTimersByTimeAsync(100);
    expect([ring.version, looks.mock.calls.length]).toEqual([2, 1]);
    for (const tell of store.watchers) tell();
    await keeper.close();
    await vi.advanceTimersByTimeAsync(5000);
    expect([looks.mock.calls.length, store.watchers.size]).toEqual([1, 0]);
  });

  it('is not followed when the keeper ended while it waited for another look', async () => {
    const { keeper } = await replica();
    const slow = Promise.withResolvers<ReadonlyMap<string, number>>();
    const looks = vi.spyOn(store, 'listRingVersions').mockReturnValue(slow.promise);
    keeper.start();
    void keeper.tick();
    for (const tell of store.watchers) tell();
    await vi.advanceTimersByTimeAsync(100);
    const closed = keeper.close();
    slow.resolve(new Map());
    await closed;
    await vi.advanceTimersByTimeAsync(100);
    expect(looks).toHaveBeenCalledTimes(1);
  });
});

describe('a store that is put back from a copy', () => {
  it('is followed, though its versions are older than those that were seen', async () => {
    const { keeper, keys, ring } = await replica();
    const [copy, first] = [await store.readRing('access-token'), keys.signer().kid];
    for (const wait of [4000 - MIN_PUBLISH_SECONDS, MIN_PUBLISH_SECONDS]) {
      clock.advance(wait);
      await keeper.tick();
    }
    expect([ring.version, keys.signer().kid === first]).toEqual([3, false]);
    const { readRing, listRingVersions } = store;
    store.readRing = async () => copy;
    store.listRingVersions = async () => new Map([['access-token', copy.version]]);
    clock.advance(-(4000 - 1));
    await keeper.tick();
    expect([ring.version, keys.signer().kid]).toEqual([1, first]);
    Object.assign(store, { readRing, listRingVersions });
  });

  it('does not let a reading that began before a change undo it', async () => {
    const { keys, ring } = await replica();
    const [first, { readRing }] = [keys.signer().kid, store];
    const slow = Promise.withResolvers<void>();
    const old = await store.readRing('access-token');
    store.readRing = async () => {
      await slow.promise;
      return old;
    };
    const reading = ring.refresh();
    store.readRing = readRing;
    await ring.change(KEY_VERBS.revoke(ring.kind, { kid: first, early: false }), { kind: 'client', name: 'ann' });
    slow.resolve();
    await reading;
    expect(keys.signer().kid).not.toBe(first);
  });
});

describe('a change', () => {
  it('destroys the private part of a key that is gone, and keeps its public one', async () => {
    const { keeper } = await replica();
    for (const wait of [4000 - MIN_PUBLISH_SECONDS, MIN_PUBLISH_SECONDS, schedule.retainSeconds]) {
      clock.advance(wait);
      await keeper.tick();
    }
    const [gone, active] = (await store.readRing('access-token')).keys;
    expect(gone).toMatchObject({ state: 'expired', publicJwk: { kid: gone?.kid } });
    // Nonce and tag, and nothing between them.
    expect(gone?.sealed).toHaveLength(28);
    expect(active?.sealed.length).toBeGreaterThan(100);
  });

  it('that others are always faster than is given up as ring_changed, and nothing is recorded', async () => {
    const { ring } = await replica();
    const busy = async () => {
      const { keys, version } = await store.readRing('access-token');
      await store.replaceRing({ ring: 'access-token', expectedVersion: version, keys, record: null });
    };
    const outcome = await ring.change(
      async (keys) => {
        await busy();
        return { ok: true, value: { keys, done: { action: 'key.prepare', kid: 'k', detail: {} } } };
      },
      { kind: 'client', name: 'ann' },
    );
    expect(!outcome.ok && outcome.error.reason).toBe('ring_changed');
    expect(store.actions).toEqual([]);
  });

  it('whose outcome could not be worked with is not stored', async () => {
    const { ring } = await replica();
    const plan = ring.change(
      async () => ({ ok: true, value: { keys: [], done: { action: 'key.retire', kid: 'k', detail: {} } } }),
      { kind: 'client', name: 'ann' },
    );
    await expect(plan).rejects.toMatchObject({ code: 'ERR_KEY_RING' });
    expect(await states()).toEqual(['active']);
  });
});
