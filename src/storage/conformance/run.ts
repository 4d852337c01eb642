// Runs one requirement against a fresh store and takes it away afterwards, whatever happened.
import { test } from 'vitest';
import type { StoreEngine, StoreInstance } from './engine.ts';

/** Declares tests of one engine: `requirement('…', async ({ store }) => …)`. */
export type Requirement<Store, Instance extends StoreInstance<Store>> = (
  name: string,
  prove: (instance: Instance) => Promise<void>,
) => void;

/** Each test gets a store of its own. */
export const requirements =
  <Store, Instance extends StoreInstance<Store>>(engine: StoreEngine<Store, Instance>): Requirement<Store, Instance> =>
  (name, prove) =>
    test(name, async () => {
      const instance = await engine.create();
      try {
        await prove(instance);
      } finally {
        await instance.destroy();
      }
    });
