// GET /v1/feed: the long poll by which a gateway keeps fresh. Answers at once when there is news, else with a heartbeat.
import type { ClientRegistry } from '../../base/client-auth/authenticate.ts';
import type { StsGrant } from '../../base/client-auth/client.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { assembleJws } from '../../base/jwt/assemble.ts';
import type { HttpRequest, HttpResponse, Route } from '../../base/ports/http.ts';
import { withOnePatience } from '../../base/ports/patience.ts';
import type { RefusalDesk } from '../../base/refusal/desk.ts';
import { type Refusal, refuse } from '../../base/refusal/refusal.ts';
import { answeringRoute } from '../../base/refusal/route.ts';
import { encodeFeedMessage, MAX_FEED_MESSAGE_BYTES, parseFeedPoll } from '../../wire/feed/codec.ts';
import { FEED_TOKEN_TYPE } from '../../wire/feed/message.ts';
import type { RegisteredGateway } from '../settings.ts';
import type { Signal } from '../signal.ts';
import { type Asked, composeMessage, type FeedDeps, type FeedReader, isUrgent, readNews } from './compose-message.ts';

/** A heartbeat each second (design, section 3). */
const HOLD_MS = 1000;

export interface FeedRouteDeps extends FeedDeps {
  readonly clients: ClientRegistry<StsGrant>;
  readonly gateways: readonly RegisteredGateway[];
  /** By group. */
  readonly groupKeys: ReadonlyMap<string, FeedReader['groupKeys']>;
  readonly refusals: RefusalDesk;
  /** Notified when sessions ended or policies changed. */
  readonly news: Signal;
  /** Told when a gateway's poll was answered. */
  readonly onAnswered?: (gateway: string) => void;
}

/** The body is one compact JWS of type FEED_TOKEN_TYPE, for this gateway and this poll alone. */
export const feedRoute = (deps: FeedRouteDeps): Route =>
  answeringRoute(deps.refusals, {
    method: 'GET',
    path: '/v1/feed',
    handler: async (request) => {
      const reader = await authenticateReader(deps, request);
      if (!reader.ok) return reader;
      const poll = parseFeedPoll(request.query);
      if (!poll.ok) return err(refuse(poll.error, `gateway:${reader.value.gateway.name}`));
      const answered = await answer(deps, { reader: reader.value, poll: poll.value }, request.signal);
      if (!answered.ok) return err(refuse(answered.error, `gateway:${reader.value.gateway.name}`));
      deps.onAnswered?.(reader.value.gateway.name);
      return answered;
    },
  });

async function answer(deps: FeedRouteDeps, asked: Asked, signal: AbortSignal): Promise<Result<HttpResponse, Failure>> {
  // Listening begins before reading, so that nothing can happen unheard in between.
  const stop = new AbortController();
  const changed = deps.news.wait(HOLD_MS, AbortSignal.any([signal, stop.signal]));
  let news = await readNews(deps, asked);
  if (!news.ok || isUrgent(news.value, asked)) stop.abort();
  else {
    await changed;
    // Nobody was kept waiting by the store meanwhile.
    news = await withOnePatience(() => readNews(deps, asked));
  }
  if (!news.ok) return news;
  const message = await composeMessage(deps, news.value, asked);
  const header = { typ: FEED_TOKEN_TYPE, maxBytes: MAX_FEED_MESSAGE_BYTES };
  const body = await assembleJws(header, encodeFeedMessage(message), deps.keys.signer());
  const headers = { 'content-type': 'application/jwt', 'cache-control': 'no-store' };
  return ok({ status: 200, headers, body });
}

async function authenticateReader(deps: FeedRouteDeps, request: HttpRequest): Promise<Result<FeedReader, Refusal>> {
  const client = await deps.clients.authenticate(request);
  if (!client.ok) return err(refuse(client.error, null));
  const who = `client:${client.value.name}`;
  const gateway = deps.gateways.find((known) => known.name === client.value.may.feed);
  if (gateway === undefined) {
    return err(refuse(failure('client_not_permitted', `${client.value.name} may read no feed`), who));
  }
  const groupKeys = deps.groupKeys.get(gateway.group);
  if (groupKeys === undefined || gateway.publicKeys.length === 0) {
    const detail = `gateway ${gateway.name} has no key to wrap to, or its group has none`;
    return err(refuse(failure('internal_failure', detail), who));
  }
  return ok({ gateway, groupKeys });
}
