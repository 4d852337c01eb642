// Listens to the STS: polls the feed, believes only what is signed for this very poll, and hands it to the state.
// It decides about no request; what is stale is the state's to say.
import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_STALENESS_MS } from '../base/core/limits.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import { Secret } from '../base/core/secret.ts';
import { encodeBase64url } from '../base/jwt/base64url.ts';
import { importKeySet, type VerificationKey } from '../base/jwt/jwk.ts';
import { type ParsedJws, parseJws } from '../base/jwt/jws.ts';
import { checkType } from '../base/jwt/token-type.ts';
import { verifyJws } from '../base/jwt/verify.ts';
import { type Clock, type Moment, momentOf } from '../base/ports/clock.ts';
import type { GuardedFetch } from '../base/ports/fetch.ts';
import type { Log } from '../base/ports/log.ts';
import type { Random } from '../base/ports/random.ts';
import type { SigningAlgorithm } from '../base/ports/signer.ts';
import { type GroupKey, GroupKeys } from '../keys/group-key.ts';
import { basicAuthorization } from '../wire/authorization.ts';
import { decodeFeedMessage, feedPollQuery, MAX_FEED_MESSAGE_BYTES } from '../wire/feed/codec.ts';
import { FEED_TOKEN_TYPE, type FeedMessage } from '../wire/feed/message.ts';
import type { FeedState } from './feed-state.ts';
import type { GatewaySettings } from './settings.ts';
import { findStsKeys, usable } from './sts-keys.ts';

/** The STS holds a poll for about a second; what takes longer than this will not be fresh when it comes. */
const POLL_TIMEOUT_MS = 5000;
/** Between the starts of two polls, should the STS answer at once. */
const MIN_POLL_INTERVAL_MS = 200;
/** After failures: quick enough to be fresh again soon after the STS is. */
const RETRY_MS = [250, 500, 1000, 2000] as const;
const NONCE_BYTES = 24;
/** What our own key rings sign with. */
const ALGORITHMS: readonly SigningAlgorithm[] = ['ES256', 'EdDSA', 'RS256'];

/** The gateway's key, as far as the feed needs it. */
export interface Unwrapper {
  unwrap(jwe: string): Promise<Result<Uint8Array, Failure>>;
}

export interface FeedClientDependencies {
  readonly settings: GatewaySettings;
  readonly key: Unwrapper;
  readonly fetch: GuardedFetch;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly state: FeedState;
  /** Called after each message that was taken in. */
  readonly onMessage: () => void;
}

