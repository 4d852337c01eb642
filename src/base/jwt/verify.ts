// Signature verification of a parsed JWS against an imported key set. `jose` or node's own library checks the signature; which
// key and which algorithm it may use is decided here, before it is asked.
import { verify } from 'node:crypto';
import { compactVerify, errors } from 'jose';
import { JobpassError } from '../core/errors.ts';
import { type Failure, failure } from '../core/reasons.ts';
import { err, ok, type Result } from '../core/result.ts';
import { quote } from '../json/quote.ts';
import type { VerificationKey } from './jwk.ts';
import type { CompactJws } from './jws.ts';

export interface VerifyOptions {
  /** The allow-list: what the registration of the issuer says, never what the token says. Compared with case. */
  readonly algorithms: readonly string[];
}

/**
 * Checks the signature of `token` with the one key of `keys` that the token can mean: the key with its `kid`, or, when it
 * names none, the only key that can verify its algorithm. The header's `alg` must be in `options.algorithms` and among
 * the key's own (RFC 8725 §3.1). Success gives the key and says nothing about the claims.
 * Failures: `algorithm_refused`, `key_unknown`, `key_unusable` (ambiguous, or a key for another algorithm),
 * `signature_invalid`. Throws ERR_SIGNATURE_CHECK when the check itself could not run.
 */
export async function verifyJws(
  token: CompactJws,
  keys: readonly VerificationKey[],
  options: VerifyOptions,
): Promise<Result<VerificationKey, Failure>> {
  const { alg } = token.header;
  if (!options.algorithms.includes(alg)) {
    return err(failure('algorithm_refused', `"alg" is ${quote(alg)}; allowed: ${options.algorithms.join(', ')}`));
  }
  const chosen = chooseKey(token, keys);
  if (!chosen.ok) return chosen;
  if (await isSignedBy(token, chosen.value, alg)) return chosen;
  return err(
    failure('signature_invalid', `the signature is not one by key ${quote(chosen.value.kid)} over this token`),
  );
}

/**
 * RFC 7518 §3.3, what most issuers sign with: checked on the spot. The check takes 25 µs; the way to another thread and back,
 * which `jose` takes, costs that twice over.
 */
const PKCS1_HASHES: ReadonlyMap<string, string> = new Map([
  ['RS256', 'sha256'],
  ['RS384', 'sha384'],
  ['RS512', 'sha512'],
]);

/** Precondition: the key is one for `alg`. Throws ERR_SIGNATURE_CHECK. */
async function isSignedBy(token: CompactJws, { material }: VerificationKey, alg: string): Promise<boolean> {
  const compact = token.compact.reveal();
  const hash = PKCS1_HASHES.get(alg);
  try {
    if (hash === undefined) return (await compactVerify(compact, material, { algorithms: [alg] })) !== undefined;
    const end = compact.lastIndexOf('.');
    const signature = Buffer.from(compact.slice(end + 1), 'base64url');
    // A bare RSA key means PKCS #1 v1.5; a key object in options would cost as much again as the check.
    return verify(hash, Buffer.from(compact.slice(0, end), 'latin1'), material, signature);
  } catch (cause) {
    if (cause instanceof errors.JOSEError) return false;
    throw new JobpassError('ERR_SIGNATURE_CHECK', 'a signature could not be checked', { cause });
  }
}

function chooseKey(token: CompactJws, keys: readonly VerificationKey[]): Result<VerificationKey, Failure> {
  const { alg, kid } = token.header;
  const isCandidate =
    kid === undefined
      ? (key: VerificationKey) => key.algorithms.includes(alg)
      : (key: VerificationKey) => key.kid === kid;
  const candidates = keys.filter(isCandidate);
  const [key] = candidates;
  const wanted = kid === undefined ? `no "kid" and "alg" ${quote(alg)}` : `"kid" ${quote(kid)}`;
  if (key === undefined) return err(failure('key_unknown', `no usable key for a token with ${wanted}`));
  if (candidates.length > 1 || key.ambiguous) {
    return err(failure('key_unusable', `several keys for a token with ${wanted}: none is used`));
  }
  if (!key.algorithms.includes(alg)) {
    return err(failure('key_unusable', `the key is for ${key.algorithms.join(', ')}; the token says ${quote(alg)}`));
  }
  return ok(key);
}
