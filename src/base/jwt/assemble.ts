// Making a signed compact JWS. The key stays behind the Signer port.
import { JobpassError } from '../core/errors.ts';
import type { Claims } from '../core/json.ts';
import { MAX_TOKEN_BYTES } from '../core/limits.ts';
import type { Signer } from '../ports/signer.ts';
import { encodeBase64url } from './base64url.ts';

/**
 * Signs `claims` under a header of `alg`, `kid` and the given `typ`, in this order. The claims are written as they
 * stand, in their own order. Throws ERR_TOKEN_TOO_LARGE rather than make a token that no verifier here would read
 * (`maxBytes`: MAX_TOKEN_BYTES when absent; the reader of a longer message must allow as much);
 * what the signer throws passes through.
 */
export async function assembleJws(
  header: { readonly typ: string; readonly maxBytes?: number },
  claims: Claims,
  signer: Signer,
): Promise<string> {
  const maxBytes = header.maxBytes ?? MAX_TOKEN_BYTES;
  const fullHeader = { alg: signer.algorithm, kid: signer.kid, typ: header.typ };
  const input = `${encodeBase64url(JSON.stringify(fullHeader))}.${encodeBase64url(JSON.stringify(claims))}`;
  const signature = await signer.sign(Buffer.from(input, 'ascii'));
  const token = `${input}.${encodeBase64url(signature)}`;
  if (token.length > maxBytes) {
    throw new JobpassError('ERR_TOKEN_TOO_LARGE', `a token of ${token.length} bytes; at most ${maxBytes} are read`);
  }
  return token;
}
