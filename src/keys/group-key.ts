// The symmetric key of a gateway group. The STS makes it and gives it only to the group's gateways, wrapped.
import { JobpassError } from '../base/core/errors.ts';
import { Secret } from '../base/core/secret.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { Random } from '../base/ports/random.ts';
import type { KeyEncryptionKey } from './kek.ts';
import type { KeyStore, StoredKey } from './store.ts';
import { listOrCreate, openKey, sealKey, soleActive } from './stored.ts';

/** An HMAC-SHA-256 key as long as the hash (RFC 2104 §3). */
export const GROUP_KEY_BYTES = 32;
/** 128 bits never meet by chance; an id made from the key would tell something of it. */
const ID_BYTES = 16;
const ALGORITHM = 'HS256';

/** A group's key and the id by which gateways say that they have it. */
export interface GroupKey {
  readonly id: string;
  readonly key: Secret<Uint8Array>;
}

/**
 * The active key of a group, made when the ring is empty; replicas that do so at once end with the same key.
 * Throws ERR_KEY_UNREADABLE and ERR_KEY_RING as KeyRing.open does.
 */
export async function openGroupKey(options: {
  /** `group/<name>`. */
  readonly ring: string;
  readonly store: KeyStore;
  readonly kek: KeyEncryptionKey;
  readonly clock: Clock;
  readonly random: Random;
}): Promise<GroupKey> {
  const { ring, store, kek, clock, random } = options;
  const create = async (): Promise<StoredKey> => {
    const kid = Buffer.from(random.bytes(ID_BYTES)).toString('base64url');
    const now = clock.nowSeconds();
    const record = { kid, ring, algorithm: ALGORITHM, stateSince: now, createdAt: now, publicJwk: null };
    return sealKey({ ...record, state: 'active' }, random.bytes(GROUP_KEY_BYTES), kek);
  };
  const active = soleActive((await listOrCreate(store, ring, create)).keys, ring);
  const key = openKey(active, kek);
  if (active.algorithm !== ALGORITHM || key.length !== GROUP_KEY_BYTES) {
    throw new JobpassError('ERR_KEY_UNREADABLE', `the record of key ${active.kid} in ${ring} contradicts itself`);
  }
  return { id: active.kid, key: new Secret(key) };
}
