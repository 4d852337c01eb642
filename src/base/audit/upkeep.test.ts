import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CountingRandom } from '../../../test/fakes/counting-random.ts';
import { fakeKey } from '../../../test/fakes/fake-job-issuer.ts';
import { FrozenClock } from '../../../test/fakes/frozen-clock.ts';
import { MemoryAuditStore } from '../../../test/fakes/memory-audit-store.ts';
import { MemoryLog } from '../../../test/fakes/memory-log.ts';
import { actionRecord } from '../../storage/conformance/fixtures.ts';
import { importKeySet } from '../jwt/jwk.ts';
import { beginWait, PATIENCE_MS, withOnePatience } from '../ports/patience.ts';
import type { StoredEntry } from './chain.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import { ownCheckpoints } from './own-checkpoints.ts';
import { encodeRecord } from './record.ts';
import type { StoredCheckpoint } from './store.ts';
import { AuditUpkeep, type UpkeepDeps } from './upkeep.ts';
import { AuditVerifier } from './verify.ts';

const DAY = 86_400;
const key = fakeKey('k1');
const URL = 'https://sts.example.com';

let clock: FrozenClock;
let store: MemoryAuditStore;
let log: MemoryLog;
let anchored: StoredCheckpoint[];
let isAnchorAway: boolean;
let upkeep: AuditUpkeep;

const make = (change: Partial<UpkeepDeps> = {}): AuditUpkeep =>
  new AuditUpkeep({
    store,
    signer: () => key.signer,
    open: ownCheckpoints(URL, async () => [{ state: 'active', jwk: key.publicJwk }]),
    issuer: URL,
    server: 'sts',
    anchor: {
      append: async (checkpoints) => {
        if (isAnchorAway) throw new Error('the disk is full');
        anchored.push(...checkpoints);
      },
    },
    keepSeconds: null,
    clock,
    random: new CountingRandom(),
    log,
    ...change,
  });

beforeEach(() => {
  clock = new FrozenClock();
  store = new MemoryAuditStore();
  log = new MemoryLog();
  anchored = [];
  isAnchorAway = false;
  upkeep = make();
});

const record = (name: string, at = clock.nowMs()) => store.recordAction(actionRecord(name, { at }));

async function opened({ jws }: StoredCheckpoint): Promise<Checkpoint> {
  const keys = importKeySet({ keys: [key.publicJwk] });
  const checkpoint = keys.ok ? await openCheckpoint(jws, keys.value.keys) : keys;
  if (!checkpoint.ok) throw new Error(checkpoint.error.detail);
  return checkpoint.value;
}

/** What the check says of all that the store has. */
async function verified() {
  const heads = await store.listHeads();
  const checkpoints = await Promise.all(store.checkpoints.map(opened));
  const verifier = new AuditVerifier({ heads, checkpoints, from: [] });
  for (const entry of store.entries) verifier.add(entry);
  return verifier.finish(heads);
}

