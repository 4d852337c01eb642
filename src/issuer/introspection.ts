// RFC 7662 for relying parties: whether a token of this issuer is good now, which no relying party can see from the
// token alone.
import type { Client, IssuerGrant } from '../base/client-auth/client.ts';
import { DEFAULT_CLOCK_SKEW_SECONDS } from '../base/core/limits.ts';
import { failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import { checkTimes } from '../base/jwt/claims.ts';
import { parseJws } from '../base/jwt/jws.ts';
import { verifyJws } from '../base/jwt/verify.ts';
import { type HttpRequest, jsonResponse } from '../base/ports/http.ts';
import { encodeOauthRefusal } from '../base/refusal/oauth.ts';
import { type Refusal, refuse } from '../base/refusal/refusal.ts';
import { parseForm } from '../wire/form.ts';
import {
  type ActiveToken,
  decodeIntrospectionRequest,
  encodeIntrospectionResponse,
} from '../wire/introspection/introspection.ts';
import type { IssuerContext } from './context.ts';
import { ID_TOKEN_TYPE } from './issue-id-token.ts';
import type { Outcome, RouteDefinition } from './route.ts';

export const introspectionRoutes: readonly RouteDefinition[] = [
  { method: 'POST', path: '/v1/introspect', handler: introspect, encode: encodeOauthRefusal },
];

async function introspect(context: IssuerContext, request: HttpRequest): Promise<Outcome> {
  const form = parseForm(request.body);
  if (!form.ok) return err(refuse(form.error, null));
  const client = await asRelyingParty(context, request, form.value);
  if (!client.ok) return client;
  const token = decodeIntrospectionRequest(form.value);
  if (!token.ok) return err(refuse(token.error, `client:${client.value.name}`));
  const active = await findActiveToken(context, token.value, client.value.may.introspect);
  return ok(jsonResponse(200, encodeIntrospectionResponse(active)));
}

async function asRelyingParty(
  context: IssuerContext,
  request: HttpRequest,
  form: ReadonlyMap<string, string>,
): Promise<Result<Client<IssuerGrant>, Refusal>> {
  const client = await context.clients.authenticate(request, form);
  if (!client.ok) return err(refuse(client.error, null));
  if (client.value.may.introspect.length > 0) return client;
  const detail = 'the client may not introspect';
  return err(refuse(failure('client_not_permitted', detail), `client:${client.value.name}`));
}

/**
 * The token as it is now, null for everything that is not: signed by this issuer as an ID token, recorded, unexpired,
 * of a running job, and for one of `audiences`. Why not is told to nobody (RFC 7662 §2.2).
 */
async function findActiveToken(
  context: IssuerContext,
  token: string,
  audiences: readonly string[],
): Promise<ActiveToken | null> {
  const parsed = parseJws(token);
  if (!parsed.ok || parsed.value.header.typ !== ID_TOKEN_TYPE) return null;
  const keys = context.keys.verificationKeys();
  const verified = await verifyJws(parsed.value, keys, { algorithms: keys.map((key) => key.algorithm) });
  const { claims } = parsed.value;
  const { iss, sub, aud, jti } = claims;
  if (!verified.ok || iss !== context.settings.url) return null;
  if (typeof sub !== 'string' || typeof aud !== 'string' || typeof jti !== 'string') return null;
  const nowSeconds = context.clock.nowSeconds();
  // The skew is for `iat`, which another replica may have written; `exp` is ours to keep to the second.
  const times = checkTimes(claims, { nowSeconds, skewSeconds: DEFAULT_CLOCK_SKEW_SECONDS });
  if (!times.ok || times.value.expiresAt <= nowSeconds || !audiences.includes(aud)) return null;
  const { issuedAt, expiresAt } = times.value;
  const issued = await context.store.findToken(jti);
  if (issued === undefined || issued.audience !== aud || issued.expiresAt !== expiresAt) return null;
  const job = await context.store.findJob(issued.jobId);
  if (job === undefined || (await context.ends.settle(job)).endedAt !== null) return null;
  return { issuer: iss, subject: sub, audience: aud, expiresAt, issuedAt, tokenId: jti, jobId: job.id };
}
