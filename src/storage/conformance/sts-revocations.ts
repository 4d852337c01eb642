// Conformance of the STS's store port, for any engine: ending single sessions.
import { describe, expect } from 'vitest';
import type { StsStore } from '../../sts/store.ts';
import type { StoreEngine, StsStoreInstance } from './engine.ts';
import { GROUP, grantOf, NOW, tombstoneOf } from './fixtures.ts';
import { requirements } from './run.ts';

type StsEngine = StoreEngine<StsStore, StsStoreInstance>;

/** `endSession` of src/sts/store.ts. */
export function stsRevocationConformance(engine: StsEngine): void {
  const requirement = requirements(engine);
  describe('ending one session', () => {
    requirement('ends it and no other of its job, for every reader and after a restart', async (instance) => {
      const { store } = instance;
      await store.grant(grantOf('1', { session: { jobId: 'J' } }));
      await store.grant(grantOf('2', { session: { jobId: 'J' } }));
      const end = await store.endSession('S1');
      expect(end).toEqual({ sequence: expect.any(Number), sessionId: 'S1', expiresAt: NOW + 600 });
      expect(await (await instance.replica()).findSession('S1')).toBeUndefined();
      const again = await instance.restart();
      expect(await again.findSession('S1')).toBeUndefined();
      expect(await again.findSession('S2')).toBeDefined();
      expect(await again.listEndedSessions(GROUP, 0, NOW, 10)).toEqual([end]);
    });

    requirement('that has ended, or is unknown, changes nothing', async ({ store }) => {
      await store.grant(grantOf('1'));
      await store.endSession('S1');
      expect(await store.endSession('S1')).toBeUndefined();
      expect(await store.endSession('S9')).toBeUndefined();
      expect(await store.endSession('%')).toBeUndefined();
      expect(await store.listEndedSessions(GROUP, 0, NOW, 10)).toHaveLength(1);
    });

    requirement('and its job later, or earlier, tells its end once', async ({ store }) => {
      await store.grant(grantOf('1', { session: { jobId: 'J' } }));
      await store.grant(grantOf('2', { session: { jobId: 'J' } }));
      const end = await store.endSession('S1');
      const [other, ...more] = await store.buryJobs([tombstoneOf('J')]);
      expect([other?.sessionId, more]).toEqual(['S2', []]);
      expect(other?.sequence).toBeGreaterThan(end?.sequence ?? Number.POSITIVE_INFINITY);
      expect(await store.endSession('S2')).toBeUndefined();
    });

    requirement('ends what came of it, and lets nothing more come of it', async (instance) => {
      const { store } = instance;
      await store.grant(grantOf('1', { session: { jobId: 'J' } }));
      await store.grant(grantOf('2', { session: { jobId: 'J', group: 'other', parentId: 'S1' } }));
      await store.grant(grantOf('3', { session: { jobId: 'J' } }));
      await store.endSession('S1');
      const again = await instance.restart();
      expect(await again.findSession('S2')).toBeUndefined();
      expect(await again.findSession('S3')).toBeDefined();
      expect(await again.listEndedSessions('other', 0, NOW, 10)).toMatchObject([{ sessionId: 'S2' }]);
      expect(await again.grant(grantOf('4', { session: { parentId: 'S1' } }))).toBe('session_ended');
      expect(await again.grant(grantOf('5', { session: { parentId: 'S9' } }))).toBe('session_ended');
      expect(await again.findDecisions('D4')).toEqual([]);
    });

    requirement('of one that came of another spares the other', async ({ store }) => {
      await store.grant(grantOf('1'));
      await store.grant(grantOf('2', { session: { parentId: 'S1' } }));
      await store.endSession('S2');
      expect(await store.findSession('S1')).toBeDefined();
      await store.endSession('S1');
      expect(await store.listEndedSessions(GROUP, 0, NOW, 10)).toHaveLength(2);
    });

    requirement('buries no job: it may be granted another', async ({ store }) => {
      await store.grant(grantOf('1', { session: { jobId: 'J' } }));
      await store.endSession('S1');
      expect(await store.grant(grantOf('2', { session: { jobId: 'J' } }))).toBe('granted');
    });

    requirement('is told to its own group alone', async ({ store }) => {
      await store.grant(grantOf('1', { session: { group: 'other' } }));
      await store.endSession('S1');
      expect(await store.listEndedSessions(GROUP, 0, NOW, 10)).toEqual([]);
      expect(await store.listEndedSessions('other', 0, NOW, 10)).toHaveLength(1);
    });

    requirement('by several at once on two replicas ends it once', async (instance) => {
      await instance.store.grant(grantOf('1'));
      const stores = [instance.store, await instance.replica()];
      const ends = await Promise.all(Array.from({ length: 10 }, (_, at) => stores[at % 2]?.endSession('S1')));
      expect(ends.filter((end) => end !== undefined)).toHaveLength(1);
    });
  });
}
