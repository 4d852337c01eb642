// The signature of a registered issuer, checked with its own keys. Identity tokens and security events share it.
import type { Failure } from '../../base/core/reasons.ts';
import type { Result } from '../../base/core/result.ts';
import type { VerificationKey } from '../../base/jwt/jwk.ts';
import type { CompactJws } from '../../base/jwt/jws.ts';
import { verifyJws } from '../../base/jwt/verify.ts';
import type { TrustedIssuer } from '../settings.ts';
import type { JwksCache } from './jwks-cache.ts';

export type IssuerKeys = Pick<JwksCache, 'keysOf' | 'keysAfterUnknownKey'>;

/**
 * Checks the signature with the keys of `issuer`. A key that the set lacks may be a new one, so the issuer is asked once
 * more, within the bounds of the cache. Errors: those of verifyJws and of the cache.
 */
export async function verifyIssuerSignature(
  keys: IssuerKeys,
  token: CompactJws,
  issuer: TrustedIssuer,
): Promise<Result<VerificationKey, Failure>> {
  const options = { algorithms: issuer.algorithms };
  const known = await keys.keysOf(issuer.issuer);
  if (!known.ok) return known;
  const first = await verifyJws(token, known.value, options);
  if (first.ok || first.error.reason !== 'key_unknown') return first;
  const newer = await keys.keysAfterUnknownKey(issuer.issuer, token.header.kid);
  if (newer === null || !newer.ok) return first;
  return verifyJws(token, newer.value, options);
}
