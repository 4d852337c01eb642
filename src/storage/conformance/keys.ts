// Conformance of the key store port, for any engine.
import { describe, expect } from 'vitest';
import type { KeyStore, StoredKey } from '../../keys/store.ts';
import type { StoreEngine } from './engine.ts';
import { keyOf, NOW } from './fixtures.ts';
import { requirements } from './run.ts';

const RING = 'id-token';

/** A change without a record of its own. */
const change = (expectedVersion: number, keys: readonly StoredKey[], ring = RING) => ({
  ring,
  expectedVersion,
  keys,
  record: null,
});

/** Every sentence of src/keys/store.ts. */
export function keyStoreConformance(engine: StoreEngine<KeyStore>): void {
  const requirement = requirements(engine);
  describe('key store', () => {
    requirement('a ring that nobody made has version 0 and no keys', async ({ store }) => {
      expect(await store.readRing(RING)).toEqual({ version: 0, keys: [] });
      expect(await store.listRingVersions()).toEqual(new Map());
    });

    requirement('the keys of a ring come back byte for byte in their order, also after a restart', async (instance) => {
      const keys = [
        keyOf('k2', { state: 'expired', createdAt: NOW - 9, stateSince: NOW - 1, sealed: new Uint8Array(0) }),
        keyOf('k1', { state: 'revoked', createdAt: NOW - 9 }),
        keyOf('k3', { state: 'retired', stateSince: NOW + 7 }),
        keyOf('k0', { createdAt: NOW + 3 }),
        keyOf('k4', { state: 'prepared' }),
      ];
      expect(await instance.store.replaceRing(change(0, keys))).toBe(true);
      expect(await instance.store.readRing(RING)).toEqual({ version: 1, keys });
      const again = await instance.restart();
      expect(await again.readRing(RING)).toEqual({ version: 1, keys });
    });

    requirement('a change replaces the whole ring and counts it one further', async ({ store }) => {
      await store.replaceRing(change(0, [keyOf('k1'), keyOf('k2', { state: 'prepared' })]));
      const next = [keyOf('k2', { stateSince: NOW + 60 }), keyOf('k3', { state: 'prepared' })];
      expect(await store.replaceRing(change(1, next))).toBe(true);
      expect(await store.readRing(RING)).toEqual({ version: 2, keys: next });
    });

    requirement('a change of a version that has passed, or is still to come, changes nothing', async ({ store }) => {
      await store.replaceRing(change(0, [keyOf('k1')]));
      await store.replaceRing(change(1, [keyOf('k2')]));
      for (const version of [0, 1, 3]) {
        expect(await store.replaceRing(change(version, [keyOf('k9')])), `version ${version}`).toBe(false);
      }
      expect(await store.readRing(RING)).toEqual({ version: 2, keys: [keyOf('k2')] });
    });

    requirement('of many replicas that change one version at once, exactly one wins', async (instance) => {
      const stores = [instance.store, await instance.replica(), await instance.replica()];
      for (const version of [0, 1]) {
        const won = await Promise.all(
          Array.from({ length: 12 }, (_, index) =>
            stores[index % 3]?.replaceRing(change(version, [keyOf(`v${version}k${index}`)])),
          ),
        );
        expect(won.filter((first) => first === true)).toHaveLength(1);
        const winner = `v${version}k${won.indexOf(true)}`;
        for (const store of stores) {
          const { keys, version: now } = await store.readRing(RING);
          expect([now, keys.map((key) => key.kid)]).toEqual([version + 1, [winner]]);
        }
      }
    });

    requirement('rings do not see each other, and a symmetric key has no public part', async ({ store }) => {
      const ring = 'group/artifacts';
      const group = keyOf('k1', { ring, algorithm: 'A256', publicJwk: null, createdAt: NOW + 5 });
      await store.replaceRing(change(0, [keyOf('k1')]));
      await store.replaceRing(change(1, [keyOf('k1')]));
      expect(await store.replaceRing(change(0, [group], ring))).toBe(true);
      expect(await store.readRing(ring)).toEqual({ version: 1, keys: [group] });
      expect(await store.readRing(RING)).toEqual({ version: 2, keys: [keyOf('k1')] });
      expect((await store.readRing('group/%')).keys).toEqual([]);
      expect(await store.listRingVersions()).toEqual(
        new Map([
          [RING, 2],
          [ring, 1],
        ]),
      );
    });
  });
}
