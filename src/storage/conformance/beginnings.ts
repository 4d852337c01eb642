// Conformance of what the stores of issuer and STS say of their beginnings, for any engine.
import { describe, expect } from 'vitest';
import type { BeginningStore } from '../../base/core/beginning.ts';
import type { StoreEngine } from './engine.ts';
import { requirements } from './run.ts';

/** Whatever begins anew: `begin` is the port's own way. */
export function beginningConformance<Store extends BeginningStore>(
  engine: StoreEngine<Store>,
  begin: (store: Store, now: number, expectedGeneration: number) => Promise<unknown>,
): void {
  const requirement = requirements(engine);
  describe('a beginning', () => {
    requirement('is not needed by a new store, which never had one', async ({ store }) => {
      expect(await store.beginning()).toEqual({
        generation: 0,
        at: null,
        history: null,
        isRestored: false,
        vouchedAt: null,
      });
    });

    requirement('is needed from the mark on, by every replica and after a restart', async (instance) => {
      const replica = await instance.replica();
      await instance.store.markRestored();
      expect(await replica.beginning()).toMatchObject({ generation: 0, isRestored: true });
      expect(await (await instance.restart()).beginning()).toMatchObject({ generation: 0, isRestored: true });
    });

    requirement('is counted, and takes the mark away', async (instance) => {
      await instance.store.markRestored();
      await begin(instance.store, 1000, 0);
      const first = { generation: 1, at: 1000, history: 'h', isRestored: false, vouchedAt: null };
      expect(await instance.store.beginning()).toEqual(first);
      await begin(instance.store, 2000, 1);
      expect(await (await instance.restart()).beginning()).toEqual({ ...first, generation: 2, at: 2000 });
    });

    requirement('happens once when several see that it is needed', async (instance) => {
      const stores = [instance.store, await instance.replica()];
      const outcomes = await Promise.all(stores.map((store) => begin(store, 1000, 0)));
      expect(outcomes.filter((outcome) => outcome !== undefined)).toHaveLength(1);
      expect(await instance.store.beginning()).toMatchObject({ generation: 1 });
    });

    requirement('is vouched for by the latest word', async (instance) => {
      await instance.store.vouch(1000);
      await (await instance.replica()).vouch(999);
      expect(await instance.store.beginning()).toMatchObject({ vouchedAt: 1000 });
      await instance.store.vouch(1001);
      expect(await (await instance.restart()).beginning()).toMatchObject({ vouchedAt: 1001, generation: 0 });
    });

    requirement('has a history that can be accepted, and is the one found at opening', async ({ store }) => {
      store.acceptHistory(await store.history());
      expect(await store.beginning()).toMatchObject({ generation: 0 });
    });
  });
}
