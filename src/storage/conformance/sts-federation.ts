// Requirements on the STS's store, for any engine: sessions that others come of, and grants that use several things up.
import { describe, expect } from 'vitest';
import type { StsStore } from '../../sts/store.ts';
import type { StoreEngine, StsStoreInstance } from './engine.ts';
import { GROUP, grantOf, ISSUER, NOW, sessionOf, tombstoneOf } from './fixtures.ts';
import { requirements } from './run.ts';

const USE = { exp: NOW + 600, iss: ISSUER, jti: 'jti-1' };

/** Part of the STS store's suite. */
export function stsFederationConformance(engine: StoreEngine<StsStore, StsStoreInstance>): void {
  const requirement = requirements(engine);
  describe('a grant', () => {
    requirement(
      'keeps the identity that another session may come of, and a session that has no role',
      async (instance) => {
        const federation = {
          provider: '//p',
          claims: { sub: 'wéb', ['__proto__']: 'own', list: [1] },
          tokenIssuedAt: NOW,
          tokenExpiresAt: NOW,
        };
        const { id, decisionId, issuer, subject, jobId, jobBound, issuedAt, expiresAt } = sessionOf('2');
        const facts = { id, decisionId, issuer, subject, jobId, jobBound, issuedAt, expiresAt };
        const withoutRole = { ...facts, role: null, federation } as const;
        await instance.store.grant(grantOf('1', { session: { federation } }));
        await instance.store.grant({ ...grantOf('2'), session: withoutRole });
        const again = await instance.restart();
        expect(await again.findSession('S1')).toStrictEqual(sessionOf('1', { federation }));
        expect(await again.findSession('S2')).toStrictEqual(withoutRole);
        expect(await again.buryJobs([tombstoneOf('J2')])).toMatchObject([{ sessionId: 'S2' }]);
        expect(await again.findSession('S2')).toBeUndefined();
        expect(await again.listEndedSessions(GROUP, 0, NOW, 10)).toEqual([]);
      },
    );
  });

  describe('a grant is refused', () => {
    requirement('when one of several uses was used before, and uses up none of the others', async ({ store }) => {
      const other = { ...USE, jti: 'jti-2' };
      await store.grant(grantOf('1', { uses: [USE] }));
      for (const uses of [
        [USE, other],
        [other, USE],
      ]) {
        expect(await store.grant(grantOf('2', { uses }))).toBe('token_replayed');
      }
      expect(await store.findSession('S2')).toBeUndefined();
      expect(await store.findDecisions('D2')).toEqual([]);
      expect(await store.grant(grantOf('3', { uses: [other, { ...USE, jti: 'jti-3' }] }))).toBe('granted');
      expect(await store.grant(grantOf('4', { uses: [{ ...USE, jti: 'jti-3' }] }))).toBe('token_replayed');
    });
  });
}
