// Google Cloud's STS over the one pipeline: `/v1/token` and `/v1/introspect`. It reads and answers; verifying and deciding are
// the pipeline's business.
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { gcpProviderAudiences } from '../../base/credential/gcp-names.ts';
import type { HttpRequest, HttpResponse, Route } from '../../base/ports/http.ts';
import { decodeGcpIntrospection, encodeGcpIntrospection } from '../../wire/gcp-sts/introspection.ts';
import { type Parameters, readParameters } from '../../wire/gcp-sts/parameters.ts';
import { reachOf } from '../../wire/gcp-sts/scopes.ts';
import { encodeGcpToken, encodeOAuthRefusal, encodeUnreachedOAuth } from '../../wire/gcp-sts/token-answer.ts';
import { decodeGcpTokenRequest } from '../../wire/gcp-sts/token-request.ts';
import { issueAccessToken, issueFederatedToken } from '../credentials.ts';
import { issued } from '../exchange.ts';
import type { ProviderRequest } from '../exchange-request.ts';
import { exchangeAtProvider, type Federated } from '../federate.ts';
import type { Granted } from '../grant.ts';
import { accountRoutes } from './gcp-account-route.ts';
import { findActiveToken } from './gcp-active-token.ts';
import { GCP_WIRE, type GcpRouteDeps, refuseGcp } from './gcp-refusal.ts';

/** Everything that Google Cloud's clients ask of an STS. */
export const gcpRoutes = (deps: GcpRouteDeps): readonly Route[] => [
  { method: 'POST', path: '/v1/token', handle: (request) => handleToken(deps, request), refuse: encodeUnreachedOAuth },
  {
    method: 'POST',
    path: '/v1/introspect',
    handle: (request) => handleIntrospection(deps, request),
    refuse: encodeUnreachedOAuth,
  },
  ...accountRoutes(deps),
];

/** The request, or its refusal: that one is told openly, for it speaks of the caller's own words. */
function read<T>(
  deps: GcpRouteDeps,
  request: HttpRequest,
  decode: (parameters: Parameters) => Result<T, Failure>,
): Result<T, HttpResponse> {
  const parameters = readParameters(request);
  const wanted = parameters.ok ? decode(parameters.value) : parameters;
  return wanted.ok
    ? wanted
    : err(encodeOAuthRefusal(refuseGcp(deps, request, { refusal: wanted.error, isOpen: true })));
}

async function handleToken(deps: GcpRouteDeps, request: HttpRequest): Promise<HttpResponse> {
  const wanted = read(deps, request, decodeGcpTokenRequest);
  if (!wanted.ok) return wanted.error;
  const { provider, scopes, subjectToken: token } = wanted.value;
  const reach = reachOf(scopes);
  const asked: ProviderRequest = {
    wire: GCP_WIRE,
    token,
    askedSeconds: undefined,
    remoteAddress: request.remoteAddress,
    audiences: gcpProviderAudiences(provider),
    sessionPolicy: reach.policy,
    provider,
    takesAccounts: reach.impersonation,
  };
  const outcome = await exchangeAtProvider(deps.exchange, asked);
  if (!outcome.ok) return encodeOAuthRefusal(outcome);
  const accessToken = await issued(deps.exchange, outcome, { request: asked, issue: () => issue(deps, outcome) });
  if (!accessToken.ok) return encodeOAuthRefusal(accessToken.error);
  const { decisionId, session } = outcome;
  const expiresInSeconds = session.expiresAt - session.issuedAt;
  return encodeGcpToken({ accessToken: accessToken.value, expiresInSeconds, decisionId });
}

function issue({ exchange: { stsUrl }, keys }: GcpRouteDeps, { session }: Granted | Federated): Promise<string> {
  const issuing = { stsUrl, signer: keys.signer() };
  return session.role === null ? issueFederatedToken(session, issuing) : issueAccessToken(session, issuing);
}

/** Whoever has a token may ask whose it is: gcloud has no secret to ask with. Of a token that is not active nothing is said. */
async function handleIntrospection(deps: GcpRouteDeps, request: HttpRequest): Promise<HttpResponse> {
  const token = read(deps, request, decodeGcpIntrospection);
  if (!token.ok) return token.error;
  const { bearers, sessions } = deps;
  const active = await attempt(() =>
    findActiveToken({ bearers, sessions, policies: deps.exchange.policies }, token.value),
  );
  return active.ok
    ? encodeGcpIntrospection(active.value)
    : encodeOAuthRefusal(refuseGcp(deps, request, { refusal: active.error, isOpen: false }));
}

async function attempt<T>(look: () => Promise<T>): Promise<Result<T, Failure>> {
  try {
    return ok(await look());
  } catch (error) {
    return err(failure('store_unavailable', `the session could not be looked up: ${String(error)}`));
  }
}
