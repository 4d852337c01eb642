// Tells relying parties that jobs are over (RFC 8936 poll, CAEP session-revoked), and proves with every answer that it
// would have.
import type { Client, IssuerGrant } from '../base/client-auth/client.ts';
import { ID_RANDOM_BYTES, newId } from '../base/core/ids.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import { parseJsonObject } from '../base/json/parse.ts';
import { assembleJws } from '../base/jwt/assemble.ts';
import { type HttpRequest, jsonResponse } from '../base/ports/http.ts';
import { withOnePatience } from '../base/ports/patience.ts';
import { type Refusal, refuse } from '../base/refusal/refusal.ts';
import { encodeSecurityEvent, SECURITY_EVENT_TYPE, type SecurityEvent } from '../wire/secevent/event.ts';
import { decodePoll, type EventPoll, encodeBatch, MAX_POLL_EVENTS } from '../wire/secevent/poll.ts';
import type { IssuerContext } from './context.ts';
import type { EventBell } from './event-bell.ts';
import type { Outcome, RouteDefinition } from './route.ts';
import type { EventReader, JobEndedEvent } from './store.ts';

/**
 * How long an answer may be held back. Receivers count freshness from when they asked, so it must stay well below 10 s.
 */
const LONG_POLL_MS = 1000;
/** The sweeper ends jobs once a second, and clocks count whole seconds. */
const SWEEPER_GRACE_SECONDS = 2;

/** The poll route; `bell` is rung after each durable end of a job. */
export const eventRoutes = (bell: EventBell): readonly RouteDefinition[] => [
  { method: 'POST', path: '/v1/events/poll', handler: (context, request) => poll(context, request, bell) },
];

async function poll(context: IssuerContext, request: HttpRequest, bell: EventBell): Promise<Outcome> {
  const client = await asReceiver(context, request);
  if (!client.ok) return client;
  const { name, may } = client.value;
  const asked = readPoll(request, `client:${name}`);
  if (!asked.ok) return asked;
  const reader = { client: name, receiver: asked.value.receiver ?? '' };
  await settleDelivered(context, reader, asked.value);
  if (asked.value.maxEvents === 0) return ok(jsonResponse(200, encodeBatch({ sets: new Map(), moreAvailable: false })));
  const limit = Math.min(asked.value.maxEvents ?? MAX_POLL_EVENTS, MAX_POLL_EVENTS);
  const audience = { reader, audiences: may.events, limit };
  const found = await collect(context, audience, { poll: asked.value, bell, signal: request.signal });
  if (!found.ok) return found;
  const { asOf, events, knownSince } = found.value;
  const sets = await signEvents(context, [
    ...events.slice(0, limit).map((event) => jobEnded(context, name, event)),
    verification(context, audience, { issuedAt: asOf, state: asked.value.nonce, knownSince }),
  ]);
  return ok(jsonResponse(200, encodeBatch({ sets, moreAvailable: events.length > limit })));
}

async function asReceiver(context: IssuerContext, request: HttpRequest): Promise<Result<Client<IssuerGrant>, Refusal>> {
  const client = await context.clients.authenticate(request);
  if (!client.ok) return err(refuse(client.error, null));
  if (client.value.may.events.length > 0) return client;
  const detail = 'the client may not hear events';
  return err(refuse(failure('client_not_permitted', detail), `client:${client.value.name}`));
}

function readPoll(request: HttpRequest, who: string): Result<EventPoll, Refusal> {
  const body = parseJsonObject(request.body);
  if (!body.ok) return err(refuse(failure('request_malformed', `body: ${body.error.problem}`), who));
  const asked = decodePoll(body.value);
  return asked.ok ? asked : err(refuse(asked.error, who));
}

/**
 * RFC 8936 §2.4: an event that the receiver reports as unacceptable is not sent again, or it would stand in the way of
 * all others; the operator reads of it, because a job's end may have been lost.
 */
async function settleDelivered(context: IssuerContext, reader: EventReader, asked: EventPoll): Promise<void> {
  for (const { id, code, description } of asked.errors) {
    context.log.error({ ...reader, event: id, code, description }, 'a receiver cannot accept an event');
  }
  const settled = [...asked.acknowledged, ...asked.errors.map(({ id }) => id)];
  if (settled.length > 0) await context.store.acknowledgeEvents(reader, settled);
}

