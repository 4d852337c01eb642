// Asymmetric keys: making them, and taking them out of their sealed records. Public parts are derived, never believed.
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { JobpassError } from '../base/core/errors.ts';
import type { JsonObject } from '../base/core/json.ts';
import type { SigningAlgorithm } from '../base/ports/signer.ts';
import { type KeyUse, publicJwk } from './jwks.ts';
import type { KeyEncryptionKey } from './kek.ts';
import type { KeyState, StoredKey } from './store.ts';
import { openKey } from './stored.ts';

/** RFC 7518 §4.6: a gateway's key, to which its group key is wrapped. */
export const WRAPPING_ALGORITHM = 'ECDH-ES+A256KW';
export type KeyAlgorithm = SigningAlgorithm | typeof WRAPPING_ALGORITHM;

const generate = promisify(generateKeyPair);

/** The asynchronous forms: an RSA key takes up to 200 ms, during which the event loop stays free. */
const GENERATE: Readonly<Record<KeyAlgorithm, () => Promise<{ readonly privateKey: KeyObject }>>> = {
  // 2048 bits: every cloud takes it, and it signs twice as fast as 3072.
  RS256: () => generate('rsa', { modulusLength: 2048 }),
  ES256: () => generate('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generate('ed25519'),
  [WRAPPING_ALGORITHM]: () => generate('ec', { namedCurve: 'P-256' }),
};

const isKeyAlgorithm = (name: string): name is KeyAlgorithm => Object.hasOwn(GENERATE, name);

/** Whether the key's own type is the one that the algorithm signs or wraps with. */
function isOfType(key: KeyObject, algorithm: KeyAlgorithm): boolean {
  const details = key.asymmetricKeyDetails;
  if (algorithm === 'RS256') return key.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) >= 2048;
  if (algorithm === 'EdDSA') return key.asymmetricKeyType === 'ed25519';
  return key.asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1';
}

const useOf = (algorithm: KeyAlgorithm): KeyUse => (algorithm === WRAPPING_ALGORITHM ? 'enc' : 'sig');

/** A key pair in memory. */
export interface KeyPair {
  readonly kid: string;
  readonly algorithm: KeyAlgorithm;
  readonly state: KeyState;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Essential members, `kid`, `use`, `alg`. */
  readonly publicJwk: JsonObject;
}

function pairOf(privateKey: KeyObject, algorithm: KeyAlgorithm, state: KeyState): KeyPair {
  const publicKey = createPublicKey(privateKey);
  const jwk = publicJwk(publicKey, { use: useOf(algorithm), algorithm });
  return { kid: String(jwk.kid), algorithm, state, privateKey, publicKey, publicJwk: jwk };
}

/** A new key pair from the crypto library's own randomness. */
export async function generatePair(algorithm: KeyAlgorithm): Promise<KeyPair> {
  const { privateKey } = await GENERATE[algorithm]();
  return pairOf(privateKey, algorithm, 'active');
}

/** The private key as it is sealed: PKCS #8 (RFC 5958), DER. */
export const exportPrivate = (pair: KeyPair): Uint8Array => pair.privateKey.export({ type: 'pkcs8', format: 'der' });

/**
 * The key pair in a record. The public part is derived from the sealed one, so whoever can write to the store but has
 * no key-encryption key can plant no key. Throws ERR_KEY_UNREADABLE when the record does not open or contradicts itself.
 */
export function openPair(stored: StoredKey, kek: KeyEncryptionKey): KeyPair {
  const secret = openKey(stored, kek);
  if (isKeyAlgorithm(stored.algorithm)) {
    const privateKey = createPrivateKey({ key: Buffer.from(secret), format: 'der', type: 'pkcs8' });
    const pair = isOfType(privateKey, stored.algorithm)
      ? pairOf(privateKey, stored.algorithm, stored.state)
      : undefined;
    if (pair?.kid === stored.kid) return pair;
  }
  throw new JobpassError('ERR_KEY_UNREADABLE', `the record of key ${stored.kid} in ${stored.ring} contradicts itself`);
}
