// Google's IAM as gcloud asks it for pools, providers and bindings: it keeps what it is told and judges nothing.
import { isJsonObject, type JsonObject, stringMember } from '../../src/base/core/json.ts';
import { parseJsonObject } from '../../src/base/json/parse.ts';
import { type HttpRequest, jsonResponse, type Route } from '../../src/base/ports/http.ts';
import { type LoopbackServer, serveOnLoopback } from './serve-on-loopback.ts';

/** Names are by the number, whatever the project is called. */
const POOLS = 'projects/42/locations/global/workloadIdentityPools';
const ASKED_POOLS = '/v1/projects/:project/locations/global/workloadIdentityPools';
const DONE = jsonResponse(200, { name: `${POOLS}/any/operations/1`, done: true, response: {} });

/** Serves it on loopback; gcloud finds it by CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM. */
export function serveGoogleIam(): Promise<LoopbackServer> {
  const providers = new Map<string, JsonObject>();
  let policy: JsonObject = { etag: 'ACAB' };
  const routes: readonly Route[] = [
    { method: 'POST', path: ASKED_POOLS, handle: async () => DONE },
    {
      method: 'POST',
      path: `${ASKED_POOLS}/:pool/providers`,
      handle: async (request) => {
        const id = new URLSearchParams(request.query).get('workloadIdentityPoolProviderId') ?? '';
        const name = `${POOLS}/${request.params.pool}/providers/${id}`;
        providers.set(id, { ...bodyOf(request), name, state: 'ACTIVE' });
        return DONE;
      },
    },
    {
      method: 'GET',
      path: `${ASKED_POOLS}/:pool/providers/:provider`,
      handle: async ({ params }) => jsonResponse(200, providers.get(params.provider ?? '') ?? {}),
    },
    {
      method: 'POST',
      path: '/v1/projects/:project/serviceAccounts/:call',
      handle: async (request) => {
        const set = bodyOf(request).policy;
        if (stringMember(request.params, 'call')?.endsWith(':setIamPolicy') === true && isJsonObject(set)) policy = set;
        return jsonResponse(200, policy);
      },
    },
  ];
  return serveOnLoopback(async () => routes);
}

function bodyOf({ body }: HttpRequest): JsonObject {
  const parsed = parseJsonObject(body);
  return parsed.ok ? parsed.value : {};
}
