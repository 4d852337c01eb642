// What a server believes of the checkpoints in its own database: those alone that its keys signed, since others may write there as well.

import type { JsonObject } from '../core/json.ts';
import { MAX_JWKS_KEYS } from '../core/limits.ts';
import type { Failure } from '../core/reasons.ts';
import { ok, type Result } from '../core/result.ts';
import { importKeySet, type VerificationKey } from '../jwt/jwk.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import type { StoredCheckpoint } from './store.ts';

/** A public key that signed checkpoints, whatever became of it. */
export interface CheckpointKey {
  readonly state: string;
  readonly jwk: JsonObject;
}

/**
 * The keys, imported. However many: a ring keeps all that it ever had, and whoever may make keys must not end the check of the trail so.
 * Failure: `key_unusable`.
 */
export function importCheckpointKeys(keys: readonly CheckpointKey[]): Result<readonly VerificationKey[], Failure> {
  const imported: VerificationKey[] = [];
  for (let at = 0; at < keys.length; at += MAX_JWKS_KEYS) {
    const set = importKeySet({ keys: keys.slice(at, at + MAX_JWKS_KEYS).map(({ jwk }) => jwk) });
    if (!set.ok) return set;
    imported.push(...set.value.keys);
  }
  return ok(imported);
}

/** A stored checkpoint when this server or a replica signed it as it stands; undefined for anything else. */
export type OpenOwn = (stored: StoredCheckpoint) => Promise<Checkpoint | undefined>;

/** Opens what a key of `keys` that was not revoked signed in the name of `issuer`. */
export const ownCheckpoints =
  (issuer: string, keys: () => Promise<readonly CheckpointKey[]>): OpenOwn =>
  async ({ at, jws }) => {
    const trusted = (await keys()).filter(({ state }) => state !== 'revoked');
    const imported = importCheckpointKeys(trusted);
    const opened = imported.ok ? await openCheckpoint(jws, imported.value) : imported;
    return opened.ok && opened.value.issuer === issuer && opened.value.at === at ? opened.value : undefined;
  };
