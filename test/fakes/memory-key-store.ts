// A key store in memory, with the port's promise: of concurrent changes of one version, one wins.
import type { WatchableStore } from '../../src/base/core/change-watch.ts';
import type { KeyStore, Ring, RingChange, StoredKey } from '../../src/keys/store.ts';
import { MemoryAuditStore } from './memory-audit-store.ts';

/** `keys` is open to tests that change what is stored: a ring's version then stays what it was. */
export class MemoryKeyStore extends MemoryAuditStore implements KeyStore, WatchableStore {
  keys: StoredKey[] = [];
  readonly watchers = new Set<() => void>();
  readonly #versions = new Map<string, number>();

  async readRing(ring: string): Promise<Ring> {
    return { version: this.#versionOf(ring), keys: this.keys.filter((key) => key.ring === ring) };
  }

  async listRingVersions(): Promise<ReadonlyMap<string, number>> {
    const rings = new Set(this.keys.map((key) => key.ring));
    return new Map([...rings].map((ring) => [ring, this.#versionOf(ring)]));
  }

  async replaceRing({ ring, expectedVersion, keys, record }: RingChange): Promise<boolean> {
    if (this.#versionOf(ring) !== expectedVersion) return false;
    if (record !== null) this.append(record);
    this.keys = [...this.keys.filter((key) => key.ring !== ring), ...keys];
    this.#versions.set(ring, expectedVersion + 1);
    return true;
  }

  watch(onChange: () => void): () => void {
    this.watchers.add(onChange);
    return () => this.watchers.delete(onChange);
  }

  #versionOf(ring: string): number {
    return this.#versions.get(ring) ?? (this.keys.some((key) => key.ring === ring) ? 1 : 0);
  }
}
