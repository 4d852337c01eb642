// One answer to one gateway's poll: what ended, what is permitted, how fresh it is. Signing it is all that is left to do.
import { type Epoch, formatScope } from '../../base/core/epoch.ts';
import type { PermissionSet } from '../../base/core/permissions.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { Clock } from '../../base/ports/clock.ts';
import type { GroupKeys } from '../../keys/group-key.ts';
import type { KeyRing } from '../../keys/ring.ts';
import { wrapForGateway } from '../../keys/wrap.ts';
import type { PolicySet } from '../../policy/policy-set.ts';
import { MAX_ENDED_PER_MESSAGE } from '../../wire/feed/codec.ts';
import { epochsIdOf, NO_EPOCHS_ID } from '../../wire/feed/epochs.ts';
import type { FeedMessage, FeedPoll } from '../../wire/feed/message.ts';
import type { ActivePolicies } from '../policy-reload.ts';
import type { RegisteredGateway } from '../settings.ts';
import type { StsStore } from '../store.ts';
import type { FeedAges } from '../verifier/feed-ages.ts';

export interface FeedDeps {
  readonly stsUrl: string;
  readonly store: Pick<StsStore, 'highWaterMark' | 'identity' | 'listEndedSessions' | 'listEpochs'>;
  readonly policies: Pick<ActivePolicies, 'current' | 'isFresh'>;
  readonly keys: Pick<KeyRing, 'publicJwks' | 'signer'>;
  readonly ages: FeedAges;
  readonly clock: Clock;
  readonly clockSkewSeconds: number;
}

/** A gateway whose group has a key and which has a public key to wrap it to, or several. */
export interface FeedReader {
  readonly gateway: RegisteredGateway;
  /** As the ring is at the moment of looking. */
  readonly groupKeys: { readonly view: GroupKeys };
}

/** What a message says beyond its freshness. */
export interface News {
  readonly store: string;
  readonly ended: FeedMessage['ended'];
  readonly cursor: number;
  readonly more: boolean;
  readonly policies: PolicySet;
  /** Those that can end a session of the group. */
  readonly epochs: readonly Epoch[];
  readonly epochsId: string;
  /** When each issuer was last heard from, read before the ends were: so every end heard of by then is among them. */
  readonly heard: ReturnType<FeedAges['snapshot']>;
}

/** Who asks, and what. */
export interface Asked {
  readonly reader: FeedReader;
  readonly poll: FeedPoll;
}

/**
 * Reads what there is to tell after the poll's cursor, or from the beginning when it counts in another store. Failure:
 * `clock_behind`, because ends may have been forgotten at a time that has not come. Rejects when the store does.
 */
export async function readNews(deps: FeedDeps, { reader, poll }: Asked): Promise<Result<News, Failure>> {
  if (!deps.policies.isFresh()) {
    return err(failure('policies_stale', 'which policies are active could not be learnt for ten seconds'));
  }
  const heard = deps.ages.snapshot();
  const { id: store } = await deps.store.identity();
  const from = poll.store === store ? poll.cursor : 0;
  const limit = MAX_ENDED_PER_MESSAGE;
  const now = deps.clock.nowSeconds();
  const { group } = reader.gateway;
  const found = await deps.store.listEndedSessions(group, from, now, limit + 1);
  const raised = await deps.store.listEpochs();
  // Read after ends and epochs: whoever forgot some of them before has raised the mark.
  const mark = await deps.store.highWaterMark();
  // Written so that a `now` that is no number refuses.
  if (!(now >= mark - deps.clockSkewSeconds)) {
    return err(failure('clock_behind', `the clock is ${mark - now} s behind the latest time acted on`));
  }
  const ended = found.slice(0, limit);
  const policies = deps.policies.current();
  const epochs = epochsOf(raised, policies.permissionsOf(group));
  return ok({
    store,
    ended: ended.map(({ sessionId, expiresAt }) => ({ sessionId, expiresAt })),
    cursor: ended.at(-1)?.sequence ?? from,
    more: found.length > limit,
    policies,
    epochs,
    epochsId: epochsIdOf(epochs),
    heard,
  });
}

/**
 * What a gateway needs to know: it lets no session of a role in that is not in its set, so it is told of no other role or tenant.
 * With the set, the list changes.
 */
function epochsOf(epochs: readonly Epoch[], { roles }: PermissionSet): readonly Epoch[] {
  if (epochs.length === 0) return epochs;
  const names = new Set(roles.flatMap(({ role }) => [`role ${role}`, `tenant ${role.slice(0, role.indexOf('/'))}`]));
  return epochs.filter((epoch) => epoch.scope === 'all' || epoch.scope === 'issuer' || names.has(formatScope(epoch)));
}

/** Whether the gateway must learn something now rather than with the next heartbeat. */
export function isUrgent(news: News, { poll, reader }: Asked): boolean {
  const permissions = news.policies.permissionsOf(reader.gateway.group);
  if (news.ended.length > 0 || news.store !== poll.store) return true;
  if (news.epochsId !== (poll.epochsId ?? NO_EPOCHS_ID)) return true;
  return permissions.id !== poll.permissionSetId || reader.groupKeys.view.id !== poll.groupKeySetId;
}

/** The message; permissions, epochs and group keys are in it when the poll named others. */
export async function composeMessage(deps: FeedDeps, news: News, { poll, reader }: Asked): Promise<FeedMessage> {
  const { gateway } = reader;
  const groupKeys = reader.groupKeys.view;
  const permissions = news.policies.permissionsOf(gateway.group);
  const wrapped = groupKeys.id === poll.groupKeySetId ? undefined : await wrapAll(groupKeys, gateway);
  return {
    issuer: deps.stsUrl,
    gateway: gateway.name,
    group: gateway.group,
    nonce: poll.nonce,
    store: news.store,
    ended: news.ended,
    cursor: news.cursor,
    more: news.more,
    permissionSetId: permissions.id,
    ...(permissions.id === poll.permissionSetId ? {} : { permissions }),
    keys: deps.keys.publicJwks().keys,
    ...(wrapped === undefined ? {} : { groupKeys: { keys: wrapped, activeId: groupKeys.active.id } }),
    groupKeySetId: groupKeys.id,
    ...toldEpochs(news, poll),
    // Last: the ages are those of the moment of signing.
    signedAt: deps.clock.nowSeconds(),
    issuerAgesMs: deps.ages.agesFrom(news.heard),
  };
}

/** A gateway that knows no epochs is told of them only when there are some: it refuses the message then, and every session. */
function toldEpochs({ epochs, epochsId }: News, poll: FeedPoll): Pick<FeedMessage, 'epochs' | 'epochsId'> {
  if (poll.epochsId === epochsId) return { epochsId };
  return poll.epochsId === null && epochs.length === 0 ? {} : { epochsId, epochs };
}

/** Every key of the group for every public key of the gateway. */
const wrapAll = (
  { living }: GroupKeys,
  { publicKeys }: RegisteredGateway,
): Promise<NonNullable<FeedMessage['groupKeys']>['keys']> =>
  Promise.all(
    living.map(async ({ id, key }) => ({
      id,
      wrapped: await Promise.all(publicKeys.map((publicKey) => wrapForGateway(key.reveal(), publicKey))),
    })),
  );
