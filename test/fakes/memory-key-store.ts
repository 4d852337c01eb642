// A key store in memory, with the port's promise: of concurrent first inserts one wins.
import type { KeyStore, StoredKey } from '../../src/keys/store.ts';

/** `keys` is open to tests that change what is stored. */
export class MemoryKeyStore implements KeyStore {
  keys: StoredKey[] = [];

  async listKeys(ring: string): Promise<readonly StoredKey[]> {
    return this.keys.filter((key) => key.ring === ring);
  }

  async insertFirstKey(key: StoredKey): Promise<boolean> {
    if (this.keys.some((other) => other.ring === key.ring)) return false;
    this.keys.push(key);
    return true;
  }
}
