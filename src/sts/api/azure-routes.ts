// The routes of Azure's clients: Microsoft Entra's token endpoint over the one pipeline, and what they read before. It reads and
// answers; verifying and deciding are exchange's business.
import { ID_RANDOM_BYTES, newId } from '../../base/core/ids.ts';
import { AZURE_EXCHANGE_AUDIENCE } from '../../base/credential/azure-names.ts';
import { type HttpRequest, type HttpResponse, jsonResponse, type Route } from '../../base/ports/http.ts';
import { cloudEndpoints, instanceDiscovery, openIdConfiguration } from '../../wire/azure/documents.ts';
import {
  type AnswerIds,
  type AzureFault,
  type AzureRefusal,
  encodeAzureFault,
  faultOf,
  faultOfStatus,
  leadingOn,
} from '../../wire/azure/fault.ts';
import { encodeAzureToken } from '../../wire/azure/token-answer.ts';
import { correlationIdOf, decodeAzureTokenRequest, readTenant } from '../../wire/azure/token-request.ts';
import { traceIdOf } from '../../wire/azure/trace-id.ts';
import { parseQuery } from '../../wire/query.ts';
import { exchange, refuseUnread } from '../exchange.ts';
import type { Refused } from '../refusals.ts';
import { type AccessTokenDeps, issuedAccessToken } from './access-token.ts';

const WIRE = 'azure';
const MAX_AGE_SECONDS = 300;
const PUBLIC = { 'cache-control': `public, max-age=${MAX_AGE_SECONDS}` } as const;

export interface AzureRouteDeps extends AccessTokenDeps {
  /** The URL that clients are configured with. */
  readonly authority: string;
}

/**
 * A Go client whose authority ends in a slash asks for `//tenant/…` (cloud-wire §3.1). These are routes of their own: nowhere else
 * do two slashes mean one.
 */
const TENANT_PATHS = ['/:tenant', '//:tenant'] as const;

/** Everything that Azure's clients ask of an STS. */
export const azureRoutes = (deps: AzureRouteDeps): readonly Route[] => {
  const refuse: NonNullable<Route['refuse']> = (status, message) => refuseUnreached(deps, status, message);
  const route = (method: Route['method'], path: string, handle: Route['handle']): Route => {
    return { method, path, handle, refuse };
  };
  return [
    ...TENANT_PATHS.flatMap((tenant) => [
      route('POST', `${tenant}/oauth2/v2.0/token`, (request) => handleToken(deps, request)),
      route('GET', `${tenant}/v2.0/.well-known/openid-configuration`, async (request) => discover(deps, request)),
    ]),
    route('GET', '/common/discovery/instance', async (request) => discoverInstance(deps, request)),
    route('GET', '/metadata/endpoints', async () => jsonResponse(200, cloudEndpoints(deps.authority), PUBLIC)),
  ];
};

/** The same for every tenant that may be one, so that nobody learns which ones are. */
function discover(deps: AzureRouteDeps, request: HttpRequest): HttpResponse {
  const tenant = readTenant(request.params.tenant ?? '');
  if (!tenant.ok) return refuseOpenly(deps, request, tenant.error);
  return jsonResponse(200, openIdConfiguration(deps.authority, tenant.value), PUBLIC);
}

function discoverInstance(deps: AzureRouteDeps, request: HttpRequest): HttpResponse {
  const query = parseQuery(request.query);
  const [endpoint, ...more] = (query.ok && query.value.get('authorization_endpoint')) || [];
  const found = instanceDiscovery(deps.authority, more.length === 0 ? endpoint : undefined);
  return found.ok ? jsonResponse(200, found.value, PUBLIC) : refuseOpenly(deps, request, found.error);
}

async function handleToken(deps: AzureRouteDeps, request: HttpRequest): Promise<HttpResponse> {
  const read = decodeAzureTokenRequest({ ...request, tenant: request.params.tenant ?? '' });
  if (!read.ok) return refuseOpenly(deps, request, read.error);
  const { assertion: token, clientId, tenant } = read.value;
  const { remoteAddress } = request;
  const named = { role: { azure: { tenant, clientId } }, audiences: [AZURE_EXCHANGE_AUDIENCE] };
  const asked = { wire: WIRE, token, askedSeconds: undefined, remoteAddress, ...named } as const;
  const outcome = await exchange(deps.exchange, asked);
  if (!outcome.ok) return answerRefused(deps, request, outcome);
  const { decisionId, session } = outcome;
  const accessToken = await issuedAccessToken(deps, outcome, asked);
  if (!accessToken.ok) return answerRefused(deps, request, accessToken.error);
  const expiresInSeconds = session.expiresAt - session.issuedAt;
  return encodeAzureToken({ accessToken: accessToken.value, expiresInSeconds }, idsOf(request, decisionId));
}

const answerRefused = (deps: AzureRouteDeps, request: HttpRequest, { decisionId, reason }: Refused): HttpResponse =>
  answer(deps, leadingOn(faultOf(reason), decisionId), idsOf(request, decisionId));

/** A refusal outside the pipeline: it gets an id, and a place in the ring under it. The caller is told everything. */
function refuseOpenly(deps: AzureRouteDeps, request: HttpRequest, { failure, fault }: AzureRefusal): HttpResponse {
  const opened = { wire: WIRE, role: null, remoteAddress: request.remoteAddress } as const;
  return answer(deps, fault, idsOf(request, refuseUnread(deps.exchange, opened, failure).decisionId));
}

/** Of a request that never reached a handler, nothing is known but that it was refused. */
function refuseUnreached(deps: AzureRouteDeps, status: number, message: string): HttpResponse {
  const traceId = traceIdOf(newId('D', deps.exchange.random.bytes(ID_RANDOM_BYTES)));
  return answer(deps, faultOfStatus(status, message), { traceId, correlationId: traceId });
}

const answer = ({ exchange: { clock } }: AzureRouteDeps, fault: AzureFault, ids: AnswerIds): HttpResponse =>
  encodeAzureFault(fault, { ...ids, at: clock.nowMs() });

function idsOf(request: HttpRequest, decisionId: string): AnswerIds {
  const traceId = traceIdOf(decisionId);
  return { traceId, correlationId: correlationIdOf(request) ?? traceId };
}
