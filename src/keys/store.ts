// Port: where key rings are kept. Private parts arrive here already encrypted.
import type { ActionRecord } from '../base/audit/record.ts';
import type { JsonObject } from '../base/core/json.ts';
import type { EpochSeconds } from '../base/core/time.ts';

export type { ActionRecord, EpochSeconds, JsonObject };

/**
 * `prepared` is published and does not sign; `active` signs; `retired` only verifies. Both ends keep the public part alone: `expired`
 * is published no more, since nothing it signed can be alive; `revoked` was taken out at once, whatever it signed.
 */
export const KEY_STATES = ['prepared', 'active', 'retired', 'expired', 'revoked'] as const;
export type KeyState = (typeof KEY_STATES)[number];

export interface StoredKey {
  readonly kid: string;
  /** Which ring it belongs to: `id-token`, `access-token`, `group/<name>`, `gateway/<name>`. */
  readonly ring: string;
  readonly algorithm: string;
  readonly state: KeyState;
  /** When it entered its state. */
  readonly stateSince: EpochSeconds;
  readonly createdAt: EpochSeconds;
  /** The public JWK; null for a symmetric key. */
  readonly publicJwk: JsonObject | null;
  /** Private or symmetric part under the key-encryption key: nonce, ciphertext, tag; bound to ring and kid. */
  readonly sealed: Uint8Array;
}

/** The keys of one ring, all read at one moment. */
export interface Ring {
  /** Counts the ring's changes; 0: there is no such ring yet. */
  readonly version: number;
  /** Oldest first. */
  readonly keys: readonly StoredKey[];
}

/** A ring as it is to be, if nobody changed it meanwhile. */
export interface RingChange {
  readonly ring: string;
  readonly expectedVersion: number;
  /** The whole ring as it is from now on, oldest first; all of them of this ring, no `kid` twice. */
  readonly keys: readonly StoredKey[];
  /** Durable with the change, or neither is. Null only for a ring's first key. */
  readonly record: ActionRecord | null;
}

export interface KeyStore {
  readRing(ring: string): Promise<Ring>;
  /** The version of every ring that there is. */
  listRingVersions(): Promise<ReadonlyMap<string, number>>;
  /**
   * Compare and swap: the ring becomes `keys`, one version further, when its version is still the expected one; false, and
   * nothing changed, otherwise. Of replicas that change a version at once, exactly one wins.
   */
  replaceRing(change: RingChange): Promise<boolean>;
}
