// Conformance of the STS's store port, for any engine: tombstones, ended sessions, forgetting.
import { describe, expect } from 'vitest';
import type { EndedSession, StsStore } from '../../sts/store.ts';
import type { StoreEngine, StsStoreInstance } from './engine.ts';
import { GROUP, grantOf, ISSUER, inTurn, NOW, tombstoneOf } from './fixtures.ts';
import { requirements } from './run.ts';

type StsEngine = StoreEngine<StsStore, StsStoreInstance>;

/** Twice the widest skew: what was forgotten must be dead at every time that is still granted at. */
const SLACK_SECONDS = 600;

const ids = (ends: readonly EndedSession[]) => ends.map((end) => end.sessionId);

/** A session `S<name>` of the job `jobId`. */
const grantTo = (store: StsStore, jobId: string, name: string, expiresAt = NOW + 600) =>
  store.grant(grantOf(name, { session: { jobId, expiresAt } }));

function burying(engine: StsEngine): void {
  const requirement = requirements(engine);
  describe('burying jobs', () => {
    requirement('ends their sessions, gives them back, and is remembered, also after a restart', async (instance) => {
      const { store } = instance;
      await inTurn(['1', '2'], (name) => grantTo(store, 'J', name));
      await grantTo(store, 'other', '3');
      expect(await store.isBuried(ISSUER, 'J')).toBe(false);
      const ended = await store.buryJobs([tombstoneOf('J')]);
      expect(ids(ended).sort()).toEqual(['S1', 'S2']);
      expect(ended.every((end) => end.expiresAt === NOW + 600)).toBe(true);
      const again = await instance.restart();
      expect(await again.isBuried(ISSUER, 'J')).toBe(true);
      expect(await again.findSession('S1')).toBeUndefined();
      expect(await again.findSession('S3')).toBeDefined();
      expect(await again.listEndedSessions(GROUP, 0, NOW, 10)).toEqual(ended);
      expect(await again.grant(grantOf('4', { session: { jobId: 'J' } }))).toBe('job_ended');
    });

    requirement('again ends nothing again', async ({ store }) => {
      await grantTo(store, 'J', '1');
      await store.buryJobs([tombstoneOf('J')]);
      expect(await store.buryJobs([tombstoneOf('J', { endedAt: NOW + 9 })])).toEqual([]);
      expect(ids(await store.listEndedSessions(GROUP, 0, NOW, 10))).toEqual(['S1']);
    });

    requirement('ends only the sessions of that very issuer and job', async ({ store }) => {
      await grantTo(store, 'J', '1');
      await store.buryJobs([tombstoneOf('j'), tombstoneOf('J', { issuer: `${ISSUER}/` }), tombstoneOf('%')]);
      expect(await store.findSession('S1')).toBeDefined();
      expect(await store.isBuried(ISSUER, 'J')).toBe(false);
    });

    requirement('ends a session whose job binds nothing, too', async ({ store }) => {
      await store.grant(grantOf('1', { session: { jobBound: false } }));
      expect(ids(await store.buryJobs([tombstoneOf('J1')]))).toEqual(['S1']);
    });

    requirement('several at once ends the sessions of all, in the order of their sequence', async ({ store }) => {
      await inTurn(['1', '2', '3'], (name) => grantTo(store, `J${name}`, name));
      const ended = await store.buryJobs([tombstoneOf('J2'), tombstoneOf('J1'), tombstoneOf('J1'), tombstoneOf('J9')]);
      expect(ids(ended).sort()).toEqual(['S1', 'S2']);
      const sequences = ended.map((end) => end.sequence);
      expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
      expect(await store.isBuried(ISSUER, 'J9')).toBe(true);
    });

    requirement('none changes nothing', async ({ store }) => {
      expect(await store.buryJobs([])).toEqual([]);
    });

    requirement('leaves the decision that granted the session', async ({ store }) => {
      await grantTo(store, 'J', '1');
      await store.buryJobs([tombstoneOf('J')]);
      expect(await store.findDecisions('D1')).toHaveLength(1);
    });
  });
}

