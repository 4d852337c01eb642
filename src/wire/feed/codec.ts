// Feed messages and polls to and from the wire. Signing and verifying the message around these claims is not done here.
import * as z from 'zod';
import type { Claims, JsonObject } from '../../base/core/json.ts';
import { MAX_RING_KEYS } from '../../base/core/limits.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { parseQuery } from '../query.ts';
import { encodeEpochs, epochList } from './epochs.ts';
import type { FeedMessage, FeedPoll } from './message.ts';

/** The longest signed message: a permission set of many roles is larger than any token. */
export const MAX_FEED_MESSAGE_BYTES = 4 * 1024 * 1024;
/** Ended sessions in one message; what is left follows with the next poll at once (`more`). */
export const MAX_ENDED_PER_MESSAGE = 1000;

/** Public keys of one gateway; two are valid at once while it changes its key. */
const MAX_GATEWAY_KEYS = 8;

/** The audience of messages for one gateway, so that no other gateway believes them. */
const feedAudience = (gateway: string): string => `urn:jobpass:feed:${gateway}`;

const AUDIENCE_PREFIX = feedAudience('');
const opaque = z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/);
const count = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const text = z.string().min(1).max(2048);

const conditionValue = z.union([z.string().max(2048), z.number(), z.boolean()]);
/** Its form only: whoever compiles the statement refuses operators and keys that it does not know. */
const conditions = z.record(text, z.record(text, z.union([conditionValue, z.array(conditionValue)])));

const permissionSet = z.strictObject({
  id: opaque,
  roles: z.array(
    z.strictObject({
      role: text,
      statements: z.array(
        z.strictObject({
          effect: z.enum(['allow', 'deny']),
          actions: z.array(text),
          resources: z.array(text),
          conditions: conditions.exactOptional(),
          line: count,
        }),
      ),
    }),
  ),
});

const wrappedKey = z.strictObject({
  id: opaque,
  wrapped: z.array(z.string().min(1).max(4096)).min(1).max(MAX_GATEWAY_KEYS),
});

/**
 * Strict: a member that this version does not know may be a reason to refuse, as epochs were, so the whole message
 * is refused and the gateway goes stale instead of overlooking it. Gateways are upgraded before their STS.
 */
const messageSchema = z
  .strictObject({
    iss: text,
    aud: z
      .string()
      .startsWith(AUDIENCE_PREFIX)
      .min(AUDIENCE_PREFIX.length + 1),
    iat: count,
    nonce: opaque,
    group: text,
    store: opaque,
    ended: z.array(z.strictObject({ sid: opaque, exp: count })).max(MAX_ENDED_PER_MESSAGE),
    cursor: count,
    more: z.boolean(),
    epochs_id: opaque.optional(),
    epochs: epochList.optional(),
    issuer_ages_ms: z.record(z.string(), count.nullable()),
    permission_set: opaque,
    permissions: permissionSet.optional(),
    keys: z.array(z.record(z.string(), z.json())).min(1).max(100),
    group_key: wrappedKey.optional(),
    group_keys: z
      .strictObject({ keys: z.array(wrappedKey).min(2).max(MAX_RING_KEYS), active: opaque })
      .refine(({ active, keys }) => keys.some(({ id }) => id === active), 'the active key is not among them')
      .optional(),
    group_key_id: opaque,
  })
  .refine((m) => m.permissions === undefined || m.permissions.id === m.permission_set, 'permissions of another set')
  .refine((m) => m.epochs === undefined || m.epochs_id !== undefined, 'epochs without their id')
  .refine(
    (m) => m.group_key === undefined || (m.group_key.id === m.group_key_id && m.group_keys === undefined),
    'another group key than the named one',
  );

/** The claims of a feed message; they are signed under FEED_TOKEN_TYPE. */
export function encodeFeedMessage(m: FeedMessage): Claims {
  return {
    iss: m.issuer,
    aud: feedAudience(m.gateway),
    iat: m.signedAt,
    nonce: m.nonce,
    group: m.group,
    store: m.store,
    ended: m.ended.map((end) => ({ sid: end.sessionId, exp: end.expiresAt })),
    cursor: m.cursor,
    more: m.more,
    ...(m.epochsId === undefined ? {} : { epochs_id: m.epochsId }),
    ...(m.epochs === undefined ? {} : { epochs: encodeEpochs(m.epochs) }),
    issuer_ages_ms: m.issuerAgesMs,
    permission_set: m.permissionSetId,
    ...(m.permissions === undefined ? {} : { permissions: encodePermissions(m.permissions) }),
    keys: m.keys,
    ...encodeGroupKeys(m.groupKeys),
    group_key_id: m.groupKeySetId,
  };
}

