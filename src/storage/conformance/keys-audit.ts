// Conformance of what a key store keeps in its audit chain, for any engine: in the transaction of the change.
import { describe, expect } from 'vitest';
import type { AuditStore } from '../../base/audit/store.ts';
import type { KeyStore } from '../../keys/store.ts';
import { expectChains } from './audit.ts';
import type { StoreEngine } from './engine.ts';
import { actionRecord, keyOf } from './fixtures.ts';
import { requirements } from './run.ts';

/** Any server's database with the two ports that each has. */
export function keyAuditConformance(engine: StoreEngine<KeyStore & AuditStore>): void {
  const requirement = requirements(engine);
  const changeOf = (expectedVersion: number, kid: string, record: string | null) => ({
    ring: 'id-token',
    expectedVersion,
    keys: [keyOf(kid)],
    record: record === null ? null : actionRecord(record, { action: 'key.activate' }),
  });
  describe('the audit chain of key rings', () => {
    requirement('has every change that was made, and none that was not', async (instance) => {
      expect(await instance.store.replaceRing(changeOf(0, 'k1', null))).toBe(true);
      expect(await instance.store.replaceRing(changeOf(1, 'k2', '2'))).toBe(true);
      expect(await instance.store.replaceRing(changeOf(1, 'k3', '3'))).toBe(false);
      expect(await expectChains(await instance.restart())).toEqual(['A2']);
    });

    requirement('a change whose record fails is not made', async ({ store }) => {
      await store.replaceRing(changeOf(0, 'k1', '1'));
      await expect(store.replaceRing(changeOf(1, 'k2', '1'))).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
      expect(await store.readRing('id-token')).toEqual({ version: 1, keys: [keyOf('k1')] });
    });
  });
}
