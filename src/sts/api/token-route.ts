// POST /token: RFC 8693 over the one pipeline. It reads and answers; verifying and deciding are exchange's business.
import type { ClientRegistry } from '../../base/client-auth/authenticate.ts';
import type { StsGrant } from '../../base/client-auth/client.ts';
import type { RoleRef } from '../../base/core/decision.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { HttpRequest, HttpResponse, Route } from '../../base/ports/http.ts';
import type { KeyRing } from '../../keys/ring.ts';
import { decodeTokenRequest, parseRoleAudience } from '../../wire/rfc8693/request.ts';
import { encodeTokenRefusal, encodeTokenResponse } from '../../wire/rfc8693/response.ts';
import { decodePairs } from '../../wire/urlencoded.ts';
import { issueAccessToken } from '../credentials.ts';
import { type ExchangeDeps, exchange, issued, refuseUnread } from '../exchange.ts';

const WIRE = 'rfc8693';

export interface TokenRouteDeps {
  readonly exchange: ExchangeDeps;
  /** The `access-token` ring. */
  readonly keys: Pick<KeyRing, 'signer'>;
  readonly clients: ClientRegistry<StsGrant>;
}

/** POST is the exchange; GET says that it is not one (RFC 6749 §3.2), so that no token is ever tried in a URL. */
export const tokenRoutes = (deps: TokenRouteDeps): readonly Route[] => [
  { method: 'POST', path: '/token', handle: (request) => handleToken(deps, request) },
  { method: 'GET', path: '/token', handle: async (request) => refuseGet(deps, request) },
];

function refuseGet(deps: TokenRouteDeps, { remoteAddress }: HttpRequest): HttpResponse {
  const opened = { wire: WIRE, role: null, remoteAddress } as const;
  const answer = encodeTokenRefusal(
    refuseUnread(deps.exchange, opened, failure('request_malformed', 'GET: an exchange is a POST')),
  );
  return { ...answer, status: 405, headers: { ...answer.headers, allow: 'POST' } };
}

async function handleToken(deps: TokenRouteDeps, request: HttpRequest): Promise<HttpResponse> {
  const { remoteAddress } = request;
  const form = readForm(request);
  const role = form.ok ? (parseRoleAudience(form.value.get('audience') ?? '') ?? null) : null;
  const refuse = (refusal: Failure, asked: RoleRef | null): HttpResponse =>
    encodeTokenRefusal(refuseUnread(deps.exchange, { wire: WIRE, role: asked, remoteAddress }, refusal));
  if (!form.ok) return refuse(form.error, null);
  const client = await checkClient(deps, request, form.value);
  if (!client.ok) return refuse(client.error, role);
  const wanted = decodeTokenRequest(form.value);
  if (!wanted.ok) return refuse(wanted.error, role);
  const { askedSeconds, subjectToken } = wanted.value;
  const asked = { wire: WIRE, token: subjectToken, role: wanted.value.role, askedSeconds, remoteAddress } as const;
  const outcome = await exchange(deps.exchange, asked);
  if (!outcome.ok) return encodeTokenRefusal(outcome);
  const { decisionId, session } = outcome;
  const { stsUrl } = deps.exchange;
  const issue = (): Promise<string> => issueAccessToken(session, { stsUrl, signer: deps.keys.signer() });
  const accessToken = await issued(deps.exchange, outcome, { request: asked, issue });
  if (!accessToken.ok) return encodeTokenRefusal(accessToken.error);
  return encodeTokenResponse({
    accessToken: accessToken.value,
    expiresInSeconds: session.expiresAt - session.issuedAt,
    sessionId: session.id,
    decisionId,
  });
}

/**
 * The parameters, each once. RFC 8693 §2.1 lets `audience` and `resource` repeat; here a request names one role, so that is
 * a bad target. Parameters in the URL are refused: they end up in logs (RFC 6749 §2.3.1).
 */
function readForm(request: HttpRequest): Result<ReadonlyMap<string, string>, Failure> {
  const mediaType = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (mediaType !== 'application/x-www-form-urlencoded') {
    return err(failure('request_malformed', 'the body is not application/x-www-form-urlencoded'));
  }
  if (request.query !== '') return err(failure('request_malformed', 'parameters belong into the body'));
  const pairs = decodePairs(request.body);
  if (!pairs.ok) return pairs;
  const form = new Map<string, string>();
  for (const { name, value } of pairs.value) {
    if (form.has(name)) {
      const isTarget = name === 'audience' || name === 'resource';
      return err(
        failure(isTarget ? 'target_malformed' : 'request_malformed', `${isTarget ? name : 'a parameter'} stands twice`),
      );
    }
    form.set(name, value);
  }
  return ok(form);
}

/** The token authenticates the request, so a client need not; one that presents itself must be who it says. */
async function checkClient(
  deps: TokenRouteDeps,
  request: HttpRequest,
  form: ReadonlyMap<string, string>,
): Promise<Result<null, Failure>> {
  const presents =
    request.headers.authorization !== undefined || form.has('client_secret') || form.has('client_assertion');
  if (!presents) return ok(null);
  const client = await deps.clients.authenticate(request, form);
  return client.ok ? ok(null) : client;
}
