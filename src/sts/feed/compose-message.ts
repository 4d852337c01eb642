// One answer to one gateway's poll: what ended, what is permitted, how fresh it is. Signing it is all that is left to do.
import type { JsonObject } from '../../base/core/json.ts';
import type { Secret } from '../../base/core/secret.ts';
import type { Clock } from '../../base/ports/clock.ts';
import type { KeyRing } from '../../keys/ring.ts';
import { wrapForGateway } from '../../keys/wrap.ts';
import type { PolicySet } from '../../policy/policy-set.ts';
import { MAX_ENDED_PER_MESSAGE } from '../../wire/feed/codec.ts';
import type { FeedMessage, FeedPoll } from '../../wire/feed/message.ts';
import type { RegisteredGateway } from '../settings.ts';
import type { StsStore } from '../store.ts';
import type { FeedAges } from '../verifier/feed-ages.ts';

export interface FeedDeps {
  readonly stsUrl: string;
  readonly store: Pick<StsStore, 'listEndedSessions'>;
  readonly policies: { current(): PolicySet };
  readonly keys: Pick<KeyRing, 'publicJwks' | 'signer'>;
  readonly groupKeys: ReadonlyMap<string, { readonly id: string; readonly key: Secret<Uint8Array> }>;
  readonly ages: FeedAges;
  readonly clock: Clock;
}

/** A gateway whose group has a key and which has a public key to wrap it to. */
export interface FeedReader {
  readonly gateway: RegisteredGateway;
  readonly publicKey: JsonObject;
  readonly groupKey: { readonly id: string; readonly key: Secret<Uint8Array> };
}

/** What a message says beyond its freshness. */
export interface News {
  readonly ended: FeedMessage['ended'];
  readonly cursor: number;
  readonly more: boolean;
  readonly policies: PolicySet;
  /** When each issuer was last heard from, read before the ends were: so every end heard of by then is among them. */
  readonly heard: ReturnType<FeedAges['snapshot']>;
}

/** Reads what there is to tell after the poll's cursor. Rejects when the store does. */
export async function readNews(deps: FeedDeps, poll: FeedPoll): Promise<News> {
  const heard = deps.ages.snapshot();
  const limit = MAX_ENDED_PER_MESSAGE;
  const found = await deps.store.listEndedSessions(poll.cursor, deps.clock.nowSeconds(), limit + 1);
  const ended = found.slice(0, limit);
  return {
    ended: ended.map(({ sessionId, expiresAt }) => ({ sessionId, expiresAt })),
    cursor: ended.at(-1)?.sequence ?? poll.cursor,
    more: found.length > limit,
    policies: deps.policies.current(),
    heard,
  };
}

/** Whether the gateway must learn something now rather than with the next heartbeat. */
export function isUrgent(news: News, o: { readonly reader: FeedReader; readonly poll: FeedPoll }): boolean {
  const { poll, reader } = o;
  const permissions = news.policies.permissionsOf(reader.gateway.group);
  return news.ended.length > 0 || permissions.id !== poll.permissionSetId || reader.groupKey.id !== poll.groupKeyId;
}

/** The message; permissions and group key are in it when the poll named others. */
export async function composeMessage(
  deps: FeedDeps,
  news: News,
  o: { readonly reader: FeedReader; readonly poll: FeedPoll },
): Promise<FeedMessage> {
  const { poll, reader } = o;
  const { gateway, groupKey } = reader;
  const permissions = news.policies.permissionsOf(gateway.group);
  const wrapped =
    groupKey.id === poll.groupKeyId ? undefined : await wrapForGateway(groupKey.key.reveal(), reader.publicKey);
  return {
    issuer: deps.stsUrl,
    gateway: gateway.name,
    group: gateway.group,
    nonce: poll.nonce,
    ended: news.ended,
    cursor: news.cursor,
    more: news.more,
    permissionSetId: permissions.id,
    ...(permissions.id === poll.permissionSetId ? {} : { permissions }),
    keys: deps.keys.publicJwks().keys,
    ...(wrapped === undefined ? {} : { groupKey: { id: groupKey.id, wrapped } }),
    groupKeyId: groupKey.id,
    // Last: the ages are those of the moment of signing.
    signedAt: deps.clock.nowSeconds(),
    issuerAgesMs: deps.ages.agesFrom(news.heard),
  };
}
