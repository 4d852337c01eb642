// What a server believes of the checkpoints in its own database: those alone that its keys signed, since others may write there as well.

import type { JsonObject } from '../core/json.ts';
import { importKeySet } from '../jwt/jwk.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import type { StoredCheckpoint } from './store.ts';

/** A public key that signed checkpoints, whatever became of it. */
export interface CheckpointKey {
  readonly state: string;
  readonly jwk: JsonObject;
}

/** A stored checkpoint when this server or a replica signed it as it stands; undefined for anything else. */
export type OpenOwn = (stored: StoredCheckpoint) => Promise<Checkpoint | undefined>;

/** Opens what a key of `keys` that was not revoked signed in the name of `issuer`. */
export const ownCheckpoints =
  (issuer: string, keys: () => Promise<readonly CheckpointKey[]>): OpenOwn =>
  async ({ at, jws }) => {
    const trusted = (await keys()).filter(({ state }) => state !== 'revoked');
    const imported = importKeySet({ keys: trusted.map(({ jwk }) => jwk) });
    const opened = imported.ok ? await openCheckpoint(jws, imported.value.keys) : imported;
    return opened.ok && opened.value.issuer === issuer && opened.value.at === at ? opened.value : undefined;
  };
