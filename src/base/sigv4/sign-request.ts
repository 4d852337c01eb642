// Signs a request in the header form, for an upstream. It sends nothing.
import { JobpassError } from '../core/errors.ts';
import { ALGORITHM, canonicalRequest, stringToSign } from './canonical-request.ts';
import type { PathEncoding } from './path.ts';
import type { SignableRequest } from './request.ts';
import { type CredentialScope, scopeText } from './scope.ts';
import { sign } from './signature.ts';

export interface SignOptions {
  readonly accessKeyId: string;
  /** `signingKey(secret, scope)`; may be kept for the day. */
  readonly key: Uint8Array;
  readonly scope: CredentialScope;
  /** `formatAmzDate` of now; its day is the scope's. */
  readonly amzDate: string;
  readonly securityToken?: string;
  /** The hash of the body, or UNSIGNED-PAYLOAD. For the service `s3` it becomes the header x-amz-content-sha256. */
  readonly payloadHash: string;
  readonly pathEncoding: PathEncoding;
}

/**
 * The headers to add to `request`: authorization, x-amz-date, and, as the options ask, x-amz-security-token and
 * x-amz-content-sha256. Every header of `request` is signed, so it must reach the upstream unchanged; the host is among
 * them, and what connections add or drop (connection, expect, transfer-encoding…) is not.
 * Throws ERR_SIGNING when such a request cannot be signed; it then must not be sent.
 */
export function signRequest(request: SignableRequest, options: SignOptions): Record<string, string> {
  const { accessKeyId, amzDate, payloadHash, pathEncoding, scope, securityToken } = options;
  const added: Record<string, string> = {
    'x-amz-date': amzDate,
    ...(securityToken === undefined ? {} : { 'x-amz-security-token': securityToken }),
    ...(scope.service === 's3' ? { 'x-amz-content-sha256': payloadHash } : {}),
  };
  const headers = new Map(request.headers);
  for (const [name, value] of Object.entries(added)) headers.set(name, [value]);
  const signedHeaders = [...headers.keys()].sort();
  if (!headers.has('host')) throw new JobpassError('ERR_SIGNING', 'a request without a host cannot be signed');
  const canonical = canonicalRequest({ ...request, headers }, { signedHeaders, payloadHash, pathEncoding });
  if (!canonical.ok) {
    throw new JobpassError('ERR_SIGNING', `the request cannot be signed: ${canonical.error.detail}`);
  }
  const signature = sign(options.key, stringToSign(amzDate, scope, canonical.value));
  const credential = `${accessKeyId}/${scopeText(scope)}`;
  return {
    ...added,
    authorization: `${ALGORITHM} Credential=${credential}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`,
  };
}
