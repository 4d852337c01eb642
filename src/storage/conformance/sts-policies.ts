// Conformance of the policies that replicas share, for any engine.
import { describe, expect } from 'vitest';
import type { AuditStore } from '../../base/audit/store.ts';
import { KEPT_POLICY_SETS, type PolicyFile, type PolicyStore } from '../../sts/store.ts';
import { expectChains } from './audit.ts';
import type { StoreEngine } from './engine.ts';
import { actionRecord, inTurn } from './fixtures.ts';
import { requirements } from './run.ts';

const file = (path: string, text: string): PolicyFile => ({ path, bytes: new TextEncoder().encode(text) });
const FILES = [
  file('main/a.yaml', 'role: a'),
  { path: 'main/b.json', bytes: Uint8Array.from({ length: 256 }, (_, index) => index) },
];

/** Of set `P<name>`. */
const activation = (name: string, expectedVersion: number, files: readonly PolicyFile[] = FILES) => ({
  expectedVersion,
  id: `P${name}`,
  files,
  record: actionRecord(`${name}-${expectedVersion}`, { action: 'policy.activate' }),
});

/** Paths and bytes, as plain values. */
const shown = (files: readonly PolicyFile[] | undefined) => files?.map(({ path, bytes }) => [path, [...bytes]]);

/** The part of src/sts/store.ts about shared policies. */
export function stsPolicyConformance(engine: StoreEngine<PolicyStore & AuditStore>): void {
  const requirement = requirements(engine);
  describe('shared policies', () => {
    requirement('are none until a set is activated', async ({ store }) => {
      expect(await store.activePolicies()).toBeUndefined();
      expect(await store.wasActive('P1')).toBe(false);
      expect(await store.loadPolicies('P1')).toBeUndefined();
    });

    requirement(
      'are the set that was activated, byte for byte, on every replica and after a restart',
      async (instance) => {
        const replica = await instance.replica();
        expect(await instance.store.activatePolicies(activation('1', 0))).toBe(true);
        expect(await replica.activePolicies()).toEqual({ version: 1, id: 'P1' });
        expect(await replica.wasActive('P1')).toBe(true);
        expect(shown(await replica.loadPolicies('P1'))).toEqual(shown(FILES));
        const again = await instance.restart();
        expect(await again.activePolicies()).toEqual({ version: 1, id: 'P1' });
        expect(shown(await again.loadPolicies('P1'))).toEqual(shown(FILES));
        expect(await expectChains(again)).toEqual(['A1-0']);
      },
    );

    requirement('may be a set without files', async ({ store }) => {
      await store.activatePolicies(activation('1', 0, []));
      expect(await store.loadPolicies('P1')).toEqual([]);
    });

    requirement('change only from the version that was expected, with the record or not at all', async (instance) => {
      const { store } = instance;
      expect(await store.activatePolicies(activation('1', 1))).toBe(false);
      expect(await store.activatePolicies(activation('1', 0))).toBe(true);
      expect(await (await instance.replica()).activatePolicies(activation('2', 0))).toBe(false);
      expect(await store.activePolicies()).toEqual({ version: 1, id: 'P1' });
      expect(await store.wasActive('P2')).toBe(false);
      const taken = { ...activation('2', 1), record: actionRecord('1-0') };
      await expect(store.activatePolicies(taken)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
      expect(await store.activePolicies()).toEqual({ version: 1, id: 'P1' });
      expect(await expectChains(store)).toEqual(['A1-0']);
    });

    requirement('of several at once let one through', async (instance) => {
      const stores = [instance.store, await instance.replica()];
      const outcomes = await Promise.all(
        ['1', '2', '3', '4'].map((name, index) => stores[index % 2]?.activatePolicies(activation(name, 0))),
      );
      expect(outcomes.filter((isActive) => isActive)).toHaveLength(1);
      expect(await instance.store.activePolicies()).toMatchObject({ version: 1 });
    });

    requirement('go back to an earlier set under a new version', async ({ store }) => {
      await store.activatePolicies(activation('1', 0));
      await store.activatePolicies(activation('2', 1, [file('main/a.yaml', 'role: a2')]));
      expect(await store.activatePolicies(activation('1', 2))).toBe(true);
      expect(await store.activePolicies()).toEqual({ version: 3, id: 'P1' });
      expect(shown(await store.loadPolicies('P1'))).toEqual(shown(FILES));
    });

    requirement('are remembered by name for ever, and with their files for a while', async ({ store }) => {
      const names = Array.from({ length: KEPT_POLICY_SETS + 2 }, (_, index) => `${index}`);
      await inTurn(names, async (name) => {
        // One file is the same in all sets, and one is each set's own.
        const files = [file('main/a.yaml', 'shared'), file('main/b.yaml', name)];
        await store.activatePolicies(activation(name, Number(name), files));
      });
      const kept = await Promise.all(names.map(async (name) => (await store.loadPolicies(`P${name}`)) !== undefined));
      expect(kept).toEqual(names.map((_, index) => index >= 2));
      expect(await store.wasActive('P0')).toBe(true);
      expect(shown(await store.loadPolicies('P2'))).toEqual(
        shown([file('main/a.yaml', 'shared'), file('main/b.yaml', '2')]),
      );
    });
  });
}
