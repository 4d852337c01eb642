// Conformance of the STS's store port, for any engine: epochs and freezes.
import { describe, expect } from 'vitest';
import { formatScope } from '../../base/core/epoch.ts';
import { EPOCH_KEPT_SECONDS } from '../../base/core/limits.ts';
import type { EpochScope, Freeze, Session, StsStore } from '../../sts/store.ts';
import type { StoreEngine, StsStoreInstance } from './engine.ts';
import { actionRecord, federatedGrant, GROUP, grantOf, ISSUER, inTurn, NOW, raiseOf, tombstoneOf } from './fixtures.ts';
import { requirements } from './run.ts';

type StsEngine = StoreEngine<StsStore, StsStoreInstance>;

const PUBLISH = { scope: 'role', name: 'main/publish-web' } as const;
const SCOPES: readonly EpochScope[] = [
  { scope: 'all' },
  { scope: 'issuer', name: ISSUER },
  { scope: 'tenant', name: 'main' },
  PUBLISH,
];
const OTHERS: readonly EpochScope[] = [
  { scope: 'issuer', name: `${ISSUER}/` },
  { scope: 'issuer', name: 'main' },
  { scope: 'tenant', name: 'mai' },
  { scope: 'tenant', name: 'main/publish-web' },
  { scope: 'tenant', name: 'MAIN' },
  { scope: 'role', name: 'main/publish' },
  { scope: 'role', name: 'main' },
  { scope: 'role', name: 'other/publish-web' },
];

const freezeOf = (scope: EpochScope, frozen: boolean, at = NOW * 1000, reach: Freeze['reach'] = 'all') => ({
  scope,
  frozen,
  reach,
  record: actionRecord(`F${formatScope(scope)}${frozen}${at}${reach}`, {
    at,
    action: frozen ? 'freeze.on' : 'freeze.off',
  }),
});

function covering(engine: StsEngine): void {
  const requirement = requirements(engine);
  describe('an epoch', () => {
    requirement(
      'of each scope ends what was granted before, for every reader and after a restart',
      async (instance) => {
        await inTurn([...SCOPES.entries()], async ([index, scope]) => {
          const [before, after] = [`${index}b`, `${index}a`];
          const at = NOW + 100 * (index + 1);
          const issuedAt = at - 50;
          await instance.store.grant(grantOf(before, { now: at, session: { issuedAt } }));
          expect(await instance.store.raiseEpoch(raiseOf(`E${index}`, scope, at))).toEqual({ ...scope, at });
          expect(await (await instance.replica()).findSession(`S${before}`)).toBeUndefined();
          const late = grantOf(after, { now: at + 1, issuedFrom: at + 1, session: { issuedAt: at + 1 } });
          expect(await instance.store.grant(late)).toBe('granted');
          expect(await instance.store.findSession(`S${after}`)).toBeDefined();
        });
        const again = await instance.restart();
        expect(await again.findSession('S0b')).toBeUndefined();
        expect(await again.findSession('S3a')).toBeDefined();
        expect(await again.listEpochs()).toHaveLength(SCOPES.length);
      },
    );

    requirement('of another scope ends nothing', async ({ store }) => {
      await store.grant(grantOf('1'));
      await inTurn([...OTHERS.entries()], ([index, scope]) => store.raiseEpoch(raiseOf(`E${index}`, scope)));
      expect(await store.findSession('S1')).toBeDefined();
      expect(await store.grant(grantOf('2'))).toBe('granted');
    });

    requirement('keeps from granting by tokens that can be of before, and stores nothing of it', async ({ store }) => {
      const use = { exp: NOW + 600, iss: ISSUER, jti: 'jti-1' };
      await store.raiseEpoch(raiseOf('E', PUBLISH, NOW));
      const later = { issuedAt: NOW + 5, expiresAt: NOW + 600 };
      const late = (name: string, issuedFrom: number) =>
        store.grant(grantOf(name, { uses: [use], now: NOW + 5, issuedFrom, session: later }));
      expect(await late('1', NOW)).toBe('epoch_raised');
      expect(await late('2', NOW - 1000)).toBe('epoch_raised');
      expect(await store.findSession('S1')).toBeUndefined();
      expect(await store.findDecisions('D1')).toEqual([]);
      expect(await late('3', NOW + 1)).toBe('granted');
      expect(await store.grant(grantOf('4', { issuedFrom: NOW + 9 }))).toBe('epoch_raised');
    });

    requirement('and no moment of issue that is no number let nothing by', async ({ store }) => {
      const unknown = store.grant(grantOf('1', { issuedFrom: Number.NaN }));
      await expect(unknown).rejects.toMatchObject({ code: 'ERR_STORE_MISUSE' });
      await expect(store.raiseEpoch(raiseOf('E', PUBLISH, Number.NaN))).rejects.toMatchObject({
        code: 'ERR_STORE_UNAVAILABLE',
      });
      expect(await store.listEpochs()).toEqual([]);
    });

    requirement('is never before what was granted, nor before the last of its scope', async ({ store }) => {
      await store.grant(grantOf('1', { now: NOW + 20, session: { issuedAt: NOW + 20 } }));
      expect(await store.raiseEpoch(raiseOf('E1', PUBLISH, NOW))).toEqual({ ...PUBLISH, at: NOW + 20 });
      expect(await store.findSession('S1')).toBeUndefined();
      expect(await store.raiseEpoch(raiseOf('E2', PUBLISH, NOW + 90))).toEqual({ ...PUBLISH, at: NOW + 90 });
      expect(await store.raiseEpoch(raiseOf('E3', PUBLISH, NOW + 30))).toEqual({ ...PUBLISH, at: NOW + 90 });
      expect(await store.listEpochs()).toEqual([{ ...PUBLISH, at: NOW + 90 }]);
    });

    requirement('has ended what it covers: no end of it comes after', async ({ store }) => {
      await store.grant(grantOf('1'));
      await store.raiseEpoch(raiseOf('E', { scope: 'all' }));
      expect(await store.endSession('S1')).toBeUndefined();
      expect(await store.buryJobs([tombstoneOf('J1')])).toEqual([]);
      expect(await store.listEndedSessions(GROUP, 0, NOW, 10)).toEqual([]);
    });

    requirement('is listed in the order of kinds and names', async ({ store }) => {
      const scopes = [...SCOPES, ...OTHERS];
      await inTurn([...scopes.entries()], ([index, scope]) => store.raiseEpoch(raiseOf(`E${index}`, scope)));
      const listed = (await store.listEpochs()).map((epoch) => [epoch.scope, epoch.scope === 'all' ? '' : epoch.name]);
      expect(listed).toHaveLength(scopes.length);
      expect(listed).toEqual(listed.toSorted((a, b) => (a.join('\0') < b.join('\0') ? -1 : 1)));
    });

    requirement('is kept while anything of before can be alive, and forgotten after', async ({ store }) => {
      await store.raiseEpoch(raiseOf('E', PUBLISH, NOW));
      await store.prune(NOW + EPOCH_KEPT_SECONDS);
      expect(await store.listEpochs()).toHaveLength(1);
      await store.prune(NOW + EPOCH_KEPT_SECONDS + 1);
      expect(await store.listEpochs()).toEqual([]);
    });
  });
}

