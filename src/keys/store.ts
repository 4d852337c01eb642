// Port: where key rings are kept. Private parts arrive here already encrypted.
import type { JsonObject } from '../base/core/json.ts';
import type { EpochSeconds } from '../base/core/time.ts';

export type { EpochSeconds, JsonObject };

/** `prepared` is published and does not sign; `active` signs; `retired` only verifies; `revoked` is gone from the JWKS. */
export type KeyState = 'prepared' | 'active' | 'retired' | 'revoked';

export interface StoredKey {
  readonly kid: string;
  /** Which ring it belongs to: `id-token`, `access-token`, `group/<name>`, `gateway/<name>`. */
  readonly ring: string;
  readonly algorithm: string;
  readonly state: KeyState;
  readonly createdAt: EpochSeconds;
  /** The public JWK; null for a symmetric key. */
  readonly publicJwk: JsonObject | null;
  /** Private or symmetric part under the key-encryption key: nonce, ciphertext, tag; bound to ring and kid. */
  readonly sealed: Uint8Array;
}

export interface KeyStore {
  /** All keys of a ring, oldest first. */
  listKeys(ring: string): Promise<readonly StoredKey[]>;
  /** Stores the first key of a ring. False, and nothing stored, when the ring already has one (another replica won). */
  insertFirstKey(key: StoredKey): Promise<boolean>;
}
