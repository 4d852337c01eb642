// Taking on a service account as Google Cloud's clients do, `generateAccessToken`, over the one pipeline. It reads and answers;
// verifying and deciding are the pipeline's business.
import { failure } from '../../base/core/reasons.ts';
import type { HttpRequest, HttpResponse, Route } from '../../base/ports/http.ts';
import { authorizationToken } from '../../wire/authorization.ts';
import { encodeApiRefusal, encodeGeneratedToken, encodeUnreachedApi } from '../../wire/gcp-sts/api-answer.ts';
import { decodeImpersonation } from '../../wire/gcp-sts/impersonation.ts';
import { reachOf } from '../../wire/gcp-sts/scopes.ts';
import type { AccountRequest } from '../exchange-request.ts';
import { exchangeForAccount } from '../federate.ts';
import { issuedAccessToken } from './access-token.ts';
import { GCP_WIRE, type GcpRouteDeps, refuseGcp } from './gcp-refusal.ts';

/** Google's own path; the last segment, `EMAIL:generateAccessToken`, is one parameter, because the colon is no part of a name. */
export const accountRoutes = (deps: GcpRouteDeps): readonly Route[] => [
  {
    method: 'POST',
    path: '/v1/projects/-/serviceAccounts/:call',
    handle: (request) => handleCall(deps, request),
    refuse: encodeUnreachedApi,
  },
];

async function handleCall(deps: GcpRouteDeps, request: HttpRequest): Promise<HttpResponse> {
  const { headers, params, remoteAddress } = request;
  const call = decodeImpersonation(params.call ?? '', request);
  if (!call.ok) return encodeApiRefusal(refuseGcp(deps, request, { refusal: call.error, isOpen: true }));
  const token = authorizationToken(headers.authorization, 'Bearer');
  if (token === undefined) {
    const refusal = failure('credential_missing', 'no bearer token');
    return encodeApiRefusal(refuseGcp(deps, request, { refusal, isOpen: false }));
  }
  const { askedSeconds, scopes, serviceAccount } = call.value;
  const sessionPolicy = reachOf(scopes).policy;
  const named = { token: token.reveal(), serviceAccount, sessionPolicy };
  const asked: AccountRequest = { wire: GCP_WIRE, askedSeconds, remoteAddress, ...named };
  const federated = { ...deps.bearers, verifier: deps.exchange.verifier, sessions: deps.sessions };
  const outcome = await exchangeForAccount({ ...deps.exchange, federated }, asked);
  if (!outcome.ok) return encodeApiRefusal(outcome);
  const accessToken = await issuedAccessToken(deps, outcome, asked);
  if (!accessToken.ok) return encodeApiRefusal(accessToken.error);
  return encodeGeneratedToken({ accessToken: accessToken.value, expiresAt: outcome.session.expiresAt });
}