function listing(engine: StsEngine): void {
  const requirement = requirements(engine);
  describe('ended sessions', () => {
    requirement('are listed after the cursor, in order, at most `limit`', async ({ store }) => {
      await inTurn(['1', '2', '3', '4'], (name) => grantTo(store, `J${name}`, name));
      await inTurn(['3', '1', '4', '2'], (name) => store.buryJobs([tombstoneOf(`J${name}`)]));
      const all = await store.listEndedSessions(GROUP, 0, NOW, 10);
      expect(ids(all)).toEqual(['S3', 'S1', 'S4', 'S2']);
      expect(await store.listEndedSessions(GROUP, all[1]?.sequence ?? 0, NOW, 10)).toEqual(all.slice(2));
      expect(await store.listEndedSessions(GROUP, 0, NOW, 3)).toEqual(all.slice(0, 3));
      expect(await store.listEndedSessions(GROUP, all[3]?.sequence ?? 0, NOW, 10)).toEqual([]);
    });

    requirement('are told of one group alone', async ({ store }) => {
      await grantTo(store, 'J', '1');
      await store.grant(grantOf('2', { session: { jobId: 'J', group: 'other' } }));
      await store.buryJobs([tombstoneOf('J')]);
      expect(ids(await store.listEndedSessions(GROUP, 0, NOW, 10))).toEqual(['S1']);
      expect(ids(await store.listEndedSessions('other', 0, NOW, 10))).toEqual(['S2']);
      expect(await store.listEndedSessions('', 0, NOW, 10)).toEqual([]);
    });

    requirement('that have expired by now are left out', async ({ store }) => {
      await grantTo(store, 'J', '1', NOW + 100);
      await grantTo(store, 'J', '2', NOW + 200);
      await store.buryJobs([tombstoneOf('J')]);
      expect(await store.listEndedSessions(GROUP, 0, NOW + 99, 10)).toHaveLength(2);
      expect(ids(await store.listEndedSessions(GROUP, 0, NOW + 100, 10))).toEqual(['S2']);
    });

    requirement('never reuse a sequence, also after all were forgotten', async (instance) => {
      await grantTo(instance.store, 'J1', '1');
      const [before] = await instance.store.buryJobs([tombstoneOf('J1')]);
      await instance.store.prune(NOW + 100_000);
      const again = await instance.restart();
      const later = grantOf('2', { now: NOW + 100_000, session: { expiresAt: NOW + 100_600 } });
      expect(await again.grant(later)).toBe('granted');
      const [after] = await again.buryJobs([tombstoneOf('J2')]);
      expect(after?.sequence).toBeGreaterThan(before?.sequence ?? Number.POSITIVE_INFINITY);
    });

    requirement('reach a cursor that polls while others bury, each exactly once', async (instance) => {
      const stores = [instance.store, await instance.replica()];
      const names = Array.from({ length: 30 }, (_, index) => `${index}x`);
      await inTurn(names, (name) => grantTo(instance.store, `J${name}`, name));
      const burials = names.map((name, index) => stores[index % 2]?.buryJobs([tombstoneOf(`J${name}`)]));
      const seen: string[] = [];
      let cursor = 0;
      const poll = async () => {
        const ends = await instance.store.listEndedSessions(GROUP, cursor, NOW, 4);
        seen.push(...ids(ends));
        cursor = ends.at(-1)?.sequence ?? cursor;
        return ends.length;
      };
      await inTurn(burials, async (burial) => {
        await poll();
        await burial;
      });
      while ((await poll()) > 0);
      expect(seen.sort()).toEqual(names.map((name) => `S${name}`).sort());
    });
  });
}

function forgetting(engine: StsEngine): void {
  const requirement = requirements(engine);
  const use = { exp: NOW + 600, iss: ISSUER, jti: 'jti-1' };
  describe('pruning', () => {
    requirement(
      'keeps uses, tombstones and sessions while any accepted clock could meet them alive',
      async ({ store }) => {
        await store.grant(grantOf('1', { uses: [use] }));
        await grantTo(store, 'J', '2');
        await store.buryJobs([tombstoneOf('J')]);
        const last = NOW + 600 + SLACK_SECONDS;
        await store.prune(last);
        expect(await store.grant(grantOf('3', { uses: [use], now: last }))).toBe('token_replayed');
        expect(await store.isBuried(ISSUER, 'J')).toBe(true);
        expect(await store.findSession('S1')).toBeDefined();
        expect(ids(await store.listEndedSessions(GROUP, 0, NOW, 10))).toEqual(['S2']);
      },
    );

    requirement('forgets them afterwards; decisions stay', async ({ store }) => {
      await store.grant(grantOf('1', { uses: [use] }));
      await grantTo(store, 'J', '2');
      await store.buryJobs([tombstoneOf('J')]);
      const after = NOW + 600 + SLACK_SECONDS + 1;
      await store.prune(after);
      expect(await store.isBuried(ISSUER, 'J')).toBe(false);
      expect(await store.findSession('S1')).toBeUndefined();
      expect(await store.findSession('S2')).toBeUndefined();
      expect(await store.listEndedSessions(GROUP, 0, NOW, 10)).toEqual([]);
      expect(await store.findDecisions('D')).toHaveLength(2);
      expect(await store.grant(grantOf('3', { uses: [use], now: after }))).toBe('granted');
    });

    requirement(
      'raises the high-water mark: what was forgotten is not decided on at an earlier time',
      async ({ store }) => {
        await store.grant(grantOf('1', { uses: [use] }));
        await store.prune(NOW + 5000);
        expect(await store.grant(grantOf('2', { uses: [use], now: NOW + 10 }))).toBe('clock_behind');
      },
    );

    requirement('keeps a tombstone as long as the longest asked for', async ({ store }) => {
      await store.buryJobs([tombstoneOf('J', { expiresAt: NOW + 10 })]);
      await store.buryJobs([tombstoneOf('J', { expiresAt: NOW + 9000 })]);
      await store.buryJobs([tombstoneOf('J', { expiresAt: NOW + 20 })]);
      await store.prune(NOW + 9000);
      expect(await store.isBuried(ISSUER, 'J')).toBe(true);
    });
  });
}

/** Burials, ended sessions and pruning of src/sts/store.ts. */
export function stsBurialConformance(engine: StsEngine): void {
  burying(engine);
  listing(engine);
  forgetting(engine);
}
