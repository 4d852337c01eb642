// POST /token: token exchange (RFC 8693) and JWT bearer grant (RFC 7523) over the one pipeline. It reads and answers; verifying
// and deciding are exchange's business.
import type { ClientRegistry } from '../../base/client-auth/authenticate.ts';
import type { StsGrant } from '../../base/client-auth/client.ts';
import { presentsClient } from '../../base/client-auth/presented.ts';
import type { RoleRef } from '../../base/core/decision.ts';
import type { Statement } from '../../base/core/permissions.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { HttpRequest, HttpResponse, Route } from '../../base/ports/http.ts';
import { readScope, scopeOf } from '../../policy/readers/scope.ts';
import { formProblem } from '../../wire/form.ts';
import { encodeTokenRefusal, encodeUnreachedToken } from '../../wire/rfc8693/refusal.ts';
import { decodeTokenRequest, grantOf, parseRoleAudience, type TokenQuestion } from '../../wire/rfc8693/request.ts';
import { encodeTokenResponse } from '../../wire/rfc8693/response.ts';
import { readTokenForm, type TokenForm } from '../../wire/rfc8693/token-form.ts';
import { exchange, refuseUnread } from '../exchange.ts';
import type { ExchangeRequest } from '../exchange-request.ts';
import type { Granted } from '../grant.ts';
import type { Refused } from '../refusals.ts';
import { type AccessTokenDeps, issuedAccessToken } from './access-token.ts';

const WIRE = 'rfc8693';

export interface TokenRouteDeps extends AccessTokenDeps {
  readonly clients: ClientRegistry<StsGrant>;
}

/** POST is the exchange; GET says that it is not one (RFC 6749 §3.2), so that no token is ever tried in a URL. */
export const tokenRoutes = (deps: TokenRouteDeps): readonly Route[] => [
  {
    method: 'POST',
    path: '/token',
    handle: (request) => handleToken(deps, request),
    refuse: encodeUnreachedToken,
  },
  {
    method: 'GET',
    path: '/token',
    handle: async (request) => refuseGet(deps, request),
    refuse: encodeUnreachedToken,
  },
];

function refuseGet(deps: TokenRouteDeps, request: HttpRequest): HttpResponse {
  const answer = refuse(deps, request, { failure: failure('request_malformed', 'GET: an exchange is a POST') });
  return { ...answer, status: 405, headers: { ...answer.headers, allow: 'POST' } };
}

/** A refusal before the pipeline: it gets an id, and a place in the ring under it. */
function refuse(
  deps: TokenRouteDeps,
  { remoteAddress }: HttpRequest,
  refused: { readonly failure: Failure; readonly form?: TokenForm },
): HttpResponse {
  const { form } = refused;
  const role: RoleRef | null = parseRoleAudience(form?.single.get('audience') ?? '') ?? null;
  const refusal = refuseUnread(deps.exchange, { wire: WIRE, role, remoteAddress }, refused.failure);
  const grant = form === undefined ? undefined : grantOf(form);
  return encodeTokenRefusal({ ...refusal, grant, detail: refused.failure.detail });
}

async function handleToken(deps: TokenRouteDeps, request: HttpRequest): Promise<HttpResponse> {
  const form = readForm(request);
  if (!form.ok) return refuse(deps, request, { failure: form.error });
  const client = await checkClient(deps, request, form.value.single);
  if (!client.ok) return refuse(deps, request, { failure: client.error, form: form.value });
  const wanted = decodeTokenRequest(form.value);
  if (!wanted.ok) return refuse(deps, request, { failure: wanted.error, form: form.value });
  const { grant, scope } = wanted.value;
  // Told before the token is looked at: it is the same whoever asks, and for whatever role.
  const statements = scope === undefined ? ok(undefined) : readScope(scope);
  if (!statements.ok) return refuse(deps, request, { failure: statements.error, form: form.value });
  const answer = await exchanged(
    deps,
    wanted.value,
    pipelineRequest(wanted.value, { client: client.value, scope: statements.value }, request),
  );
  return answer.ok ? answer.value : encodeTokenRefusal({ ...answer.error, grant });
}

const pipelineRequest = (
  { askedSeconds, resources, role, subjectToken }: TokenQuestion,
  { client, scope }: { readonly client: string | null; readonly scope: readonly Statement[] | undefined },
  { remoteAddress }: HttpRequest,
): ExchangeRequest => ({
  wire: WIRE,
  token: subjectToken,
  role,
  askedSeconds,
  remoteAddress,
  resources,
  ...(scope === undefined ? {} : { scope }),
  ...(client === null ? {} : { client }),
});

async function exchanged(
  deps: TokenRouteDeps,
  question: TokenQuestion,
  asked: ExchangeRequest,
): Promise<Result<HttpResponse, Refused>> {
  const outcome = await exchange(deps.exchange, asked);
  if (!outcome.ok) return err(outcome);
  const { decisionId, expiresInSeconds, session } = outcome;
  const accessToken = await issuedAccessToken(deps, outcome, asked);
  if (!accessToken.ok) return accessToken;
  const response = {
    accessToken: accessToken.value,
    expiresInSeconds,
    sessionId: session.id,
    decisionId,
    jobBound: session.jobBound,
  };
  return ok(encodeTokenResponse(response, { ...question, scope: toldScope(question, outcome) }));
}

/** RFC 8693 §2.2.1: the scope is told when it is not the one that was asked for. */
function toldScope({ scope }: TokenQuestion, { session }: Granted): string | undefined {
  const given = session.policy === null ? undefined : scopeOf(session.policy);
  return given === scope ? undefined : given;
}

function readForm(request: HttpRequest): Result<TokenForm, Failure> {
  const problem = formProblem(request);
  return problem === undefined ? readTokenForm(request.body) : err(problem);
}

/** The token authenticates the request, so a client need not; one that presents itself must be who it says. Its name, or null. */
async function checkClient(
  deps: TokenRouteDeps,
  request: HttpRequest,
  form: ReadonlyMap<string, string>,
): Promise<Result<string | null, Failure>> {
  if (!presentsClient(request, form)) return ok(null);
  const client = await deps.clients.authenticate(request, form);
  return client.ok ? ok(client.value.name) : client;
}
