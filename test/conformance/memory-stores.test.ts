// The stores in memory keep the same contract as those on disk, so that what unit tests prove on them holds there too.
// "Restart" and "replica" are the same object: nothing of it is durable, and it is never told that it is.
import { describe } from 'vitest';
import {
  type HeldWrite,
  runHeldWrite,
  type StoreEngine,
  type StoreInstance,
  type StsStoreInstance,
} from '../../src/storage/conformance/engine.ts';
import {
  auditStoreConformance,
  issuerBeginningConformance,
  issuerStoreConformance,
  keyAuditConformance,
  keyStoreConformance,
  stsAuditConformance,
  stsBeginningConformance,
  stsPolicyConformance,
  stsStoreConformance,
} from '../../src/storage/conformance.ts';
import type { StsStore } from '../../src/sts/store.ts';
import { MemoryIssuerStore } from '../fakes/memory-issuer-store.ts';
import { MemoryKeyStore } from '../fakes/memory-key-store.ts';
import { MemoryStsStore } from '../fakes/memory-sts-store.ts';

function instanceOf<Store>(store: Store): StoreInstance<Store> {
  return { store, replica: async () => store, restart: async () => store, destroy: async () => undefined };
}

const engine = <Store>(make: () => Store): StoreEngine<Store> => ({ create: async () => instanceOf(make()) });

/** In one process a write is either not begun or done: what is held is done, and its commit is a pause. */
async function hold(store: StsStore, write: HeldWrite, holdMs: number): Promise<{ committed: Promise<void> }> {
  await runHeldWrite(store, write);
  return { committed: new Promise((resolve) => setTimeout(resolve, holdMs)) };
}

const stsEngine: StoreEngine<StsStore, StsStoreInstance> = {
  create: async () => {
    const store = new MemoryStsStore();
    return { ...instanceOf<StsStore>(store), hold: (write, holdMs) => hold(store, write, holdMs) };
  },
};

describe('in memory', () => {
  keyStoreConformance(engine(() => new MemoryKeyStore()));
  keyAuditConformance(engine(() => new MemoryKeyStore()));
  issuerStoreConformance(engine(() => new MemoryIssuerStore()));
  stsStoreConformance(stsEngine);
  stsBeginningConformance(engine(() => new MemoryStsStore()));
  stsPolicyConformance(engine(() => new MemoryStsStore()));
  issuerBeginningConformance(engine(() => new MemoryIssuerStore()));
  stsAuditConformance(engine(() => new MemoryStsStore()));
  auditStoreConformance(engine(() => new MemoryStsStore()));
});
