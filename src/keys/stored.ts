// Reading and writing sealed key records: what every kind of ring has in common. It knows nothing of what a key is for.
import { JobpassError } from '../base/core/errors.ts';
import type { JsonObject } from '../base/core/json.ts';
import { thumbprint } from './jwks.ts';
import type { KeyEncryptionKey } from './kek.ts';
import type { KeyStore, Ring, StoredKey } from './store.ts';

/** What a sealed key is bound to: no other ring's or key's record can take its place. */
const contextOf = (key: { readonly ring: string; readonly kid: string }): string => `${key.ring}|${key.kid}`;

/** A record with its secret part sealed under `kek`, bound to ring and kid. */
export const sealKey = (key: Omit<StoredKey, 'sealed'>, secret: Uint8Array, kek: KeyEncryptionKey): StoredKey => ({
  ...key,
  sealed: kek.seal(secret, contextOf(key)),
});

/** The secret part of a record. Throws ERR_KEY_UNREADABLE when `kek` is another one or the record was changed. */
export const openKey = (key: StoredKey, kek: KeyEncryptionKey): Uint8Array => kek.open(key.sealed, contextOf(key));

/** What stands in the place of a secret part that was destroyed: sealed too, so that nobody can plant a key that never was. */
const goneContextOf = (key: StoredKey): string => `${contextOf(key)}|gone`;

/** The record of a key that is gone: its secret part is in it no more. */
export const withoutSecret = (key: StoredKey, kek: KeyEncryptionKey): StoredKey => ({
  ...key,
  sealed: kek.seal(new Uint8Array(0), goneContextOf(key)),
});

/** The same record under the current key-encryption key. Throws ERR_KEY_UNREADABLE when it opens with no key that is known. */
export function resealed(key: StoredKey, kek: KeyEncryptionKey): StoredKey {
  if (isLiving(key)) return sealKey(key, openKey(key, kek), kek);
  kek.open(key.sealed, goneContextOf(key));
  return withoutSecret(key, kek);
}

/**
 * The public JWK of a record, whatever its state: it is the key that its id says, and the id is one that was sealed here. Null of a
 * symmetric key. Throws ERR_KEY_UNREADABLE of a planted one. Precondition: a living record has been opened.
 */
export function publicPartOf(key: StoredKey, kek: KeyEncryptionKey): JsonObject | null {
  if (!isLiving(key)) kek.open(key.sealed, goneContextOf(key));
  if (key.publicJwk === null || thumbprint(key.publicJwk) === key.kid) return key.publicJwk;
  throw new JobpassError('ERR_KEY_UNREADABLE', `the public part of key ${key.kid} in ${key.ring} is another key's`);
}

/**
 * The ring, after making its first key, which is active, when there is none. Of replicas that open an empty ring
 * at once one wins, and all read the winner's key.
 */
export async function listOrCreate(store: KeyStore, ring: string, create: () => Promise<StoredKey>): Promise<Ring> {
  const found = await store.readRing(ring);
  if (found.keys.length > 0) return found;
  const first: StoredKey = { ...(await create()), state: 'active' };
  await store.replaceRing({ ring, expectedVersion: found.version, keys: [first], record: null });
  return store.readRing(ring);
}

/** Whether others may rely on the key: it is published, and has a secret part to open. */
export const isLiving = ({ state }: StoredKey): boolean => state !== 'expired' && state !== 'revoked';

/** The one active record. Throws ERR_KEY_RING when there is none or more than one: no guess is made. */
export function soleActive<Key extends { readonly state: StoredKey['state'] }>(
  keys: readonly Key[],
  ring: string,
): Key {
  const [active, ...others] = keys.filter((key) => key.state === 'active');
  if (active !== undefined && others.length === 0) return active;
  const count = active === undefined ? 'no active key' : `${others.length + 1} active keys`;
  throw new JobpassError('ERR_KEY_RING', `the key ring ${ring} has ${count}; it needs exactly one`);
}