function offspring(engine: StsEngine): void {
  const requirement = requirements(engine);
  const child = (name: string, change: Partial<Session>) => grantOf(name, { session: { parentId: 'S1', ...change } });
  describe('an epoch and sessions that come of others', () => {
    requirement(
      'ends those whose parent it covers, also when it does not cover them, and tells so',
      async ({ store }) => {
        await store.grant(grantOf('1'));
        await store.grant(child('2', { role: { tenant: 'main', name: 'other' } }));
        await store.grant(child('3', {}));
        await store.grant(grantOf('4', { session: { role: { tenant: 'main', name: 'other' } } }));
        await store.raiseEpoch(raiseOf('E', PUBLISH));
        expect(await store.findSession('S2')).toBeUndefined();
        expect(await store.findSession('S3')).toBeUndefined();
        expect(await store.findSession('S4')).toBeDefined();
        expect(await store.listEndedSessions(GROUP, 0, NOW, 10)).toMatchObject([{ sessionId: 'S2' }]);
        const late = { issuedAt: NOW + 9, role: { tenant: 'main', name: 'other' } };
        expect(await store.grant(child('5', late))).toBe('session_ended');
      },
    );

    requirement(
      'of a tenant or a role spares a session without one, and nothing of that scope comes of it',
      async ({ store }) => {
        await store.grant(federatedGrant('1'));
        await store.raiseEpoch(raiseOf('E', PUBLISH, NOW));
        await store.raiseEpoch(raiseOf('T', { scope: 'tenant', name: 'main' }, NOW));
        expect(await store.findSession('S1')).toBeDefined();
        const later = { issuedAt: NOW + 9 };
        expect(await store.grant({ ...child('2', later), issuedFrom: NOW })).toBe('epoch_raised');
        await store.raiseEpoch(raiseOf('I', { scope: 'issuer', name: ISSUER }, NOW));
        expect(await store.findSession('S1')).toBeUndefined();
        expect(await store.grant({ ...child('3', later), issuedFrom: NOW + 9 })).toBe('session_ended');
      },
    );
  });
}

