// Conformance of an STS's store that begins anew, for any engine: nothing that was granted is in force, and nothing of before is used again.
import { describe, expect } from 'vitest';
import type { AuditStore } from '../../base/audit/store.ts';
import type { Epoch, StsStore } from '../../sts/store.ts';
import { expectChains } from './audit.ts';
import { beginningConformance } from './beginnings.ts';
import type { StoreEngine } from './engine.ts';
import { actionRecord, grantOf, NOW } from './fixtures.ts';
import { requirements } from './run.ts';

let begun = 0;
const begin = (store: StsStore, now: number, expectedGeneration = 0): Promise<Epoch | undefined> => {
  begun += 1;
  const identity = { id: `store-${begun}`, bornAt: now };
  return store.beginAnew({
    expectedGeneration,
    history: 'h',
    identity,
    now,
    record: actionRecord(`b${begun}`, { action: 'store.begin_anew' }),
  });
};

/** The part of src/sts/store.ts about beginnings, with the records. */
export function stsBeginningConformance(engine: StoreEngine<StsStore & AuditStore>): void {
  const requirement = requirements(engine);
  describe('an STS that begins anew', () => {
    beginningConformance(engine, begin);

    requirement('ends all sessions by one epoch, is another store, and records it', async (instance) => {
      const { store } = instance;
      await store.grant(grantOf('1', { session: { issuedAt: NOW } }));
      expect(await begin(store, NOW + 5)).toEqual({ scope: 'all', at: NOW + 5 });
      const again = await instance.restart();
      expect(await again.findSession('S1')).toBeUndefined();
      expect(await again.listEpochs()).toEqual([{ scope: 'all', at: NOW + 5 }]);
      expect(await again.identity()).toEqual({ id: `store-${begun}`, bornAt: NOW + 5 });
      expect(await expectChains(again)).toEqual(['D1', `Ab${begun}`]);
    });

    requirement(
      'grants to no token of before, also where it had acted at a later time than it begins at',
      async ({ store }) => {
        await store.grant(grantOf('1', { now: NOW + 20 }));
        expect(await begin(store, NOW + 5)).toEqual({ scope: 'all', at: NOW + 20 });
        expect(await store.grant(grantOf('2', { issuedFrom: NOW + 20, now: NOW + 30 }))).toBe('epoch_raised');
        expect(await store.grant(grantOf('3', { session: { issuedAt: NOW + 21 }, now: NOW + 30 }))).toBe('granted');
      },
    );

    requirement('with a record that fails changes nothing', async ({ store }) => {
      await store.grant(grantOf('1'));
      await store.recordAction(actionRecord('taken'));
      const beginning = {
        expectedGeneration: 0,
        history: 'h',
        identity: { id: 'x', bornAt: NOW },
        now: NOW,
        record: actionRecord('taken'),
      };
      await expect(store.beginAnew(beginning)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
      expect(await store.beginning()).toMatchObject({ generation: 0 });
      expect(await store.findSession('S1')).toBeDefined();
      expect((await store.identity()).id).not.toBe('x');
    });
  });
}
