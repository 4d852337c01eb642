// Conformance of the audit store port, for any engine and every kind of database.
import { describe, expect } from 'vitest';
import { appendEntry, type ChainHead, startOfChain } from '../../base/audit/chain.ts';
import type { AuditStore, ChainState } from '../../base/audit/store.ts';
import type { StoreEngine } from './engine.ts';
import { actionRecord, inTurn, NOW } from './fixtures.ts';
import { requirements } from './run.ts';

type AuditEngine = StoreEngine<AuditStore>;

const NOT_PRUNED = { sequence: 0, hash: '' };
const MANY = 1000;

/** The ids of all entries of all writers, each chain checked against its hashes, its beginning and its head. */
export async function expectChains(store: AuditStore): Promise<readonly string[]> {
  const ids: string[] = [];
  await inTurn(await store.listHeads(), async ({ pruned, ...head }: ChainState) => {
    let last: ChainHead = { ...startOfChain(head.writer), ...pruned };
    for (const { index, ...entry } of await store.listEntries(head.writer, 0, MANY)) {
      expect(entry).toEqual(appendEntry(last, entry.body));
      expect(JSON.parse(entry.body)).toMatchObject({ kind: index.kind, id: index.id, at: index.at });
      last = { writer: entry.writer, sequence: entry.sequence, hash: entry.hash };
      ids.push(index.id);
    }
    expect(last).toEqual(head);
  });
  return ids;
}

function recording(engine: AuditEngine): void {
  const requirement = requirements(engine);
  describe('records', () => {
    requirement('there are none, and no writer, in a new store', async ({ store }) => {
      expect(await store.listHeads()).toEqual([]);
      expect(await store.listNewestEntries(10)).toEqual([]);
      expect(await store.listEntries('W', 0, 10)).toEqual([]);
    });

    requirement('are entries of one chain, found by what they say, also after a restart', async (instance) => {
      const record = actionRecord('1', { detail: { ['__proto__']: 'own', nested: [null, 'a\u0000b', 'späte 🌙'] } });
      await instance.store.recordAction(record);
      await instance.store.recordAction(actionRecord('2', { tenant: null }));
      const [head, ...others] = await instance.store.listHeads();
      expect([head?.sequence, head?.pruned, others]).toEqual([2, NOT_PRUNED, []]);
      const again = await instance.restart();
      expect(await again.listHeads()).toEqual([head]);
      const [first, second] = await again.listEntries(head?.writer ?? '', 0, 10);
      expect(first).toMatchObject({ sequence: 1, index: { kind: 'action', id: 'A1', at: NOW * 1000, tenant: 'main' } });
      expect(second).toMatchObject({ sequence: 2, index: { id: 'A2', tenant: null } });
      expect(first?.body).toBe(JSON.stringify(record));
      expect(await expectChains(again)).toEqual(['A1', 'A2']);
    });

    requirement('of many at once are in one chain without a gap; one that fails leaves none', async ({ store }) => {
      await store.recordAction(actionRecord('0'));
      const settled = await Promise.allSettled(
        ['1', '2', '0', '3', '4'].map((name) => store.recordAction(actionRecord(name))),
      );
      expect(settled.map(({ status }) => status === 'fulfilled')).toEqual([true, true, false, true, true]);
      await store.recordAction(actionRecord('5'));
      expect(await expectChains(store)).toEqual(['A0', 'A1', 'A2', 'A3', 'A4', 'A5']);
    });

    requirement('of every replica are whole chains, and each record is in one of them', async (instance) => {
      const stores = [instance.store, await instance.replica(), await instance.replica()];
      const names = Array.from({ length: 30 }, (_, index) => `${index}`);
      await Promise.all(names.map((name, index) => stores[index % 3]?.recordAction(actionRecord(name))));
      const again = await instance.restart();
      await again.recordAction(actionRecord('30'));
      expect((await expectChains(again)).toSorted()).toEqual([...names, '30'].map((name) => `A${name}`).toSorted());
    });

    requirement('of a chain are listed in order, from where one left off', async ({ store }) => {
      await inTurn(['1', '2', '3', '4'], (name) => store.recordAction(actionRecord(name)));
      const writer = (await store.listHeads())[0]?.writer ?? '';
      const ids = async (after: number, limit: number) =>
        (await store.listEntries(writer, after, limit)).map((entry) => entry.index.id);
      expect(await ids(0, 2)).toEqual(['A1', 'A2']);
      expect(await ids(2, 10)).toEqual(['A3', 'A4']);
      expect(await ids(4, 10)).toEqual([]);
    });

    requirement('of all chains are listed newest first, also those of chosen tenants alone', async ({ store }) => {
      const of = (name: string, tenant: string | null) => store.recordAction(actionRecord(name, { tenant }));
      await of('1', 'main');
      await of('2', null);
      await of('3', 'other');
      await of('4', 'main');
      const ids = async (limit: number, tenants?: readonly string[]) =>
        (await store.listNewestEntries(limit, tenants === undefined ? undefined : { tenants })).map(
          (entry) => entry.index.id,
        );
      expect(await ids(10)).toEqual(['A4', 'A3', 'A2', 'A1']);
      expect(await ids(2)).toEqual(['A4', 'A3']);
      expect(await ids(10, ['main', 'main'])).toEqual(['A4', 'A1']);
      expect(await ids(2, ['other', 'main'])).toEqual(['A4', 'A3']);
      expect(await ids(10, ['ma', 'MAIN', '%', ''])).toEqual([]);
      expect(await ids(10, [])).toEqual([]);
    });
  });
}