function freezing(engine: StsEngine): void {
  const requirement = requirements(engine);
  describe('a freeze', () => {
    requirement(
      'of each scope keeps from granting until it is lifted, and spares what was granted',
      async (instance) => {
        await instance.store.grant(grantOf('0'));
        await inTurn([...SCOPES.entries()], async ([index, scope]) => {
          await instance.store.setFreeze(freezeOf(scope, true));
          const replica = await instance.replica();
          expect(await replica.grant(grantOf(`${index}x`))).toBe('frozen');
          expect(await replica.findDecisions(`D${index}x`)).toEqual([]);
          await replica.setFreeze(freezeOf(scope, false));
          expect(await instance.store.grant(grantOf(`${index}y`))).toBe('granted');
        });
        expect(await instance.store.findSession('S0')).toBeDefined();
      },
    );

    requirement('of another scope keeps nothing', async ({ store }) => {
      await inTurn(OTHERS, (scope) => store.setFreeze(freezeOf(scope, true)));
      expect(await store.grant(grantOf('1'))).toBe('granted');
      expect(await store.listFreezes()).toHaveLength(OTHERS.length);
    });

    requirement('stays since the first time, also after a restart and pruning', async (instance) => {
      await instance.store.setFreeze(freezeOf(PUBLISH, true, NOW * 1000 + 999));
      await instance.store.setFreeze(freezeOf(PUBLISH, true, NOW * 1000 + 5000));
      const again = await instance.restart();
      await again.prune(NOW + 10 * EPOCH_KEPT_SECONDS);
      expect(await again.listFreezes()).toEqual([{ ...PUBLISH, since: NOW, reach: 'all' }]);
      await again.setFreeze(freezeOf({ scope: 'all' }, false));
      expect(await again.listFreezes()).toHaveLength(1);
    });

    requirement(
      'that all tenants’ authority set is not lifted by one tenant’s, and no record says so',
      async (instance) => {
        const set = await instance.store.setFreeze(freezeOf(PUBLISH, true));
        const freeze = { ...PUBLISH, since: NOW, reach: 'all' };
        expect(set).toEqual({ before: undefined, after: freeze });
        const again = await instance.restart();
        const lift = freezeOf(PUBLISH, false, NOW * 1000, 'tenant');
        expect(await again.setFreeze(lift)).toEqual({ before: freeze, after: freeze });
        expect(await again.grant(grantOf('1'))).toBe('frozen');
        // What was refused left no record behind: its id is free still.
        expect(await again.setFreeze({ ...lift, reach: 'all' })).toEqual({ before: freeze, after: undefined });
        expect(await again.grant(grantOf('2'))).toBe('granted');
      },
    );

    requirement('that one tenant’s authority set is lifted by either', async ({ store }) => {
      await inTurn(['tenant', 'all'] as const, async (reach) => {
        const set = await store.setFreeze(freezeOf(PUBLISH, true, NOW * 1000 + reach.length, 'tenant'));
        expect(set.after).toMatchObject({ reach: 'tenant' });
        const lifted = await store.setFreeze(freezeOf(PUBLISH, false, NOW * 1000, reach));
        expect(lifted).toMatchObject({ before: { reach: 'tenant' }, after: undefined });
        expect(await store.listFreezes()).toEqual([]);
      });
    });

    requirement('is widened by all tenants’ authority, and never narrowed', async ({ store }) => {
      await store.setFreeze(freezeOf(PUBLISH, true, NOW * 1000, 'tenant'));
      await store.setFreeze(freezeOf(PUBLISH, true, NOW * 1000 + 5000, 'all'));
      expect(await store.listFreezes()).toEqual([{ ...PUBLISH, since: NOW, reach: 'all' }]);
      await store.setFreeze(freezeOf(PUBLISH, true, NOW * 1000 + 9000, 'tenant'));
      const { after } = await store.setFreeze(freezeOf(PUBLISH, false, NOW * 1000, 'tenant'));
      expect(after).toEqual({ ...PUBLISH, since: NOW, reach: 'all' });
      expect(await store.listFreezes()).toEqual([after]);
    });

    requirement('comes after what is final, and before what uses a token up', async ({ store }) => {
      const use = { exp: NOW + 600, iss: ISSUER, jti: 'jti-1' };
      await store.grant(grantOf('1', { uses: [use] }));
      await store.setFreeze(freezeOf({ scope: 'all' }, true));
      expect(await store.grant(grantOf('2', { uses: [use] }))).toBe('frozen');
      await store.raiseEpoch(raiseOf('E', PUBLISH));
      expect(await store.grant(grantOf('3'))).toBe('epoch_raised');
    });
  });
}

/** Epochs and freezes of src/sts/store.ts. */
export function stsEpochConformance(engine: StsEngine): void {
  covering(engine);
  offspring(engine);
  freezing(engine);
}
