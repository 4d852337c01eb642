// Wrapping a group key to a gateway's public key (RFC 7516 compact JWE, ECDH-ES+A256KW, A256GCM), and opening it there.
import type { KeyObject } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader, importJWK } from 'jose';
import { JobpassError } from '../base/core/errors.ts';
import { type JsonObject, stringMember } from '../base/core/json.ts';
import { MAX_TOKEN_BYTES } from '../base/core/limits.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { Clock } from '../base/ports/clock.ts';
import { GROUP_KEY_BYTES } from './group-key.ts';
import { thumbprint } from './jwks.ts';
import type { KeyEncryptionKey } from './kek.ts';
import { exportPrivate, generatePair, openPair, WRAPPING_ALGORITHM } from './material.ts';
import type { KeyStore, StoredKey } from './store.ts';
import { isLiving, listOrCreate, sealKey, soleActive } from './stored.ts';

const CONTENT_ENCRYPTION = 'A256GCM';

/** The public members alone, or ERR_GATEWAY_KEY_INVALID: a key for another use, of another curve, or a private one. */
function wrappingKey(jwk: JsonObject): {
  readonly kty: 'EC';
  readonly crv: string;
  readonly x: string;
  readonly y: string;
} {
  const [x, y] = [stringMember(jwk, 'x'), stringMember(jwk, 'y')];
  const isPublicP256 = jwk.kty === 'EC' && jwk.crv === 'P-256' && !Object.hasOwn(jwk, 'd');
  const isForWrapping = (jwk.use ?? 'enc') === 'enc' && (jwk.alg ?? WRAPPING_ALGORITHM) === WRAPPING_ALGORITHM;
  if (isPublicP256 && isForWrapping && x !== undefined && y !== undefined) return { kty: 'EC', crv: 'P-256', x, y };
  throw new JobpassError('ERR_GATEWAY_KEY_INVALID', 'a gateway’s key must be a public P-256 key for ECDH-ES+A256KW', {
    hint: 'take the output of: jobpass keys export --public, at the gateway',
  });
}

/**
 * A group key as a compact JWE that only the owner of `publicJwk` opens. The header names the gateway's key by its
 * thumbprint, so a gateway with two valid keys knows which one is meant. Throws ERR_GATEWAY_KEY_INVALID.
 */
export async function wrapForGateway(key: Uint8Array, publicJwk: JsonObject): Promise<string> {
  const members = wrappingKey(publicJwk);
  const recipient = await importJWK(members, WRAPPING_ALGORITHM).catch((cause: unknown) => {
    throw new JobpassError('ERR_GATEWAY_KEY_INVALID', 'a gateway’s key is not a point of P-256', { cause });
  });
  return new CompactEncrypt(key)
    .setProtectedHeader({ alg: WRAPPING_ALGORITHM, enc: CONTENT_ENCRYPTION, kid: thumbprint(members) })
    .encrypt(recipient);
}

/** The key pair of one gateway, to which the STS wraps its group's key. */
export class GatewayKey {
  /** For the STS's `gateways:` section: the active key, with `kid`, `use` and `alg`. */
  readonly publicJwk: JsonObject;
  readonly #privateKeys: ReadonlyMap<string, KeyObject>;

  private constructor(publicJwk: JsonObject, privateKeys: ReadonlyMap<string, KeyObject>) {
    this.publicJwk = publicJwk;
    this.#privateKeys = privateKeys;
  }

  /** Opens `gateway/<name>`, making its key when there is none. Throws as KeyRing.open does. */
  static async open(options: {
    /** `gateway/<name>`. */
    readonly ring: string;
    readonly store: KeyStore;
    readonly kek: KeyEncryptionKey;
    readonly clock: Clock;
  }): Promise<GatewayKey> {
    const { ring, store, kek, clock } = options;
    const create = async (): Promise<StoredKey> => {
      const pair = await generatePair(WRAPPING_ALGORITHM);
      const { kid, algorithm, state, publicJwk } = pair;
      const now = clock.nowSeconds();
      const record = { kid, ring, algorithm, state, stateSince: now, createdAt: now, publicJwk };
      return sealKey(record, exportPrivate(pair), kek);
    };
    const stored = await listOrCreate(store, ring, create);
    const pairs = stored.keys.filter(isLiving).map((key) => openPair(key, kek));
    const active = soleActive(pairs, ring);
    if (pairs.some((pair) => pair.algorithm !== WRAPPING_ALGORITHM)) {
      throw new JobpassError('ERR_KEY_ALGORITHM', `the ring ${ring} holds a key that is not for ${WRAPPING_ALGORITHM}`);
    }
    return new GatewayKey(active.publicJwk, new Map(pairs.map((pair) => [pair.kid, pair.privateKey])));
  }

  /**
   * The group key in a JWE of `wrapForGateway`. Failures: `token_too_large`; `token_malformed` (no such JWE, another
   * algorithm, changed, or not a group key inside); `key_unknown` (wrapped to a key that this gateway does not have).
   */
  async unwrap(jwe: string): Promise<Result<Uint8Array, Failure>> {
    if (jwe.length > MAX_TOKEN_BYTES) return err(failure('token_too_large', 'the wrapped key is larger than 16 KiB'));
    const kid = keyIdOf(jwe);
    if (kid === undefined) return err(failure('token_malformed', 'the wrapped key is no JWE that names its key'));
    const privateKey = this.#privateKeys.get(kid);
    if (privateKey === undefined) return err(failure('key_unknown', 'the group key is wrapped to another gateway key'));
    try {
      const { plaintext } = await compactDecrypt(jwe, privateKey, {
        keyManagementAlgorithms: [WRAPPING_ALGORITHM],
        contentEncryptionAlgorithms: [CONTENT_ENCRYPTION],
      });
      if (plaintext.length === GROUP_KEY_BYTES) return ok(plaintext);
    } catch {
      return err(failure('token_malformed', 'the wrapped key does not open with this gateway’s key'));
    }
    return err(failure('token_malformed', `what was wrapped is not a key of ${GROUP_KEY_BYTES} bytes`));
  }
}

function keyIdOf(jwe: string): string | undefined {
  try {
    const { kid } = decodeProtectedHeader(jwe);
    return typeof kid === 'string' ? kid : undefined;
  } catch {
    return undefined;
  }
}
