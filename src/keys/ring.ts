// A ring of signing keys: opened once, then read only. Rotation is not its business (live-ring.ts); it honours the states it finds.
import { JobpassError } from '../base/core/errors.ts';
import type { JsonObject } from '../base/core/json.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import { importKeySet, type VerificationKey } from '../base/jwt/jwk.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { Signer, SigningAlgorithm } from '../base/ports/signer.ts';
import { certifies, selfSignedCertificate } from './certificate.ts';
import type { KeyEncryptionKey } from './kek.ts';
import { exportPrivate, generatePair, type KeyPair, openPair } from './material.ts';
import { localSigner } from './signer.ts';
import type { KeyStore, StoredKey } from './store.ts';
import { isLiving, listOrCreate, sealKey, soleActive } from './stored.ts';

/** The ring whose JWKS clouds read; Ceph RGW takes keys only with `x5c`. Other rings stay small. */
const CERTIFIED_RING = 'id-token';

/** What a ring of signing keys is. */
export interface SigningRing {
  /** `id-token` or `access-token`. */
  readonly ring: string;
  readonly algorithm: SigningAlgorithm;
  readonly kek: KeyEncryptionKey;
}

export interface KeyRingOptions extends SigningRing {
  readonly store: KeyStore;
  readonly clock: Clock;
}

/** The keys of one ring as they stood when it was opened. */
export class KeyRing {
  readonly #signer: Signer;
  readonly #jwks: readonly JsonObject[];
  readonly #verificationKeys: readonly VerificationKey[];

  private constructor(signer: Signer, jwks: readonly JsonObject[]) {
    this.#signer = signer;
    this.#jwks = jwks;
    this.#verificationKeys = importOwn(jwks);
  }

  /**
   * Opens a ring, making its first key when it is empty; of replicas that do so at once all end with the same key.
   * Throws as `of` does.
   */
  static async open(options: KeyRingOptions): Promise<KeyRing> {
    const make = (): Promise<StoredKey> => newSigningKey(options, options.clock.nowSeconds());
    return KeyRing.of((await listOrCreate(options.store, options.ring, make)).keys, options);
  }

  /**
   * The ring of these keys. Throws ERR_KEY_UNREADABLE (wrong key-encryption key, changed record), ERR_KEY_RING (not exactly one
   * active key), ERR_KEY_ALGORITHM (the active key is of another algorithm than the configured one).
   */
  static of(stored: readonly StoredKey[], { ring, algorithm, kek }: SigningRing): KeyRing {
    // What is gone is not even opened.
    const living = stored.filter(isLiving).map((key) => ({ ...openPair(key, kek), stored: key }));
    const active = soleActive(living, ring);
    if (active.algorithm !== algorithm) {
      throw new JobpassError(
        'ERR_KEY_ALGORITHM',
        `the active key of ${ring} is for ${active.algorithm}, the configuration asks for ${algorithm}`,
        { hint: `set the algorithm to ${active.algorithm}` },
      );
    }
    // Ceph RGW before 17 reads the first key of a set and no other: it must be the one that signs.
    const published = [active, ...living.filter((key) => key !== active)].map(publishedJwk);
    return new KeyRing(localSigner(active.privateKey, active.kid, algorithm), published);
  }

  /** Signs with the active key. */
  signer(): Signer {
    return this.#signer;
  }

  /** The JWKS: every living key, the active one first, then by age; with `kid`, `use`, `alg`, and `x5c` in the issuer's ring. */
  publicJwks(): { keys: JsonObject[] } {
    return { keys: [...this.#jwks] };
  }

  /** What verifies this ring's own signatures: every living key. */
  verificationKeys(): readonly VerificationKey[] {
    return this.#verificationKeys;
  }
}

/** A new key of the ring, prepared; with a certificate in the issuer's ring. */
export async function newSigningKey({ algorithm, kek, ring }: SigningRing, now: EpochSeconds): Promise<StoredKey> {
  const pair = await generatePair(algorithm);
  const x5c =
    ring === CERTIFIED_RING && algorithm !== 'EdDSA'
      ? [selfSignedCertificate({ ...pair, algorithm, notBefore: now })]
      : undefined;
  const publicJwk = x5c === undefined ? pair.publicJwk : { ...pair.publicJwk, x5c };
  const record = {
    kid: pair.kid,
    ring,
    algorithm,
    state: 'prepared',
    stateSince: now,
    createdAt: now,
    publicJwk,
  } as const;
  return sealKey(record, exportPrivate(pair), kek);
}

/** The derived JWK, with the certificate made at creation: relying parties pin its fingerprint, so it must not change. */
function publishedJwk(pair: KeyPair & { readonly stored: StoredKey }): JsonObject {
  const x5c = pair.stored.publicJwk?.x5c;
  if (x5c === undefined) return pair.publicJwk;
  if (Array.isArray(x5c) && x5c.length === 1 && typeof x5c[0] === 'string' && certifies(x5c[0], pair.publicKey)) {
    return { ...pair.publicJwk, x5c: [x5c[0]] };
  }
  throw new JobpassError('ERR_KEY_UNREADABLE', `the certificate of key ${pair.kid} is not its own`);
}

function importOwn(jwks: readonly JsonObject[]): readonly VerificationKey[] {
  const imported = importKeySet({ keys: jwks });
  if (imported.ok && imported.value.problems.length === 0) return imported.value.keys;
  const problem = imported.ok ? imported.value.problems.join('; ') : imported.error.detail;
  throw new JobpassError('ERR_KEY_RING', `an own public key would be refused by others: ${problem}`);
}
