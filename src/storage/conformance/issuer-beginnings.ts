// Conformance of an issuer's store that begins anew, for any engine: nothing that ran goes on.
import { describe, expect } from 'vitest';
import type { AuditStore } from '../../base/audit/store.ts';
import type { IssuerStore } from '../../issuer/store.ts';
import { expectChains } from './audit.ts';
import { beginningConformance } from './beginnings.ts';
import type { StoreEngine } from './engine.ts';
import { actionRecord, issuedTokenOf, jobOf, NOW, requestTokenOf } from './fixtures.ts';
import { requirements } from './run.ts';

const AUDIENCE = 'https://sts.example.com';
const READER = { client: 'sts', receiver: 'r1' };

let begun = 0;
const begin = (store: IssuerStore, now: number, expectedGeneration = 0): Promise<number | undefined> => {
  begun += 1;
  const record = actionRecord(`b${begun}`, { action: 'store.begin_anew' });
  return store.beginAnew({ expectedGeneration, history: 'h', now, eventExpiresAt: now + 3600, record });
};

/** The part of src/issuer/store.ts about beginnings, with the records. */
export function issuerBeginningConformance(engine: StoreEngine<IssuerStore & AuditStore>): void {
  const requirement = requirements(engine);
  const start = (store: IssuerStore, id: string, startedAt = NOW) =>
    store.startJob(jobOf(id, { startedAt }), requestTokenOf(id));
  describe('an issuer that begins anew', () => {
    beginningConformance(engine, begin);

    requirement('ends every job that ran, and tells who had a token of it', async (instance) => {
      const { store } = instance;
      await start(store, 'J1');
      await start(store, 'J2');
      await start(store, 'J3');
      await store.recordToken(issuedTokenOf('t1', 'J1'));
      await store.endJob('J3', { at: NOW + 1, reason: 'finished', eventExpiresAt: NOW + 60 });
      expect(await begin(store, NOW + 5)).toBe(2);
      const again = await instance.restart();
      expect(await again.findJob('J1')).toMatchObject({ endedAt: NOW + 5, endReason: 'store_restored' });
      expect(await again.findJob('J2')).toMatchObject({ endedAt: NOW + 5, endReason: 'store_restored' });
      expect(await again.findJob('J3')).toMatchObject({ endedAt: NOW + 1, endReason: 'finished' });
      expect(await again.recordToken(issuedTokenOf('t2', 'J2'))).toBe(false);
      const events = await again.listEvents(READER, [AUDIENCE], 10);
      expect(events.map(({ jobId, reason }) => [jobId, reason])).toEqual([['J1', 'store_restored']]);
      expect(await expectChains(again)).toEqual([`Ab${begun}`]);
    });

    requirement('with a record that fails changes nothing', async ({ store }) => {
      await start(store, 'J1');
      await store.recordAction(actionRecord('taken'));
      const beginning = {
        expectedGeneration: 0,
        history: 'h',
        now: NOW,
        eventExpiresAt: NOW,
        record: actionRecord('taken'),
      };
      await expect(store.beginAnew(beginning)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
      expect(await store.beginning()).toMatchObject({ generation: 0 });
      expect(await store.findJob('J1')).toMatchObject({ endedAt: null });
    });
  });

  describe('the high-water mark of an issuer', () => {
    requirement('is the latest time of a start, an end or a forgetting, and never falls', async (instance) => {
      const { store } = instance;
      expect(await store.highWaterMark()).toBe(0);
      await start(store, 'J1', NOW);
      expect(await store.highWaterMark()).toBe(NOW);
      await start(store, 'J2', NOW - 100);
      expect(await store.highWaterMark()).toBe(NOW);
      await store.endJob('J1', { at: NOW + 7, reason: 'finished', eventExpiresAt: NOW + 60 });
      expect(await store.highWaterMark()).toBe(NOW + 7);
      await store.prune(NOW + 9);
      expect(await (await instance.restart()).highWaterMark()).toBe(NOW + 9);
    });
  });
}
