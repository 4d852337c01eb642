// Conformance of what the STS's store keeps in its audit chain, for any engine: in the transaction of what it records.
import { describe, expect } from 'vitest';
import type { AuditStore } from '../../base/audit/store.ts';
import type { StsStore } from '../../sts/store.ts';
import { expectChains } from './audit.ts';
import type { StoreEngine } from './engine.ts';
import { actionRecord, grantedRecord, grantOf, ISSUER, NOW, raiseOf, refusedRecord, tombstoneOf } from './fixtures.ts';
import { requirements } from './run.ts';

/** The STS's database with both of its ports. */
export function stsAuditConformance(engine: StoreEngine<StsStore & AuditStore>): void {
  const requirement = requirements(engine);
  describe('the audit chain of an STS', () => {
    requirement('has grants and refusals as they were given, in order, also after a restart', async (instance) => {
      await instance.store.grant(grantOf('1'));
      await instance.store.recordRefusal(refusedRecord('2'));
      const again = await instance.restart();
      expect(await expectChains(again)).toEqual(['D1', 'D2']);
      const [second, first] = await again.listNewestEntries(2);
      expect(first?.body).toBe(JSON.stringify({ kind: 'decision', ...grantedRecord('1') }));
      expect(first?.index).toEqual({ kind: 'decision', id: 'D1', at: NOW * 1000 + 7, tenant: 'main' });
      expect(second?.index).toMatchObject({ id: 'D2', tenant: null });
    });

    requirement('has nothing of what was refused by the store, and no gap after what failed', async ({ store }) => {
      await store.buryJobs([tombstoneOf('J1')]);
      expect(await store.grant(grantOf('1'))).toBe('job_ended');
      const settled = await Promise.allSettled([
        store.grant(grantOf('2')),
        store.grant({ ...grantOf('3'), session: { ...grantOf('2').session, decisionId: 'D3' } }),
        store.grant({ ...grantOf('4', { session: { id: 'S2' } }), record: grantedRecord('4', { sessionId: 'S2' }) }),
        store.recordRefusal(refusedRecord('2')),
        store.grant(grantOf('5')),
      ]);
      expect(settled.map(({ status }) => status === 'fulfilled')).toEqual([true, false, false, false, true]);
      await store.grant(grantOf('6'));
      expect(await expectChains(store)).toEqual(['D2', 'D5', 'D6']);
    });

    requirement('has who ended a session, once, and nothing when none was ended', async (instance) => {
      const { store } = instance;
      await store.grant(grantOf('1'));
      await store.endSession('S9', actionRecord('9'));
      expect(await store.endSession('S1', actionRecord('1'))).toMatchObject({ sessionId: 'S1' });
      expect(await store.endSession('S1', actionRecord('2'))).toBeUndefined();
      expect(await expectChains(await instance.restart())).toEqual(['D1', 'A1']);
    });

    requirement('has each epoch, freeze and burial that somebody asked for', async (instance) => {
      const { store } = instance;
      const scope = { scope: 'tenant', name: 'main' } as const;
      await store.raiseEpoch(raiseOf('1', scope));
      await store.setFreeze({ scope, frozen: true, reach: 'all', record: actionRecord('2') });
      await store.setFreeze({ scope, frozen: false, reach: 'all', record: actionRecord('3') });
      await store.buryJobs([tombstoneOf('J1')], actionRecord('4'));
      await store.buryJobs([tombstoneOf('J1')], actionRecord('5'));
      expect(await expectChains(await instance.restart())).toEqual(['A1', 'A2', 'A3', 'A4', 'A5']);
    });

    requirement('lets no epoch, freeze or burial be whose record fails', async ({ store }) => {
      const record = actionRecord('1');
      const scope = { scope: 'all' } as const;
      await store.recordAction(record);
      const refused = { code: 'ERR_STORE_UNAVAILABLE' };
      await expect(store.raiseEpoch({ scope, now: NOW, record })).rejects.toMatchObject(refused);
      await expect(store.setFreeze({ scope, frozen: true, reach: 'all', record })).rejects.toMatchObject(refused);
      await expect(store.buryJobs([tombstoneOf('J1')], record)).rejects.toMatchObject(refused);
      expect([await store.listEpochs(), await store.listFreezes()]).toEqual([[], []]);
      expect(await store.isBuried(ISSUER, 'J1')).toBe(false);
    });

    requirement('keeps a session alive whose record fails', async ({ store }) => {
      await store.grant(grantOf('1'));
      await store.recordAction(actionRecord('1'));
      await expect(store.endSession('S1', actionRecord('1'))).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
      expect(await store.findSession('S1')).toBeDefined();
    });

    requirement('shows no action among decisions', async ({ store }) => {
      await store.recordAction(actionRecord('1', { id: 'DA1' }));
      await store.recordRefusal(refusedRecord('B1', { role: { tenant: 'main', name: 'x' } }));
      expect((await store.findDecisions('D')).map(({ id }) => id)).toEqual(['DB1']);
      expect((await store.listDecisions(10)).map(({ id }) => id)).toEqual(['DB1']);
      expect((await store.listDecisions(10, { tenants: ['main'] })).map(({ id }) => id)).toEqual(['DB1']);
    });
  });
}
