// Keys and tokens for tests, made with node:crypto alone, so that no code under test signs what it verifies.
import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { JsonObject } from '../../src/base/core/json.ts';
import { encodeBase64url } from '../../src/base/jwt/base64url.ts';
import { type CompactJws, parseCompactJws } from '../../src/base/jwt/jws.ts';

export interface TestKey {
  readonly algorithm: string;
  readonly kid: string;
  readonly publicKey: KeyObject;
  /** With `kid`, `use` and `alg`. */
  readonly publicJwk: JsonObject;
  sign(input: string): Uint8Array;
}

const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

function generate(algorithm: string, modulusLength: number): { publicKey: KeyObject; privateKey: KeyObject } {
  const namedCurve = CURVES[algorithm];
  if (namedCurve !== undefined) return generateKeyPairSync('ec', { namedCurve });
  return algorithm === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('rsa', { modulusLength });
}

/** A new key pair for one of the asymmetric algorithms. */
export function newTestKey(algorithm: string, kid = `${algorithm}-key`, modulusLength = 2048): TestKey {
  const { publicKey, privateKey } = generate(algorithm, modulusLength);
  const hash = algorithm === 'EdDSA' ? null : `sha${algorithm.slice(2)}`;
  const padding = algorithm.startsWith('PS')
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363', ...padding } as const;
  const jwk = publicKey.export({ format: 'jwk' });
  return {
    algorithm,
    kid,
    publicKey,
    publicJwk: { ...(JSON.parse(JSON.stringify(jwk)) as JsonObject), kid, use: 'sig', alg: algorithm },
    sign: (input) => sign(hash, Buffer.from(input, 'ascii'), key),
  };
}

/** Joins and signs whatever it is given: a header and a payload as objects, or as the very text or bytes to encode. */
export function signCompact(
  sign: (input: string) => Uint8Array,
  header: object | string,
  payload: object | string | Uint8Array,
): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${encodeBase64url(sign(input))}`;
}

const encode = (part: object | string | Uint8Array): string =>
  encodeBase64url(typeof part === 'string' || part instanceof Uint8Array ? part : JSON.stringify(part));

/** A well-formed token of `key` over `payload`, with `header` over the ordinary members. */
export function tokenOf(
  key: TestKey,
  payload: object | string | Uint8Array = { sub: 'a' },
  header: object = {},
): string {
  return signCompact(key.sign, { alg: key.algorithm, kid: key.kid, ...header }, payload);
}

/** An HMAC signer, for attacks that pass a public key off as a shared secret. */
export const hmacSigner =
  (secret: string | Uint8Array, bits = 256) =>
  (input: string): Uint8Array =>
    createHmac(`sha${bits}`, secret).update(input).digest();

/** The parsed token. Throws when the test's own token is not well-formed. */
export function parsedToken(token: string): CompactJws {
  const parsed = parseCompactJws(token);
  if (!parsed.ok) throw new Error(parsed.error.detail);
  return parsed.value;
}