/** One key alone stands as it did before a group could have several, and is named by its own id. */
function encodeGroupKeys(groupKeys: FeedMessage['groupKeys']): JsonObject {
  const [only, ...others] = groupKeys?.keys ?? [];
  if (groupKeys === undefined || only === undefined) return {};
  if (others.length === 0) return { group_key: { id: only.id, wrapped: only.wrapped } };
  const keys = groupKeys.keys.map(({ id, wrapped }) => ({ id, wrapped }));
  return { group_keys: { keys, active: groupKeys.activeId } };
}

function decodeGroupKeys(m: z.infer<typeof messageSchema>): Pick<FeedMessage, 'groupKeys'> {
  if (m.group_key !== undefined) return { groupKeys: { keys: [m.group_key], activeId: m.group_key.id } };
  return m.group_keys === undefined ? {} : { groupKeys: { keys: m.group_keys.keys, activeId: m.group_keys.active } };
}

const encodePermissions = (set: NonNullable<FeedMessage['permissions']>): JsonObject => ({
  id: set.id,
  roles: set.roles.map((role) => ({
    role: role.role,
    statements: role.statements.map((s) => ({
      effect: s.effect,
      actions: s.actions,
      resources: s.resources,
      line: s.line,
      ...(s.conditions === undefined ? {} : { conditions: s.conditions }),
    })),
  })),
});

/**
 * The message in claims whose signature and `typ` the caller verified. The caller still compares issuer, gateway, group
 * and nonce with its own. Errors: claim_malformed.
 */
export function decodeFeedMessage(claims: Claims): Result<FeedMessage, Failure> {
  const parsed = messageSchema.safeParse(claims);
  if (!parsed.success) return err(failure('claim_malformed', `feed message: ${firstIssue(parsed.error)}`));
  const m = parsed.data;
  return ok({
    issuer: m.iss,
    gateway: m.aud.slice(AUDIENCE_PREFIX.length),
    group: m.group,
    store: m.store,
    signedAt: m.iat,
    nonce: m.nonce,
    ended: m.ended.map((end) => ({ sessionId: end.sid, expiresAt: end.exp })),
    cursor: m.cursor,
    more: m.more,
    ...(m.epochs_id === undefined ? {} : { epochsId: m.epochs_id }),
    ...(m.epochs === undefined ? {} : { epochs: m.epochs }),
    issuerAgesMs: m.issuer_ages_ms,
    permissionSetId: m.permission_set,
    ...(m.permissions === undefined ? {} : { permissions: m.permissions }),
    keys: m.keys as readonly JsonObject[],
    ...decodeGroupKeys(m),
    groupKeySetId: m.group_key_id,
  });
}

const firstIssue = (error: z.ZodError): string => {
  const issue = error.issues[0];
  return issue === undefined ? 'malformed' : `${issue.path.map(String).join('.') || 'message'}: ${issue.message}`;
};

const pollSchema = z.object({
  nonce: z.string().regex(/^[A-Za-z0-9_-]{16,128}$/),
  cursor: z
    .string()
    .regex(/^(0|[1-9][0-9]{0,15})$/)
    .transform(Number)
    .pipe(count),
  store: opaque.optional(),
  permissions: opaque.optional(),
  group_key: opaque.optional(),
  epochs: opaque.optional(),
});

/** The query string, without "?", of one poll. */
export function feedPollQuery(poll: FeedPoll): string {
  const query = new URLSearchParams({ nonce: poll.nonce, cursor: String(poll.cursor) });
  if (poll.store !== null) query.set('store', poll.store);
  if (poll.permissionSetId !== null) query.set('permissions', poll.permissionSetId);
  if (poll.groupKeySetId !== null) query.set('group_key', poll.groupKeySetId);
  if (poll.epochsId !== null) query.set('epochs', poll.epochsId);
  return query.toString();
}

/** The poll in a raw query string; unknown parameters are ignored, repeated ones refused. Errors: request_malformed. */
export function parseFeedPoll(query: string): Result<FeedPoll, Failure> {
  const parameters = parseQuery(query);
  if (!parameters.ok) return parameters;
  if ([...parameters.value.values()].some((values) => values.length > 1)) {
    return err(failure('request_malformed', 'a parameter of the feed poll stands twice'));
  }
  const parsed = pollSchema.safeParse(
    Object.fromEntries([...parameters.value].map(([name, [value]]) => [name, value])),
  );
  if (!parsed.success) return err(failure('request_malformed', `feed poll: ${firstIssue(parsed.error)}`));
  return ok({
    nonce: parsed.data.nonce,
    cursor: parsed.data.cursor,
    store: parsed.data.store ?? null,
    permissionSetId: parsed.data.permissions ?? null,
    groupKeySetId: parsed.data.group_key ?? null,
    epochsId: parsed.data.epochs ?? null,
  });
}
