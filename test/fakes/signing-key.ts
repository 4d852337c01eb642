// An ES256 key for tests that stand in for a server of ours.
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { JsonObject } from '../../src/base/core/json.ts';
import type { Signer } from '../../src/base/ports/signer.ts';

export interface SigningKey {
  readonly signer: Signer;
  readonly publicJwk: JsonObject;
}

/** A fresh key pair with its RFC 7638 key id. */
export function makeSigningKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' });
  const kid = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
  const publicJwk = { kty: String(kty), crv: String(crv), x: String(x), y: String(y), kid, use: 'sig', alg: 'ES256' };
  const signer: Signer = {
    kid,
    algorithm: 'ES256',
    sign: async (input) => sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  };
  return { signer, publicJwk };
}