describe('a checkpoint', () => {
  test('says how far every chain had come, in the name of the server, and is stored and anchored', async () => {
    await record('1');
    await upkeep.tick();
    const [head] = await store.listHeads();
    const heads = [{ writer: head?.writer, sequence: 1, hash: head?.hash }];
    expect(store.checkpoints).toHaveLength(1);
    expect(await opened(store.checkpoints[0] as StoredCheckpoint)).toEqual({
      issuer: URL,
      at: clock.nowSeconds(),
      heads,
      pruned: [],
      kid: 'k1',
    });
    expect(anchored).toEqual(store.checkpoints);
    expect(await verified()).toMatchObject({ found: 0, uncovered: 0 });
  });

  test('is made when something was recorded since, and only then', async () => {
    await upkeep.tick();
    expect(store.checkpoints).toEqual([]);
    await record('1');
    await upkeep.tick();
    clock.advance(60);
    await upkeep.tick();
    expect(store.checkpoints).toHaveLength(1);
    await record('2');
    clock.advance(60);
    await upkeep.tick();
    expect(store.checkpoints).toHaveLength(2);
    expect(anchored).toHaveLength(2);
  });

  test('of another replica will do, and is anchored here too', async () => {
    await record('1');
    await make({ anchor: null }).tick();
    clock.advance(30);
    await upkeep.tick();
    expect(store.checkpoints).toHaveLength(1);
    expect(anchored).toEqual(store.checkpoints);
    clock.advance(60);
    await record('2');
    await upkeep.tick();
    expect(store.checkpoints).toHaveLength(2);
  });

  test('is the last thing that a server does', async () => {
    upkeep.start();
    await upkeep.tick();
    await record('1');
    await upkeep.close();
    expect(store.checkpoints).toHaveLength(1);
  });

  test('is made and anchored whatever somebody else wrote into the database', async () => {
    await store.insertCheckpoint({ at: clock.nowSeconds(), jws: 'not.a.checkpoint' });
    await store.insertCheckpoint({ at: clock.nowSeconds() + 10 * DAY, jws: 'of.the.future' });
    await record('1');
    await upkeep.tick();
    store.checkpoints = store.checkpoints.filter(({ jws }) => jws.length > 20);
    expect(store.checkpoints).toHaveLength(1);
    clock.advance(60);
    await record('2');
    await upkeep.tick();
    expect(store.checkpoints).toHaveLength(2);
    expect(anchored).toEqual(store.checkpoints);
  });

  test('is known as the server’s own with however many keys it ever had', async () => {
    const old = Array.from({ length: 150 }, (_, at) => ({ state: 'expired', jwk: fakeKey(`old-${at}`).publicJwk }));
    const keys = [...old, { state: 'active', jwk: key.publicJwk }];
    await record('1');
    await make({ open: ownCheckpoints(URL, async () => keys) }).tick();
    expect(anchored).toEqual(store.checkpoints);
    expect(anchored).toHaveLength(1);
    const revoked = keys.map((one) => ({ ...one, state: 'revoked' }));
    expect(await ownCheckpoints(URL, async () => revoked)(store.checkpoints[0] as StoredCheckpoint)).toBeUndefined();
  });

  test('that could not be anchored is anchored later', async () => {
    await record('1');
    isAnchorAway = true;
    await upkeep.tick();
    expect(log.lines).toMatchObject([{ level: 'warn', message: 'checkpoints could not be anchored' }]);
    isAnchorAway = false;
    clock.advance(60);
    await upkeep.tick();
    expect(anchored).toEqual(store.checkpoints);
  });

  test('that cannot be made costs nothing but itself', async () => {
    const signer = () => {
      throw new Error('no key');
    };
    await record('1');
    await make({ signer }).tick();
    expect(log.lines).toMatchObject([{ message: 'no checkpoint of the audit chains could be made' }]);
    await upkeep.tick();
    expect(store.checkpoints).toHaveLength(1);
  });
});

