// What becomes of a ring's keys, and when: pure, so that a test can try every moment. It stores and makes nothing.
import { MAX_CLOCK_SKEW_SECONDS } from '../base/core/limits.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import type { StoredKey } from './store.ts';

/** How long anybody may keep a key set that a server of ours handed out (`max-age`). */
export const KEY_SET_CACHE_SECONDS = 300;
/** The longest between a change of a ring and the last replica that knows of it. */
const REPLICA_LAG_SECONDS = 60;
/** Every cache has met a new key by then, by the clock of the replica that is furthest ahead. */
export const MIN_PUBLISH_SECONDS = KEY_SET_CACHE_SECONDS + REPLICA_LAG_SECONDS + MAX_CLOCK_SKEW_SECONDS;

/** How long the keys of a ring stay in each state. */
export interface KeySchedule {
  /** How long a key signs; null: until somebody activates another. */
  readonly rotateEverySeconds: number | null;
  /** How long a key is published before it signs, at least. */
  readonly publishSeconds: number;
  /** How long a key is published after it signed last. */
  readonly retainSeconds: number;
}

/**
 * How long a key must stay after it was replaced: a lagging replica signs a token of the longest life with it, a verifier accepts that
 * one for as long as skewed clocks allow, and the replica that takes the key away may be ahead as well.
 */
export const retainSecondsFor = (longestLifeSeconds: number): number =>
  longestLifeSeconds + REPLICA_LAG_SECONDS + 2 * MAX_CLOCK_SKEW_SECONDS;

/** What is due at `at`. `prepare` makes a key, `activate` lets it sign in the place of the active one, `expire` takes a retired one away. */
export type KeyStep =
  | { readonly kind: 'prepare'; readonly at: EpochSeconds }
  | { readonly kind: 'activate' | 'expire'; readonly kid: string; readonly at: EpochSeconds };

/** Since when others can have met a published key; null: they cannot yet. */
export type PublishedSince = (key: StoredKey) => EpochSeconds | null;

const sinceItsState: PublishedSince = (key) => key.stateSince;

/** The steps that the ring takes by itself if nobody interferes, of each key the next one. */
export function plannedSteps(
  keys: readonly StoredKey[],
  schedule: KeySchedule,
  publishedSince: PublishedSince = sinceItsState,
): readonly KeyStep[] {
  const { publishSeconds, retainSeconds, rotateEverySeconds } = schedule;
  const steps: KeyStep[] = keys
    .filter((key) => key.state === 'retired')
    .map((key) => ({ kind: 'expire', kid: key.kid, at: key.stateSince + retainSeconds }));
  const active = keys.find((key) => key.state === 'active');
  if (active === undefined || rotateEverySeconds === null) return steps;
  const due = active.stateSince + rotateEverySeconds;
  const next = keys.find((key) => key.state === 'prepared');
  if (next === undefined) return [...steps, { kind: 'prepare', at: due - publishSeconds }];
  const since = publishedSince(next);
  if (since === null) return steps;
  return [...steps, { kind: 'activate', kid: next.kid, at: Math.max(due, since + publishSeconds) }];
}

/** The step that is due longest; undefined: none is. */
export const dueStep = (steps: readonly KeyStep[], now: EpochSeconds): KeyStep | undefined =>
  steps.filter((step) => step.at <= now).sort((one, other) => one.at - other.at)[0];

const enter = (key: StoredKey, state: StoredKey['state'], now: EpochSeconds): StoredKey => ({
  ...key,
  state,
  stateSince: now,
});

/** The ring with the key signing from now on, and the one that did only verifying. Precondition: the key is prepared. */
export const withActivated = (keys: readonly StoredKey[], kid: string, now: EpochSeconds): readonly StoredKey[] =>
  keys.map((key) => {
    if (key.kid === kid) return enter(key, 'active', now);
    return key.state === 'active' ? enter(key, 'retired', now) : key;
  });

/** The ring with the key published no more. Precondition: it does not sign. */
export const withExpired = (keys: readonly StoredKey[], kid: string, now: EpochSeconds): readonly StoredKey[] =>
  keys.map((key) => (key.kid === kid ? enter(key, 'expired', now) : key));

/**
 * The ring without the key, whatever it signed. When it was the active one, the key that was prepared first signs from now on, or else
 * `successor`.
 */
export function withRevoked(
  keys: readonly StoredKey[],
  { kid, successor }: { readonly kid: string; readonly successor: StoredKey },
  now: EpochSeconds,
): readonly StoredKey[] {
  const wasActive = keys.some((key) => key.kid === kid && key.state === 'active');
  const rest = keys.map((key) => (key.kid === kid ? enter(key, 'revoked', now) : key));
  if (!wasActive) return rest;
  const next = rest.find((key) => key.state === 'prepared');
  return next === undefined ? [...rest, enter(successor, 'active', now)] : withActivated(rest, next.kid, now);
}
