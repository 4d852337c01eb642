// Who calls the Blob front: the bearer of an access token. What that session may do is not asked here.
import { failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { blobError } from '../../wire/blob/errors.ts';
import { bearerToken } from '../bearer.ts';
import type { Head } from '../store-front/head.ts';
import { type BlobRefusal, refusalOf } from './refusal.ts';

/** Account keys and signatures made with them: there is no account key here. */
const SHARED_KEY = /^sharedkey(?:lite)?(?: |$)/i;

/**
 * The token that a request presents, not yet verified. Refused clearly: Shared Key, shared access signatures. Nobody else than
 * the Authorization header is asked, and a request that has both is refused for its parameters.
 */
export function readToken({ headers, query }: Head): Result<string, BlobRefusal> {
  const authorization = headers.get('authorization') ?? [];
  if (authorization.some((value) => SHARED_KEY.test(value))) return keyRefused('a Shared Key signature');
  if (authorization.length === 0 && /(?:^|&)sig=/i.test(query)) return keyRefused('a shared access signature');
  const token = bearerToken(authorization);
  return token.ok ? ok(token.value) : err(refusalOf(token.error));
}

const keyRefused = (what: string): Result<never, BlobRefusal> =>
  err(refusalOf(failure('credential_missing', what), { error: blobError('KeyBasedAuthenticationNotPermitted') }));