describe('pruning', () => {
  afterEach(() => void vi.useRealTimers());
  const actor = { kind: 'client', name: 'alice' } as const;

  test('takes as long as it takes, though a request waits for it: each question to the store has a patience of its own', async () => {
    await record('1');
    clock.advance(2 * DAY);
    const left: number[] = [];
    const list = store.listPrunable.bind(store);
    store.listPrunable = async (...asked) => {
      const wait = beginWait();
      left.push(wait.leftMs);
      vi.advanceTimersByTime(PATIENCE_MS);
      wait.end();
      return list(...asked);
    };
    vi.useFakeTimers({ toFake: ['performance'] });
    await withOnePatience(() => upkeep.prune({ before: clock.nowMs() - DAY * 1000, actor }));
    expect(left).toEqual([PATIENCE_MS, PATIENCE_MS]);
  });

  test('stops between two rounds when the server ends', async () => {
    await record('1');
    clock.advance(2 * DAY);
    let rounds = 0;
    const list = store.listPrunable.bind(store);
    store.listPrunable = async (before) => {
      rounds += 1;
      if (rounds === 2) void upkeep.close();
      if (rounds > 3) throw new Error('it goes on');
      await record(`old-${rounds}`, clock.nowMs() - 2 * DAY * 1000);
      return list(before, 1);
    };
    expect(await upkeep.prune({ before: clock.nowMs() - DAY * 1000, actor })).toEqual({ records: 1 });
    expect(rounds).toBe(2);
  });

  test('leaves a checkpoint that says what went and the record of who did it; the rest is still proved', async () => {
    await record('1');
    await record('2');
    clock.advance(2 * DAY);
    await record('3');
    await upkeep.tick();
    const before = clock.nowMs() - DAY * 1000;
    expect(await upkeep.prune({ before, actor })).toEqual({ records: 2 });
    expect(store.entries.map(({ index }) => index.id)).toEqual(['A3', expect.stringMatching(/^A/)]);
    expect(store.actions.at(-1)).toMatchObject({ actor, action: 'audit.prune', tenant: null, detail: { chains: 1 } });
    const last = await opened(store.checkpoints.at(-1) as StoredCheckpoint);
    expect(last.pruned).toMatchObject([{ sequence: 2 }]);
    expect(await verified()).toMatchObject({ found: 0, records: 2 });
    // Nobody else can prune so.
    store.checkpoints = store.checkpoints.filter(({ at }) => at < last.at - 1);
    expect((await verified()).findings).toMatchObject([{ flaw: 'removed', sequence: 1 }]);
  });

  test('is said again by every later checkpoint, also after a second pruning took the first one’s', async () => {
    for (const name of ['1', '2', '3']) {
      await record(name);
      clock.advance(3 * DAY);
    }
    await upkeep.prune({ before: clock.nowMs() - 7 * DAY * 1000, actor });
    clock.advance(120);
    await upkeep.tick();
    expect((await opened(store.checkpoints.at(-1) as StoredCheckpoint)).pruned).toMatchObject([{ sequence: 1 }]);
    clock.advance(5 * DAY);
    await upkeep.prune({ before: clock.nowMs() - 2 * DAY * 1000, actor });
    expect(store.checkpoints).toHaveLength(1);
    expect(await verified()).toMatchObject({ found: 0 });
  });

  test('is not believed to a database that no checkpoint bears out, and never signed', async () => {
    for (const name of ['1', '2']) await record(name);
    await upkeep.tick();
    const [first] = store.entries.splice(0, 1);
    const heads = await store.listHeads();
    const pruned = { sequence: 1, hash: first?.hash ?? '' };
    store.listHeads = async () => heads.map((state) => ({ ...state, pruned }));
    clock.advance(60);
    await upkeep.tick();
    clock.advance(2 * DAY);
    await expect(upkeep.prune({ before: clock.nowMs(), actor })).rejects.toThrow('nothing is pruned');
    expect(store.checkpoints).toHaveLength(2);
    expect((await verified()).findings).toMatchObject([{ flaw: 'removed', sequence: 1 }]);
    expect(log.lines).toContainEqual(expect.objectContaining({ level: 'error' }));
  });

  test.each<[string, (entry: StoredEntry) => StoredEntry]>([
    ['a younger record whose column says that it is old', (entry) => ({ ...entry, index: { ...entry.index, at: 0 } })],
    ['a record that was made older', (entry) => ({ ...entry, ...encodeRecord(actionRecord('2', { at: 0 })) })],
    ['a record that was changed', (entry) => ({ ...entry, body: `${entry.body} ` })],
  ])('takes nothing of a chain with %s', async (_what, change) => {
    await record('1');
    clock.advance(3 * DAY);
    await record('2');
    store.entries = store.entries.map((entry, at) => (at === 1 ? change(entry) : entry));
    clock.advance(DAY);
    const before = clock.nowMs() - (_what.endsWith('changed') ? 0 : 2 * DAY * 1000);
    await expect(upkeep.prune({ before, actor })).rejects.toThrow('nothing is pruned');
    expect([store.entries.length, store.checkpoints.length]).toEqual([2, 0]);
  });

  test('of nothing changes nothing', async () => {
    await record('1');
    expect(await upkeep.prune({ before: clock.nowMs(), actor })).toEqual({ records: 0 });
    expect([store.entries.length, store.checkpoints.length]).toEqual([1, 0]);
  });

  test('goes by itself where the configuration says how long records are kept', async () => {
    upkeep = make({ keepSeconds: DAY });
    await record('1');
    clock.advance(2 * DAY);
    await record('2');
    await upkeep.tick();
    expect(store.actions.map(({ action, actor: by }) => [action, by.kind, by.name])).toEqual([
      ['session.end', 'client', 'alice'],
      ['audit.prune', 'server', 'sts'],
    ]);
    expect(await verified()).toMatchObject({ found: 0 });
  });

  test('of two at once takes everything once', async () => {
    await record('1');
    clock.advance(2 * DAY);
    const before = clock.nowMs();
    const both = await Promise.all([upkeep.prune({ before, actor }), upkeep.prune({ before, actor })]);
    expect(both.map(({ records }) => records)).toEqual([1, 0]);
  });

  test('rejects when the store does, and the next one goes on', async () => {
    await record('1');
    clock.advance(DAY);
    const { pruneEntries } = store;
    store.pruneEntries = async () => {
      throw new Error('away');
    };
    await expect(upkeep.prune({ before: clock.nowMs(), actor })).rejects.toThrow('away');
    store.pruneEntries = pruneEntries;
    expect(await upkeep.prune({ before: clock.nowMs(), actor })).toEqual({ records: 1 });
  });
});