function checkpoints(engine: AuditEngine): void {
  const requirement = requirements(engine);
  describe('checkpoints', () => {
    requirement('come back in order, from where one left off, also after a restart', async (instance) => {
      const all = [1, 2, 3].map((n) => ({ at: NOW + n, jws: `jws-${n}` }));
      await inTurn([all[1], all[0], all[2]], async (one) => one && instance.store.insertCheckpoint(one));
      expect(await instance.store.listCheckpoints(0, 10)).toEqual(all);
      expect(await instance.store.listCheckpoints(NOW + 1, 1)).toEqual([all[1]]);
      expect(await (await instance.restart()).listCheckpoints(NOW + 1, 10)).toEqual(all.slice(1));
    });

    requirement('of one second are never parted', async ({ store }) => {
      const all = [1, 1, 2].map((n, index) => ({ at: NOW + n, jws: `jws-${index}` }));
      await inTurn(all, (one) => store.insertCheckpoint(one));
      expect(await store.listCheckpoints(0, 1)).toEqual(all.slice(0, 2));
      expect(await store.listCheckpoints(NOW + 1, 1)).toEqual(all.slice(2));
    });
  });
}

function pruning(engine: AuditEngine): void {
  const requirement = requirements(engine);
  const at = (seconds: number) => ({ at: (NOW + seconds) * 1000 });
  const before = (NOW + 2) * 1000;
  const checkpoint = { at: NOW + 9, jws: 'jws-pruned' };
  const record = actionRecord('P', { ...at(9), action: 'audit.prune' });

  describe('pruning', () => {
    requirement('takes the beginning of a chain, up to the first record that is not old', async (instance) => {
      const { store } = instance;
      await inTurn(['0', '1', '2', '11'], (name) => store.recordAction(actionRecord(name, at(Number(name[0])))));
      const [head] = await store.listHeads();
      const upTo = await store.listPrunable(before, MANY);
      expect(upTo).toEqual([expect.objectContaining({ writer: head?.writer, sequence: 2 })]);
      await store.insertCheckpoint({ at: NOW + 1, jws: 'jws-old' });
      await store.insertCheckpoint({ at: NOW + 2, jws: 'jws-kept' });
      expect(await store.pruneEntries({ upTo, before, checkpoint, record })).toBe(2);
      const again = await instance.restart();
      const [state] = await again.listHeads();
      expect(state?.pruned).toEqual({ sequence: 2, hash: upTo[0]?.hash });
      expect(await expectChains(again)).toHaveLength(3);
      expect((await again.listCheckpoints(0, 10)).map(({ jws }) => jws)).toEqual(['jws-kept', 'jws-pruned']);
      expect(await again.listPrunable(before, MANY)).toEqual([]);
    });

    requirement('takes at most so many of a chain at once, and can take a whole one', async ({ store }) => {
      await inTurn(['1', '2', '3'], (name) => store.recordAction(actionRecord(name, at(0))));
      expect((await store.listPrunable(before, 2)).map(({ sequence }) => sequence)).toEqual([2]);
      const upTo = await store.listPrunable(before, MANY);
      expect(upTo.map(({ sequence }) => sequence)).toEqual([3]);
      await store.pruneEntries({ upTo, before, checkpoint, record });
      expect(await expectChains(store)).toEqual(['AP']);
    });

    requirement('leaves alone what is not old', async ({ store }) => {
      await store.recordAction(actionRecord('1', at(2)));
      expect(await store.listPrunable(before, MANY)).toEqual([]);
    });

    requirement('up to what is no entry changes nothing', async ({ store }) => {
      await store.recordAction(actionRecord('1', at(0)));
      const [head] = await store.listPrunable(before, MANY);
      const writer = head?.writer ?? '';
      const wrong = [
        { writer, sequence: 1, hash: 'other' },
        { writer, sequence: 2, hash: head?.hash ?? '' },
        { writer: 'W', sequence: 1, hash: head?.hash ?? '' },
      ];
      await inTurn(wrong, async (one) => {
        const pruned = store.pruneEntries({ upTo: [one], before, checkpoint, record });
        await expect(pruned).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_STORE_/) });
      });
      expect(await expectChains(store)).toEqual(['A1']);
      expect(await store.listCheckpoints(0, 10)).toEqual([]);
    });
  });
}

/** Every sentence of src/base/audit/store.ts. */
export function auditStoreConformance(engine: AuditEngine): void {
  describe('audit store', () => {
    recording(engine);
    checkpoints(engine);
    pruning(engine);
  });
}
