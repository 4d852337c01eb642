// Conformance of the key store port, for any engine.
import { describe, expect } from 'vitest';
import type { KeyStore } from '../../keys/store.ts';
import type { StoreEngine } from './engine.ts';
import { keyOf, NOW } from './fixtures.ts';
import { requirements } from './run.ts';

/** Every sentence of src/keys/store.ts. */
export function keyStoreConformance(engine: StoreEngine<KeyStore>): void {
  const requirement = requirements(engine);
  describe('key store', () => {
    requirement('a ring without keys lists none', async ({ store }) => {
      expect(await store.listKeys('id-token')).toEqual([]);
    });

    requirement('the first key of a ring comes back byte for byte, also after a restart', async (instance) => {
      expect(await instance.store.insertFirstKey(keyOf('k1'))).toBe(true);
      expect(await instance.store.listKeys('id-token')).toEqual([keyOf('k1')]);
      const again = await instance.restart();
      expect(await again.listKeys('id-token')).toEqual([keyOf('k1')]);
    });

    requirement('a second first key is not stored', async ({ store }) => {
      await store.insertFirstKey(keyOf('k1'));
      expect(await store.insertFirstKey(keyOf('k2'))).toBe(false);
      expect((await store.listKeys('id-token')).map((key) => key.kid)).toEqual(['k1']);
    });

    requirement('of many replicas that make the first key at once, exactly one wins', async (instance) => {
      const stores = [instance.store, await instance.replica(), await instance.replica()];
      const won = await Promise.all(
        Array.from({ length: 12 }, (_, index) => stores[index % 3]?.insertFirstKey(keyOf(`k${index}`))),
      );
      expect(won.filter((first) => first === true)).toHaveLength(1);
      const winner = `k${won.indexOf(true)}`;
      for (const store of stores) {
        expect((await store.listKeys('id-token')).map((key) => key.kid)).toEqual([winner]);
      }
    });

    requirement('rings do not see each other, and a symmetric key has no public part', async ({ store }) => {
      const group = keyOf('k1', { ring: 'group/artifacts', algorithm: 'A256', publicJwk: null, createdAt: NOW + 5 });
      await store.insertFirstKey(keyOf('k1'));
      expect(await store.insertFirstKey(group)).toBe(true);
      expect(await store.listKeys('group/artifacts')).toEqual([group]);
      expect(await store.listKeys('id-token')).toEqual([keyOf('k1')]);
      expect(await store.listKeys('group/%')).toEqual([]);
    });
  });
}
