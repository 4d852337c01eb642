// POST /revoke: RFC 7009. Ends the session that a credential carries, in the store, so that every gateway hears of it by its feed.
import { newAction } from '../../base/audit/new-action.ts';
import type { ClientRegistry } from '../../base/client-auth/authenticate.ts';
import type { Client, StsGrant } from '../../base/client-auth/client.ts';
import { presentsClient } from '../../base/client-auth/presented.ts';
import { parseRoleRef } from '../../base/core/decision.ts';
import { failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { openAccessToken } from '../../base/credential/access-token.ts';
import { openAwsSessionToken } from '../../base/credential/aws-session.ts';
import { openFederatedToken } from '../../base/credential/federated-token.ts';
import type { Clock } from '../../base/ports/clock.ts';
import type { HttpRequest, HttpResponse, Route } from '../../base/ports/http.ts';
import type { Log } from '../../base/ports/log.ts';
import type { Random } from '../../base/ports/random.ts';
import type { RefusalDesk } from '../../base/refusal/desk.ts';
import { encodeOauthRefusal } from '../../base/refusal/oauth.ts';
import { type Refusal, refuse } from '../../base/refusal/refusal.ts';
import { answeringRoute, type Outcome } from '../../base/refusal/route.ts';
import { readForm } from '../../wire/form.ts';
import { type OwnCredentials, openOptions } from '../own-credentials.ts';
import type { Signal } from '../signal.ts';
import type { StsStore } from '../store.ts';

export interface RevokeDeps {
  readonly credentials: OwnCredentials;
  /** Every group whose sessions there are. */
  readonly groups: readonly string[];
  readonly store: Pick<StsStore, 'endSession'>;
  readonly clients: ClientRegistry<StsGrant>;
  readonly refusals: RefusalDesk;
  /** Notified when a session ended. */
  readonly news: Signal;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Whoever holds an access token, or the token of a session without a role yet, may end its session: who could use it up may also
 * give it back, and who finds one should. A client with `may.revoke` also ends sessions of AWS clients, whose session token is seen
 * by more than may use it; and it is bound to its tenants, also for tokens that it holds.
 */
export const revokeRoute = (deps: RevokeDeps): Route =>
  answeringRoute(deps.refusals, {
    method: 'POST',
    path: '/revoke',
    encode: encodeOauthRefusal,
    handler: (request) => revoke(deps, request),
  });

async function revoke(deps: RevokeDeps, request: HttpRequest): Promise<Outcome> {
  const form = readForm(request);
  if (!form.ok) return err(refuse(form.error, null));
  const client = presentsClient(request, form.value) ? await authenticated(deps, request, form.value) : ok(null);
  if (!client.ok) return client;
  const token = form.value.get('token') ?? '';
  if (token === '') return err(refuse(failure('request_malformed', 'the token parameter is missing'), null));
  const session = await sessionOf(deps, token, client.value);
  // RFC 7009 §2.2: a token that is not good is as revoked as its holder can wish.
  if (session === undefined) return ok(DONE);
  const foreign = client.value === null ? undefined : beyond(client.value, session);
  if (foreign !== undefined) return err(foreign);
  await end(deps, session, { by: client.value, remoteAddress: request.remoteAddress });
  return ok(DONE);
}

const DONE: HttpResponse = { status: 200, headers: { 'cache-control': 'no-store' }, body: '' };

async function authenticated(
  deps: RevokeDeps,
  request: HttpRequest,
  form: ReadonlyMap<string, string>,
): Promise<Result<Client<StsGrant>, Refusal>> {
  const client = await deps.clients.authenticate(request, form);
  if (!client.ok) return err(refuse(client.error, null));
  if (client.value.may.revoke.length > 0) return client;
  return err(refuse(failure('client_not_permitted', 'this needs may.revoke'), `client:${client.value.name}`));
}

/** What a credential says of its session. */
interface Carried {
  readonly sessionId: string;
  /** `tenant/name`; null while the session has no role yet. */
  readonly role: string | null;
}

/** The session that the token carries, whatever became of it; undefined for anything that this STS did not sign. */
async function sessionOf(
  { credentials, groups }: RevokeDeps,
  token: string,
  client: Client<StsGrant> | null,
): Promise<Carried | undefined> {
  const options = openOptions(credentials, groups);
  const opened = await openAccessToken(token, options);
  if (opened.ok) return opened.value.session;
  const federated = await openFederatedToken(token, options);
  if (federated.ok) return { sessionId: federated.value.sessionId, role: null };
  if (client === null) return undefined;
  const aws = await openAwsSessionToken(token, options);
  return aws.ok ? aws.value.aws.session : undefined;
}

/** RFC 7009 §2.1: whose token it is not is told so; the token says itself whose it is, so that tells nothing. */
function beyond({ may, name }: Client<StsGrant>, { role }: Carried): Refusal | undefined {
  const tenant = parseRoleRef(role ?? '')?.tenant;
  if (tenant !== undefined && may.revoke.includes(tenant)) return undefined;
  return refuse(
    failure('client_not_permitted', `may.revoke has not the tenant of ${role ?? 'a session without a role'}`),
    `client:${name}`,
  );
}

/** Who revokes, and from where. */
interface Revoker {
  readonly by: Client<StsGrant> | null;
  readonly remoteAddress: string;
}

async function end(deps: RevokeDeps, { role, sessionId: session }: Carried, o: Revoker): Promise<void> {
  const { log, news, store } = deps;
  const record = newAction(deps, {
    actor: o.by === null ? { kind: 'bearer', name: session } : { kind: 'client', name: o.by.name },
    action: 'token.revoke',
    tenant: parseRoleRef(role ?? '')?.tenant ?? null,
    target: session,
    detail: { role, remoteAddress: o.remoteAddress },
  });
  const ended = await store.endSession(session, record);
  if (ended === undefined) return;
  news.notify();
  const by = o.by === null ? 'its bearer' : `client:${o.by.name}`;
  log.info({ session, role, by, remoteAddress: o.remoteAddress }, 'session revoked');
}
