// Taking on a service account as Google Cloud's clients do, `generateAccessToken`, over the one pipeline. It reads and answers;
// verifying and deciding are the pipeline's business.
import { type Failure, failure } from '../../base/core/reasons.ts';
import type { HttpRequest, HttpResponse, Route } from '../../base/ports/http.ts';
import type { KeyRing } from '../../keys/ring.ts';
import { authorizationToken } from '../../wire/authorization.ts';
import { encodeApiRefusal, encodeGeneratedToken, encodeUnreachedApi } from '../../wire/gcp-sts/api-answer.ts';
import { decodeImpersonation } from '../../wire/gcp-sts/impersonation.ts';
import { reachOf } from '../../wire/gcp-sts/scopes.ts';
import type { BearerDeps } from '../bearers.ts';
import { issueAccessToken } from '../credentials.ts';
import { type ExchangeDeps, issued, refuseUnread } from '../exchange.ts';
import type { AccountRequest } from '../exchange-request.ts';
import { exchangeForAccount } from '../federate.ts';
import type { StsStore } from '../store.ts';

const WIRE = 'gcp';

interface AccountRouteDeps {
  readonly exchange: ExchangeDeps;
  readonly keys: Pick<KeyRing, 'signer'>;
  readonly bearers: BearerDeps;
  readonly sessions: Pick<StsStore, 'findSession'>;
}

/** Google's own path; the last segment, `EMAIL:generateAccessToken`, is one parameter, because the colon is no part of a name. */
export const accountRoutes = (deps: AccountRouteDeps): readonly Route[] => [
  {
    method: 'POST',
    path: '/v1/projects/-/serviceAccounts/:call',
    handle: (request) => handleCall(deps, request),
    refuse: encodeUnreachedApi,
  },
];

async function handleCall(deps: AccountRouteDeps, request: HttpRequest): Promise<HttpResponse> {
  const { headers, params, remoteAddress } = request;
  const call = decodeImpersonation(params.call ?? '', request);
  if (!call.ok) return refuse(deps, request, { refusal: call.error, isOpen: true });
  const token = authorizationToken(headers.authorization, 'Bearer');
  if (token === undefined) {
    return refuse(deps, request, { refusal: failure('credential_missing', 'no bearer token'), isOpen: false });
  }
  const { askedSeconds, scopes, serviceAccount } = call.value;
  const sessionPolicy = reachOf(scopes).policy;
  const asked: AccountRequest = {
    ...{ wire: WIRE, token: token.reveal(), askedSeconds, remoteAddress, sessionPolicy, serviceAccount },
  };
  const federated = { ...deps.bearers, verifier: deps.exchange.verifier, sessions: deps.sessions };
  const outcome = await exchangeForAccount({ ...deps.exchange, federated }, asked);
  if (!outcome.ok) return encodeApiRefusal(outcome);
  const { session } = outcome;
  const { stsUrl } = deps.exchange;
  const issue = (): Promise<string> => issueAccessToken(session, { stsUrl, signer: deps.keys.signer() });
  const accessToken = await issued(deps.exchange, outcome, { request: asked, issue });
  if (!accessToken.ok) return encodeApiRefusal(accessToken.error);
  return encodeGeneratedToken({ accessToken: accessToken.value, expiresAt: session.expiresAt });
}

/** Refuses outside the pipeline, under an id in the ring. */
function refuse(
  deps: AccountRouteDeps,
  { remoteAddress }: HttpRequest,
  { isOpen, refusal }: { readonly refusal: Failure; readonly isOpen: boolean },
): HttpResponse {
  const refused = refuseUnread(deps.exchange, { wire: WIRE, role: null, remoteAddress }, refusal);
  return encodeApiRefusal(isOpen ? { ...refused, open: refusal.detail } : refused);
}
