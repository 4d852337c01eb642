// Conformance of the STS's store port, for any engine: the sessions in force, and what tokens were used for.
import { describe, expect } from 'vitest';
import type { StsStore } from '../../sts/store.ts';
import type { StoreEngine, StsStoreInstance } from './engine.ts';
import { federatedGrant, grantOf, ISSUER, inTurn, NOW, raiseOf, sessionOf } from './fixtures.ts';
import { requirements } from './run.ts';

const ROLE = { tenant: 'main', name: 'publish-web' };

const ids = (sessions: readonly { readonly id: string }[]) => sessions.map(({ id }) => id);

/** `listSessions` and `findUse` of src/sts/store.ts. */
export function stsLookupConformance(engine: StoreEngine<StsStore, StsStoreInstance>): void {
  listing(engine);
  uses(engine);
}

function listing(engine: StoreEngine<StsStore, StsStoreInstance>): void {
  const requirement = requirements(engine);
  const filter = { tenants: ['main', 'other', ''], now: NOW };
  describe('sessions in force', () => {
    requirement('are listed by their ids, in pages', async ({ store }) => {
      await inTurn(['3', '1', '2'], (name) => store.grant(grantOf(name)));
      const page = await store.listSessions(filter, null, 2);
      expect(page).toStrictEqual([sessionOf('1'), sessionOf('2')]);
      expect(ids(await store.listSessions(filter, 'S2', 2))).toEqual(['S3']);
      expect(await store.listSessions(filter, 'S3', 2)).toEqual([]);
    });

    requirement('are not those that ended, were covered, or expired by now', async ({ store }) => {
      await store.grant(grantOf('1'));
      await store.grant(grantOf('2', { session: { expiresAt: NOW + 5 } }));
      await store.grant(grantOf('3', { session: { role: { tenant: 'other', name: 'x' } } }));
      await store.grant(grantOf('4'));
      await store.endSession('S1');
      await store.raiseEpoch(raiseOf('E', { scope: 'tenant', name: 'other' }));
      expect(ids(await store.listSessions(filter, null, 9))).toEqual(['S2', 'S4']);
      expect(ids(await store.listSessions({ ...filter, now: NOW + 5 }, null, 9))).toEqual(['S4']);
    });

    requirement(
      'are those of a tenant, a role, an issuer or a job; sessions without a role have a place of their own',
      async ({ store }) => {
        const other = { tenant: 'other', name: 'publish-web' };
        await store.grant(grantOf('1'));
        await store.grant(grantOf('2', { session: { role: other } }));
        await store.grant(grantOf('3', { session: { issuer: 'https://other.example.com', jobId: 'J1' } }));
        await store.grant(grantOf('4', { session: { jobId: null, role: { ...ROLE, name: 'x' } } }));
        await store.grant(federatedGrant('5'));
        const listed = async (change: object) => ids(await store.listSessions({ ...filter, ...change }, null, 9));
        expect(await listed({})).toEqual(['S1', 'S2', 'S3', 'S4', 'S5']);
        expect(await listed({ tenants: ['main'] })).toEqual(['S1', 'S3', 'S4']);
        expect(await listed({ tenants: [] })).toEqual([]);
        expect(await listed({ role: ROLE })).toEqual(['S1', 'S3']);
        expect(await listed({ tenants: ['main'], role: other })).toEqual([]);
        expect(await listed({ issuer: ISSUER, role: ROLE })).toEqual(['S1']);
        expect(await listed({ jobId: 'J1' })).toEqual(['S1', 'S3']);
        expect(await listed({ jobId: 'J1', issuer: ISSUER })).toEqual(['S1']);
        expect(await listed({ tenants: [''] })).toEqual(['S5']);
      },
    );
  });
}

function uses(engine: StoreEngine<StsStore, StsStoreInstance>): void {
  const requirement = requirements(engine);
  describe('what a token was used for', () => {
    const use = { exp: NOW + 600, iss: ISSUER, jti: 'jti-1' };
    requirement('is known of each use, also after a restart', async (instance) => {
      await instance.store.grant(grantOf('1', { uses: [use], client: 'ci', now: NOW + 3 }));
      await instance.store.grant(grantOf('2', { uses: [{ ...use, jti: 'jti-2' }] }));
      const again = await instance.restart();
      expect(await again.findUse(use)).toEqual({ sessionId: 'S1', decisionId: 'D1', client: 'ci', usedAt: NOW + 3 });
      expect(await again.findUse({ ...use, jti: 'jti-2' })).toMatchObject({ sessionId: 'S2', client: null });
      expect(await again.findUse({ ...use, jti: 'jti-3' })).toBeUndefined();
      expect(await again.findUse({ ...use, exp: use.exp + 1 })).toBeUndefined();
    });

    requirement('is not changed by a second use, and outlives its session', async ({ store }) => {
      await store.grant(grantOf('1', { uses: [{ ...use, exp: NOW + 9000 }], client: 'ci' }));
      await store.grant(grantOf('2', { uses: [{ ...use, exp: NOW + 9000 }], client: 'other' }));
      await store.endSession('S1');
      const known = { sessionId: 'S1', client: 'ci', usedAt: NOW };
      expect(await store.findUse({ ...use, exp: NOW + 9000 })).toEqual({ ...known, decisionId: 'D1' });
      await store.prune(NOW + 2000);
      expect(await store.findUse({ ...use, exp: NOW + 9000 })).toEqual({ ...known, decisionId: null });
    });
  });
}
