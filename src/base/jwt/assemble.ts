// Making a signed compact JWS. The key stays behind the Signer port.
import { JobpassError } from '../core/errors.ts';
import type { Claims } from '../core/json.ts';
import { MAX_TOKEN_BYTES } from '../core/limits.ts';
import type { Signer } from '../ports/signer.ts';
import { encodeBase64url } from './base64url.ts';

/**
 * Signs `claims` under a header of `alg`, `kid` and the given `typ`, in this order. The claims are written as they
 * stand, in their own order. Throws ERR_TOKEN_TOO_LARGE rather than make a token that no verifier here would read;
 * what the signer throws passes through.
 */
export async function assembleJws(header: { readonly typ: string }, claims: Claims, signer: Signer): Promise<string> {
  const fullHeader = { alg: signer.algorithm, kid: signer.kid, typ: header.typ };
  const input = `${encodeBase64url(JSON.stringify(fullHeader))}.${encodeBase64url(JSON.stringify(claims))}`;
  const signature = await signer.sign(Buffer.from(input, 'ascii'));
  const token = `${input}.${encodeBase64url(signature)}`;
  if (token.length > MAX_TOKEN_BYTES) {
    throw new JobpassError(
      'ERR_TOKEN_TOO_LARGE',
      `a token of ${token.length} bytes; at most ${MAX_TOKEN_BYTES} are read`,
    );
  }
  return token;
}
