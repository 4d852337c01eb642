// What operators may do with a key ring, and when it is refused. The change itself is lifecycle.ts's, its storing live-ring.ts's.
import { formatDuration } from '../base/core/duration.ts';
import type { JsonObject } from '../base/core/json.ts';
import { MAX_RING_KEYS } from '../base/core/limits.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import { withActivated, withExpired, withRevoked } from './lifecycle.ts';
import type { RingAction, RingKind, RingPlan } from './live-ring.ts';
import type { StoredKey } from './store.ts';
import { isLiving } from './stored.ts';

/** What an operator asks for. `early`: although somebody who caches, or a token that is alive, will be failed by it. */
interface KeyOrder {
  /** A key's id or its beginning; null: the one that the verb can only mean. */
  readonly kid: string | null;
  readonly early: boolean;
}

/** A verb on a ring of any kind. */
export type KeyVerb = (kind: RingKind<unknown>, order: KeyOrder) => RingPlan;

const refused = (detail: string): Result<never, Failure> => err(failure('key_state_refused', detail));

/** A new key, published from now on. It signs nothing until it is activated. */
const prepare: KeyVerb = (kind) => async (keys, now) => {
  if (keys.filter(isLiving).length >= MAX_RING_KEYS) {
    return refused(`the ring has ${MAX_RING_KEYS} living keys: wait until some of them are gone`);
  }
  const key = await kind.make(now);
  return ok({ keys: [...keys, key], done: doneTo('key.prepare', key.kid) });
};

/** The prepared key signs from now on; the one that did still verifies. */
const activate: KeyVerb =
  ({ publishedSince, schedule }, { early, kid }) =>
  async (keys, now) => {
    const found = kid === null ? firstPrepared(keys) : findKey(keys, kid);
    if (!found.ok) return found;
    const key = found.value;
    if (key.state !== 'prepared')
      return refused(`key ${key.kid} is ${key.state}, and only a prepared one can be activated`);
    const since = publishedSince === undefined ? key.stateSince : publishedSince(key);
    const wait = since === null ? schedule.publishSeconds : since + schedule.publishSeconds - now;
    if (wait > 0 && !early) return refused(tooEarly(key, since === null ? null : now - since, wait));
    const detail: JsonObject = wait > 0 ? { early: true } : {};
    return ok({ keys: withActivated(keys, key.kid, now), done: doneTo('key.activate', key.kid, detail) });
  };

const tooEarly = ({ kid }: StoredKey, publishedFor: number | null, wait: number): string => {
  const published =
    publishedFor === null ? 'its export has not succeeded yet' : `it is published for ${spoken(publishedFor)}`;
  return `key ${kid} may be unknown to verifiers that cache: ${published}, ${spoken(wait)} are missing; --early activates it nevertheless`;
};

/** The key is published no more. Not the active one, and not while something it signed may be alive. */
const retire: KeyVerb =
  ({ schedule }, { early, kid }) =>
  async (keys, now) => {
    const found = kid === null ? refused('which key?') : findKey(keys, kid);
    if (!found.ok) return found;
    const key = found.value;
    if (key.state === 'active') return refused(`key ${key.kid} is the one that signs: activate another one first`);
    if (!isLiving(key)) return refused(`key ${key.kid} is ${key.state} already`);
    const wait = key.state === 'retired' ? key.stateSince + schedule.retainSeconds - now : 0;
    if (wait > 0 && !early) {
      const why = `what key ${key.kid} signed may be alive for another ${spoken(wait)}`;
      return refused(`${why}, and then it goes by itself; --early takes it away nevertheless`);
    }
    const detail: JsonObject = wait > 0 ? { early: true } : {};
    return ok({ keys: withExpired(keys, key.kid, now), done: doneTo('key.retire', key.kid, detail) });
  };

/** The key is gone at once, with everything it signed; another one signs when it was the active one. */
const revoke: KeyVerb =
  (kind, { kid }) =>
  async (keys, now) => {
    const found = kid === null ? refused('which key?') : findKey(keys, kid);
    if (!found.ok) return found;
    const key = found.value;
    if (key.state === 'revoked') return refused(`key ${key.kid} is revoked already`);
    const successor = await kind.make(now);
    const next = withRevoked(keys, { kid: key.kid, successor }, now);
    const signing = next.find(({ state }) => state === 'active')?.kid ?? null;
    return ok({ keys: next, done: doneTo('key.revoke', key.kid, { was: key.state, signing }) });
  };

/** By the words of the command line and the routes. */
export const KEY_VERBS = { prepare, activate, retire, revoke } as const satisfies Record<string, KeyVerb>;

/** As long as nobody can mean another key. */
const MIN_PREFIX_CHARS = 4;

function findKey(keys: readonly StoredKey[], kid: string): Result<StoredKey, Failure> {
  const exact = keys.find((key) => key.kid === kid);
  if (exact !== undefined) return ok(exact);
  const found = kid.length < MIN_PREFIX_CHARS ? [] : keys.filter((key) => key.kid.startsWith(kid));
  const [key] = found;
  if (key !== undefined && found.length === 1) return ok(key);
  return err(failure('key_absent', found.length > 1 ? `several keys begin with ${kid}` : `no key is called ${kid}`));
}

function firstPrepared(keys: readonly StoredKey[]): Result<StoredKey, Failure> {
  const key = keys.find(({ state }) => state === 'prepared');
  return key === undefined ? refused('no key is prepared: jobpass keys prepare makes one') : ok(key);
}

const doneTo = (action: RingAction['action'], kid: string, detail: JsonObject = {}): RingAction => ({
  action,
  kid,
  detail,
});

/** Whole seconds for people; the schedule's seconds are exact. */
const spoken = (seconds: EpochSeconds): string => formatDuration(Math.max(0, seconds));
