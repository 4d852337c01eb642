// The access token of a grant, for every wire whose credential it is. How an answer carries it is the wire's business.
import type { Result } from '../../base/core/result.ts';
import type { KeyRing } from '../../keys/ring.ts';
import { issueAccessToken } from '../credentials.ts';
import { type ExchangeDeps, issued } from '../exchange.ts';
import type { CredentialRequest } from '../exchange-request.ts';
import type { Granted } from '../grant.ts';
import type { Refused } from '../refusals.ts';

/** What every route needs that exchanges tokens for access tokens. */
export interface AccessTokenDeps {
  readonly exchange: ExchangeDeps;
  /** The `access-token` ring. */
  readonly keys: Pick<KeyRing, 'signer'>;
}

/** Never rejects, as `issued` does not. `request` is the one that was granted. */
export function issuedAccessToken(
  { exchange: deps, keys }: AccessTokenDeps,
  granted: Granted,
  request: CredentialRequest,
): Promise<Result<string, Refused>> {
  const issue = (): Promise<string> =>
    issueAccessToken(granted.session, { stsUrl: deps.stsUrl, signer: keys.signer() });
  return issued(deps, granted, { request, issue });
}
