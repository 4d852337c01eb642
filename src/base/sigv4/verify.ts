// Verifies a signature that has been read, with the key of its sender.
import { err, ok, type Result } from '../core/result.ts';
import { Secret } from '../core/secret.ts';
import { canonicalRequest, stringToSign } from './canonical-request.ts';
import { type EscapedSlash, hasEscapedSlash, type PathEncoding } from './path.ts';
import type { SigV4Failure } from './problem.ts';
import type { SignatureClaim } from './read.ts';
import type { SignableRequest } from './request.ts';
import { isSameSignature, sign } from './signature.ts';

export interface VerifyOptions {
  /** The signing key of `claim.accessKeyId` and the session that the claim's token names, for the claim's scope. */
  readonly key: Uint8Array;
  /**
   * What the canonical request ends in: for STS the hash of the body as received, for S3 `claim.payloadHash`, or
   * UNSIGNED-PAYLOAD when a presigned request has none. Whoever reads the body holds it to a hash given here.
   */
  readonly payloadHash: string;
  readonly pathEncoding: PathEncoding;
}

/**
 * Checks that `claim` signs exactly this request with this key, in constant time.
 * Preconditions: `claim` was read from the same request; the key belongs to `claim.accessKeyId`, since in the header form
 * nothing else covers that id. Failures: `signature_mismatch` (with what we signed), `path_malformed`,
 * `header_malformed`.
 */
export function verifySignature(
  request: SignableRequest,
  claim: SignatureClaim,
  options: VerifyOptions,
): Result<null, SigV4Failure> {
  const first = compare(request, claim, { ...options, escapedSlash: 'slash' });
  if (first.ok || options.pathEncoding === 'double' || !hasEscapedSlash(request.path)) return first;
  // Signers disagree about an escaped slash. Both readings are of one key, so neither signature covers another request.
  return compare(request, claim, { ...options, escapedSlash: 'escape' }).ok ? ok(null) : first;
}

function compare(
  request: SignableRequest,
  claim: SignatureClaim,
  options: VerifyOptions & { readonly escapedSlash: EscapedSlash },
): Result<null, SigV4Failure> {
  const canonical = canonicalRequest(request, {
    signedHeaders: claim.signedHeaders,
    payloadHash: options.payloadHash,
    pathEncoding: options.pathEncoding,
    escapedSlash: options.escapedSlash,
  });
  if (!canonical.ok) return canonical;
  const text = stringToSign(claim.amzDate, claim, canonical.value);
  if (isSameSignature(sign(options.key, text), claim.signature)) return ok(null);
  return err({
    problem: 'signature_mismatch',
    detail: 'the signature is not the one of this request by this key',
    canonicalRequest: new Secret(canonical.value),
    stringToSign: text,
  });
}
