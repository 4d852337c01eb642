// POST /introspect: RFC 7662 for those whom access tokens are presented to. It tells of no token that is not for the caller's
// groups.
import type { ClientRegistry } from '../../base/client-auth/authenticate.ts';
import type { Client, StsGrant } from '../../base/client-auth/client.ts';
import { failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { CarriedSession } from '../../base/credential/carried-session.ts';
import { type HttpRequest, jsonResponse, type Route } from '../../base/ports/http.ts';
import type { RefusalDesk } from '../../base/refusal/desk.ts';
import { encodeOauthRefusal } from '../../base/refusal/oauth.ts';
import { type Refusal, refuse } from '../../base/refusal/refusal.ts';
import { answeringRoute, type Outcome } from '../../base/refusal/route.ts';
import { scopeOf } from '../../policy/readers/scope.ts';
import { readForm } from '../../wire/form.ts';
import { decodeIntrospectionRequest } from '../../wire/introspection/introspection.ts';
import { encodeSessionIntrospection } from '../../wire/introspection/session.ts';
import { openStanding, type StandingDeps } from '../standing.ts';

export interface IntrospectDeps {
  readonly standing: StandingDeps;
  readonly clients: ClientRegistry<StsGrant>;
  readonly refusals: RefusalDesk;
}

/** For clients with `may.introspect`. */
export const introspectRoute = (deps: IntrospectDeps): Route =>
  answeringRoute(deps.refusals, {
    method: 'POST',
    path: '/introspect',
    encode: encodeOauthRefusal,
    handler: (request) => introspect(deps, request),
  });

async function introspect(deps: IntrospectDeps, request: HttpRequest): Promise<Outcome> {
  const form = readForm(request);
  if (!form.ok) return err(refuse(form.error, null));
  const client = await deps.clients.authenticate(request, form.value);
  if (!client.ok) return err(refuse(client.error, null));
  const who = `client:${client.value.name}`;
  const groups = groupsOf(client.value);
  if (!groups.ok) return groups;
  const token = decodeIntrospectionRequest(form.value);
  if (!token.ok) return err(refuse(token.error, who));
  const session = await openStanding(deps.standing, token.value, groups.value);
  // Not known is neither yes nor no: whoever asks is to ask again, as a gateway in its place would refuse.
  if (!session.ok && session.error.reason === 'feed_stale') return err(refuse(session.error, who));
  return ok(jsonResponse(200, answerFor(session.ok ? session.value : null)));
}

function groupsOf({ may, name }: Client<StsGrant>): Result<readonly string[], Refusal> {
  if (may.introspect.length > 0) return ok(may.introspect);
  return err(refuse(failure('client_not_permitted', 'this needs may.introspect'), `client:${name}`));
}

/** Without a scope an answer means the whole role: a session that is narrowed otherwise than a scope can say is not told. */
function answerFor(session: CarriedSession | null) {
  if (session === null || session.policy === null) return encodeSessionIntrospection(session, undefined);
  const scope = scopeOf(session.policy);
  return encodeSessionIntrospection(scope === undefined ? null : session, scope);
}