interface Audience {
  readonly reader: EventReader;
  readonly audiences: readonly string[];
  readonly limit: number;
}

interface Collected {
  readonly asOf: EpochSeconds;
  readonly events: readonly JobEndedEvent[];
  readonly knownSince: EpochSeconds | null;
}

/**
 * The waiting events and the time at which they were all there were: taken before the read, so that it never claims too
 * much. Refused while a job that is over cannot be ended: then there is an end that nobody can be told.
 */
async function collect(
  context: IssuerContext,
  audience: Audience,
  waiting: { readonly poll: EventPoll; readonly bell: EventBell; readonly signal: AbortSignal },
): Promise<Result<Collected, Refusal>> {
  const { clock } = context;
  const ear = waiting.bell.listen();
  const until = clock.monotonicMs() + LONG_POLL_MS;
  let waits = !waiting.poll.returnImmediately;
  try {
    for (;;) {
      // The time for which nothing was to be told is not the store's.
      const found = await withOnePatience(() => look(context, audience));
      const left = until - clock.monotonicMs();
      if (!found.ok || found.value.events.length > 0 || !waits || left <= 0) return found;
      waits = (await ear.wait(left, waiting.signal)) === 'rung';
    }
  } finally {
    ear.stop();
  }
}

async function look(context: IssuerContext, audience: Audience): Promise<Result<Collected, Refusal>> {
  const { clock, store, storeWatch } = context;
  const asOf = clock.nowSeconds();
  const durable = await endOverdue(context, asOf);
  if (!durable.ok) return err(refuse(durable.error, `client:${audience.reader.client}`));
  const events = await store.listEvents(audience.reader, audience.audiences, audience.limit + 1);
  // Read after the events: of two stores, what was read of the former is not told in the name of the latter.
  const { at: knownSince } = await store.beginning();
  if (storeWatch?.isSettled === false) return err(refuse(notSettled(), `client:${audience.reader.client}`));
  return ok({ asOf, events, knownSince });
}

const notSettled = (): Failure =>
  failure('store_unavailable', 'the store may be another one than was known: it begins anew first');

/** Sees to it that what was over by `asOf` has been ended durably, but for what the sweeper is about to end. */
async function endOverdue(context: IssuerContext, asOf: EpochSeconds): Promise<Result<null, Failure>> {
  const isOverdue = async (): Promise<boolean> =>
    (await context.store.listOverdueJobs(asOf - SWEEPER_GRACE_SECONDS, 1)).length > 0;
  if (!(await isOverdue())) return ok(null);
  try {
    await context.ends.sweep();
  } catch (cause) {
    return err(failure('store_unavailable', `jobs that are over cannot be ended: ${String(cause)}`));
  }
  return (await isOverdue()) ? err(failure('store_unavailable', 'jobs that are over are still to be ended')) : ok(null);
}

const jobEnded = (context: IssuerContext, client: string, event: JobEndedEvent): SecurityEvent => ({
  kind: 'job_ended',
  issuer: context.settings.url,
  audience: client,
  id: event.id,
  // The time of the event, not of this delivery: sent again, it is the same token.
  issuedAt: event.endedAt,
  jobId: event.jobId,
  endedAt: event.endedAt,
  cause: event.reason,
});

const verification = (
  context: IssuerContext,
  { reader, audiences }: Audience,
  proof: { readonly issuedAt: EpochSeconds; readonly state: string | null; readonly knownSince: EpochSeconds | null },
): SecurityEvent => ({
  kind: 'verification',
  issuer: context.settings.url,
  audience: reader.client,
  audiences,
  id: newId('E', context.random.bytes(ID_RANDOM_BYTES)),
  ...proof,
});

async function signEvents(
  context: IssuerContext,
  events: readonly SecurityEvent[],
): Promise<ReadonlyMap<string, string>> {
  const signer = context.keys.signer();
  const sign = async (event: SecurityEvent): Promise<[string, string]> => [
    event.id,
    await assembleJws({ typ: SECURITY_EVENT_TYPE }, encodeSecurityEvent(event), signer),
  ];
  return new Map(await Promise.all(events.map(sign)));
}