/** The feed's polling loop and the keys it learns. */
export class FeedClient {
  readonly #d: FeedClientDependencies;
  readonly #stop = new AbortController();
  /** Null: unknown, or the known ones did not sign the last message. */
  #stsKeys: readonly VerificationKey[] | null = null;
  #groupKeys: GroupKeys | null = null;
  #wantedGroupKeySetId: string | null = null;
  #unwrapFailedFor: string | null = null;
  #lastProblem: string | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(dependencies: FeedClientDependencies) {
    this.#d = dependencies;
  }

  /** Fresh, and in possession of the group's keys that the STS uses. */
  ready(): boolean {
    const isFresh = this.#d.state.feedAgeMs() <= MAX_STALENESS_MS;
    return isFresh && this.#groupKeys !== null && this.#groupKeys.id === this.#wantedGroupKeySetId;
  }

  /** The keys that credentials of this group are derived with; null until the STS has delivered them. A key that stays is the same object. */
  groupKeys(): GroupKeys | null {
    return this.ready() ? this.#groupKeys : null;
  }

  /** Polls until `close`. Calling it twice is a mistake of the caller's. */
  start(): void {
    this.#running = this.#run();
  }

  /** Ends the loop and waits for it. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /**
   * One poll. On success the state holds what the message said; `more` asks for the next poll at once. Failures change
   * nothing but the keys to check with; their reason is for the log.
   */
  async poll(): Promise<Result<{ readonly more: boolean }, Failure>> {
    const keys = await this.#keysToCheckWith();
    if (!keys.ok) return keys;
    const nonce = encodeBase64url(this.#d.random.bytes(NONCE_BYTES));
    const sentAt = momentOf(this.#d.clock);
    const answer = await this.#ask(nonce);
    if (!answer.ok) return answer;
    const message = await this.#verify(answer.value, keys.value, nonce);
    return message.ok ? this.#take(message.value, sentAt) : message;
  }

  async #keysToCheckWith(): Promise<Result<readonly VerificationKey[], Failure>> {
    if (this.#stsKeys !== null) return ok(this.#stsKeys);
    const found = await findStsKeys(this.#d.settings.sts, this.#d.fetch);
    if (found.ok) this.#stsKeys = found.value;
    return found;
  }

  async #ask(nonce: string): Promise<Result<ParsedJws, Failure>> {
    const { sts } = this.#d.settings;
    const query = feedPollQuery({ nonce, ...this.#d.state.position(), groupKeySetId: this.#groupKeys?.id ?? null });
    const answer = await this.#d.fetch({
      url: `${sts.url}/v1/feed?${query}`,
      method: 'GET',
      headers: { authorization: basicAuthorization(sts.client, sts.secret) },
      network: sts.network,
      maxBytes: MAX_FEED_MESSAGE_BYTES,
      timeoutMs: POLL_TIMEOUT_MS,
      signal: this.#stop.signal,
    });
    if (!answer.ok) return err(failure('feed_stale', `feed of the STS: ${answer.error.kind}, ${answer.error.detail}`));
    const { status, body } = answer.value;
    if (status === 401 || status === 403) {
      return err(failure('client_unknown', `the STS refuses the client ${sts.client} with status ${status}`));
    }
    if (status !== 200) return err(failure('feed_stale', `feed of the STS: status ${status}`));
    return parseJws(new TextDecoder().decode(body), { maxBytes: MAX_FEED_MESSAGE_BYTES });
  }

  async #verify(
    jws: ParsedJws,
    keys: readonly VerificationKey[],
    nonce: string,
  ): Promise<Result<FeedMessage, Failure>> {
    const type = checkType(jws.header, FEED_TOKEN_TYPE);
    if (!type.ok) return type;
    const signature = await verifyJws(jws, keys, { algorithms: ALGORITHMS });
    if (!signature.ok) {
      // The STS may have changed its keys while we could not hear it: look at its JWKS before the next poll.
      this.#stsKeys = null;
      return signature;
    }
    const decoded = decodeFeedMessage(jws.claims);
    if (!decoded.ok) return decoded;
    const problem = this.#misaddressed(decoded.value, nonce);
    return problem === undefined ? decoded : err(problem);
  }

  #misaddressed(message: FeedMessage, nonce: string): Failure | undefined {
    const { settings, clock } = this.#d;
    if (message.issuer !== settings.sts.url) return failure('issuer_unknown', 'a feed message of another STS');
    if (message.gateway !== settings.name) return failure('audience_mismatch', 'a feed message for another gateway');
    if (message.group !== settings.group) {
      return failure('group_mismatch', `the STS has this gateway in group ${message.group}`);
    }
    if (message.nonce !== nonce) return failure('token_replayed', 'the feed message answers another poll');
    const aheadSeconds = message.signedAt - clock.nowSeconds();
    return aheadSeconds > settings.clockSkewSeconds
      ? failure('token_not_yet_valid', `the STS's clock is ${aheadSeconds} s ahead of this gateway's`)
      : undefined;
  }

  async #take(message: FeedMessage, sentAt: Moment): Promise<Result<{ readonly more: boolean }, Failure>> {
    const keys = usable(importKeySet({ keys: message.keys }));
    if (!keys.ok) return keys;
    await this.#takeGroupKeys(message);
    const applied = this.#d.state.apply({ message, keys: keys.value, sentAt });
    if (!applied.ok) return applied;
    this.#stsKeys = keys.value;
    this.#d.onMessage();
    return ok({ more: message.more });
  }

  /** A key that cannot be unwrapped leaves the gateway not ready; the sessions it can judge without it go on. */
  async #takeGroupKeys({ groupKeys, groupKeySetId }: FeedMessage): Promise<void> {
    this.#wantedGroupKeySetId = groupKeySetId;
    if (groupKeys === undefined) return;
    const keys: GroupKey[] = [];
    for (const { id, wrapped } of groupKeys.keys) {
      const known = this.#groupKeys?.find(id);
      const unwrapped = known === undefined ? await this.#unwrapOne(wrapped) : ok(known.key.reveal());
      if (!unwrapped.ok) return this.#tellUnwrapFailure(id, unwrapped.error);
      keys.push(known ?? { id, key: new Secret(unwrapped.value) });
    }
    // A set whose id says something else is never the wanted one.
    this.#groupKeys = new GroupKeys(keys, groupKeys.activeId);
  }

  #tellUnwrapFailure(id: string, { detail, reason }: Failure): void {
    if (this.#unwrapFailedFor === id) return;
    this.#unwrapFailedFor = id;
    this.#d.log.error(
      { groupKey: id, reason, detail },
      'the group key is not wrapped to this gateway: enter its public key in the gateways section of the STS',
    );
  }

  /** The STS wraps for every public key it has of this gateway; the one that is ours opens. */
  async #unwrapOne(wrapped: readonly string[]): Promise<Result<Uint8Array, Failure>> {
    let problem = failure('key_unknown', 'the group key is wrapped to no key of this gateway');
    for (const jwe of wrapped) {
      const unwrapped = await this.#d.key.unwrap(jwe);
      if (unwrapped.ok) return unwrapped;
      if (unwrapped.error.reason !== 'key_unknown') problem = unwrapped.error;
    }
    return err(problem);
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      const startedAt = this.#d.clock.monotonicMs();
      const outcome = await this.#pollSafely();
      if (this.#stop.signal.aborted) return;
      this.#tell(outcome);
      failures = outcome.ok ? 0 : failures + 1;
      await this.#pause(pauseMs(outcome, failures, this.#d.clock.monotonicMs() - startedAt));
    }
  }

  /** The loop must outlive whatever goes wrong: without it the gateway stays stale for good. */
  async #pollSafely(): Promise<Result<{ readonly more: boolean }, Failure>> {
    try {
      return await this.poll();
    } catch (cause) {
      return err(failure('internal_failure', cause instanceof Error ? `${cause.name}: ${cause.message}` : 'unknown'));
    }
  }

  /** Says once what changed, not every second what stayed. */
  #tell(outcome: Result<unknown, Failure>): void {
    const { settings, log } = this.#d;
    if (!outcome.ok && outcome.error.detail !== this.#lastProblem) {
      const { reason, detail } = outcome.error;
      log.warn({ gateway: settings.name, sts: settings.sts.url, reason, detail }, 'the feed of the STS is not heard');
    }
    if (outcome.ok && this.#lastProblem !== null) {
      log.info({ gateway: settings.name, sts: settings.sts.url }, 'the feed of the STS is heard again');
    }
    this.#lastProblem = outcome.ok ? null : outcome.error.detail;
  }

  async #pause(ms: number): Promise<void> {
    // The only rejection is the abort, which the loop looks at itself.
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}

function pauseMs(outcome: Result<{ readonly more: boolean }, Failure>, failures: number, tookMs: number): number {
  if (!outcome.ok) return RETRY_MS[Math.min(failures, RETRY_MS.length) - 1] ?? 0;
  return outcome.value.more ? 0 : Math.max(0, MIN_POLL_INTERVAL_MS - tookMs);
}
