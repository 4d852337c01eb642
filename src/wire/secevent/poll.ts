// RFC 8936 poll delivery of security events, both directions, with two additions: a poll may carry a `nonce`, which the
// verification event of its answer repeats as `state`, and the name of the `receiver` whose acknowledgements it speaks of.
import { isJsonObject, type JsonObject, type JsonValue, stringMember } from '../../base/core/json.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { isVisibleId } from '../../base/core/visible-id.ts';

/** More events than that wait for the next poll. */
export const MAX_POLL_EVENTS = 100;
const MAX_WORD_CHARS = 64;
const MAX_EVENT_ID_CHARS = 128;
/** Room for the acknowledgement of several answers at once. */
const MAX_ACKNOWLEDGED = 1000;

export interface EventPoll {
  /**
   * Undefined: as many as the transmitter sends at once. 0: only acknowledge (RFC 8936 §2.2). The verification event,
   * which is never queued and needs no acknowledgement, does not count.
   */
  readonly maxEvents: number | undefined;
  /** False: the transmitter may hold the answer back for a moment until there is an event. */
  readonly returnImmediately: boolean;
  /** Ids of events that the receiver has made durable. */
  readonly acknowledged: readonly string[];
  /** Events that the receiver will never accept, and why. */
  readonly errors: readonly { readonly id: string; readonly code: string; readonly description: string }[];
  readonly nonce: string | null;
  /** Which of the client's receivers asks: what one has acknowledged is still told to the others. Null: the client has one. */
  readonly receiver: string | null;
}

/** Signed events by their id. */
export interface EventBatch {
  readonly sets: ReadonlyMap<string, string>;
  /** More are waiting: poll again before trusting the silence. */
  readonly moreAvailable: boolean;
}

/** RFC 8936 §2.2. Unknown members are ignored. Fails with `request_malformed`. */
export function decodePoll(body: JsonObject): Result<EventPoll, Failure> {
  const maxEvents = member(body, 'maxEvents');
  const returnImmediately = member(body, 'returnImmediately') ?? false;
  const acknowledged = member(body, 'ack') ?? [];
  const nonce = member(body, 'nonce') ?? null;
  const receiver = member(body, 'receiver') ?? null;
  const errors = decodeErrors(member(body, 'setErrs') ?? {});
  if (maxEvents !== undefined && !isCount(maxEvents)) return malformed('maxEvents');
  if (typeof returnImmediately !== 'boolean') return malformed('returnImmediately');
  if (!isIdList(acknowledged)) return malformed('ack');
  if (errors === undefined) return malformed('setErrs');
  if (nonce !== null && !isPlainWord(nonce)) return malformed('nonce');
  if (receiver !== null && !isPlainWord(receiver)) return malformed('receiver');
  return ok({ maxEvents, returnImmediately, acknowledged, errors, nonce, receiver });
}

/** The receiver's side. */
export function encodePoll(poll: EventPoll): JsonObject {
  const setErrs = poll.errors.map(({ id, code, description }): [string, JsonObject] => [
    id,
    { err: code, description },
  ]);
  return {
    ...(poll.maxEvents === undefined ? {} : { maxEvents: poll.maxEvents }),
    returnImmediately: poll.returnImmediately,
    ...(poll.acknowledged.length === 0 ? {} : { ack: poll.acknowledged }),
    ...(setErrs.length === 0 ? {} : { setErrs: Object.fromEntries(setErrs) }),
    ...(poll.nonce === null ? {} : { nonce: poll.nonce }),
    ...(poll.receiver === null ? {} : { receiver: poll.receiver }),
  };
}

/** RFC 8936 §2.3. */
export const encodeBatch = (batch: EventBatch): JsonObject => ({
  sets: Object.fromEntries(batch.sets),
  ...(batch.moreAvailable ? { moreAvailable: true } : {}),
});

/** The receiver's side: the signed events of a 200 answer, none of them verified. Fails with `request_malformed`. */
export function decodeBatch(body: JsonObject): Result<EventBatch, Failure> {
  const sets = member(body, 'sets');
  const moreAvailable = member(body, 'moreAvailable') ?? false;
  if (!isJsonObject(sets) || typeof moreAvailable !== 'boolean') return malformed('sets or moreAvailable');
  const events = new Map<string, string>();
  for (const [id, token] of Object.entries(sets)) {
    if (typeof token !== 'string') return malformed('sets');
    events.set(id, token);
  }
  return ok({ sets: events, moreAvailable });
}

function decodeErrors(value: JsonValue): EventPoll['errors'] | undefined {
  if (!isJsonObject(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.length > MAX_ACKNOWLEDGED) return undefined;
  const errors: { id: string; code: string; description: string }[] = [];
  for (const [id, report] of entries) {
    if (!isId(id) || !isJsonObject(report)) return undefined;
    const text = (name: string): string => (stringMember(report, name) ?? '').slice(0, 256);
    errors.push({ id, code: text('err'), description: text('description') });
  }
  return errors;
}

const member = (body: JsonObject, name: string): JsonValue | undefined =>
  Object.hasOwn(body, name) ? body[name] : undefined;
const isCount = (value: JsonValue): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isId = (value: JsonValue): value is string =>
  typeof value === 'string' && value.length <= MAX_EVENT_ID_CHARS && isVisibleId(value);
const isIdList = (value: JsonValue): value is readonly string[] =>
  Array.isArray(value) && value.length <= MAX_ACKNOWLEDGED && value.every(isId);
const isPlainWord = (value: JsonValue): value is string =>
  typeof value === 'string' && value.length <= MAX_WORD_CHARS && /^[\x21-\x7e]+$/.test(value);
const malformed = (detail: string): Result<never, Failure> =>
  err(failure('request_malformed', `event poll: ${detail} is malformed`));
