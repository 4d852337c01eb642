// Listens to one issuer's feed of ended jobs (RFC 8936). An end is durable before it is acknowledged, and silence is
// believed only from an answer that carries this poll's nonce.
import { MAX_CLOCK_SKEW_SECONDS, MAX_TOKEN_LIFETIME_SECONDS } from '../../base/core/limits.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import { isVisibleId } from '../../base/core/visible-id.ts';
import { encodeBase64url } from '../../base/jwt/base64url.ts';
import { type Clock, momentOf } from '../../base/ports/clock.ts';
import type { GuardedFetch } from '../../base/ports/fetch.ts';
import type { Log } from '../../base/ports/log.ts';
import type { Random } from '../../base/ports/random.ts';
import { basicAuthorization } from '../../wire/authorization.ts';
import type { JobEnded, SecurityEvent } from '../../wire/secevent/event.ts';
import { decodeBatch, type EventBatch, encodePoll } from '../../wire/secevent/poll.ts';
import type { TrustedIssuer } from '../settings.ts';
import { pause } from '../signal.ts';
import type { EndedSession, StsStore } from '../store.ts';
import type { FeedAges } from '../verifier/feed-ages.ts';
import type { IssuerClient } from '../verifier/introspect.ts';
import type { IssuerKeys } from '../verifier/issuer-signature.ts';
import { fetchJsonObject } from '../verifier/outbound.ts';
import { issuerEpoch } from './issuer-epoch.ts';
import { verifyEvent } from './verify-event.ts';

/** As long as any token of the job can be accepted: its longest life, and the clock skew on top. */
export const TOMBSTONE_SECONDS = MAX_TOKEN_LIFETIME_SECONDS + MAX_CLOCK_SKEW_SECONDS;
/** Between two polls of an issuer that does not hold its answers back. */
const QUIET_MS = 250;
const MAX_BACKOFF_MS = 1000;
/** 24 bytes are 32 characters, within what a poll may carry. */
const NONCE_BYTES = 24;

export interface ReceiverDeps {
  readonly issuer: TrustedIssuer;
  readonly client: IssuerClient;
  readonly fetch: GuardedFetch;
  readonly keys: IssuerKeys;
  readonly store: Pick<StsStore, 'buryJobs' | 'identity' | 'listEpochs' | 'raiseEpoch'>;
  readonly ages: FeedAges;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Told after the ends are durable, before the feed counts as heard. */
  readonly onEnded: (sessions: readonly EndedSession[]) => void;
}

/** What one poll brought. `fresh`: everything that had happened when it was sent is durable here. */
interface Heard {
  readonly ended: number;
  readonly fresh: boolean;
  readonly more: boolean;
}

const notCovered = (audiences: readonly string[], client: string): string =>
  `the issuer does not tell of jobs under ${audiences.join(', ')}: add this to \`events\` of its client ${client}`;

/** The poller of one issuer. `start` polls until `close`. */
export class EventReceiver {
  readonly #deps: ReceiverDeps;
  readonly #url: string;
  readonly #stop = new AbortController();
  /** Durable here, not yet known to be acknowledged there. */
  #acknowledge: readonly string[] = [];
  #running: Promise<void> | undefined;
  #healthy: boolean | undefined;
  #problem: string | null = null;
  readonly #asked = Promise.withResolvers<void>();

  constructor(deps: ReceiverDeps) {
    this.#deps = deps;
    this.#url = `${deps.issuer.issuer.replace(/\/$/, '')}/v1/events/poll`;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when the issuer has been asked once, whatever came of it. */
  asked(): Promise<void> {
    return this.#asked.promise;
  }

  /** Stops polling; resolves when the last answer was dealt with. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const startedAt = this.#deps.clock.monotonicMs();
      const heard = await this.pollOnce().catch((error: unknown) => err(String(error)));
      this.#asked.resolve();
      if (this.#stop.signal.aborted) return;
      this.#report(heard);
      const elapsed = this.#deps.clock.monotonicMs() - startedAt;
      if (!heard.ok || !heard.value.fresh)
        await pause(heard.ok && heard.value.more ? 0 : this.#backoffMs(), this.#stop.signal);
      else if (heard.value.ended === 0 && elapsed < QUIET_MS) await pause(QUIET_MS, this.#stop.signal);
    }
  }

  /** Jitter, so that many servers do not return to a restarted issuer in step. */
  #backoffMs(): number {
    const [byte = 0] = this.#deps.random.bytes(1);
    return MAX_BACKOFF_MS / 10 + (byte / 255) * (MAX_BACKOFF_MS - MAX_BACKOFF_MS / 10);
  }

  #report(heard: Result<Heard, string>): void {
    const { issuer, log } = this.#deps;
    const healthy = heard.ok && (heard.value.fresh || heard.value.more);
    const problem = healthy ? null : heard.ok ? 'not every event could be taken' : heard.error;
    // Said when it changes, not with every poll.
    if (healthy === this.#healthy && problem === this.#problem) return;
    this.#healthy = healthy;
    this.#problem = problem;
    if (healthy) log.info({ issuer: issuer.issuer }, 'the feed of ended jobs is live');
    else log.warn({ issuer: issuer.issuer, problem }, 'the feed of ended jobs is not live');
  }

  /** One poll and everything that follows from its answer. The error is for the operator. */
  async pollOnce(): Promise<Result<Heard, string>> {
    const { ages, clock, issuer } = this.#deps;
    const nonce = encodeBase64url(this.#deps.random.bytes(NONCE_BYTES));
    const acknowledged = this.#acknowledge;
    const sentAt = momentOf(clock);
    const batch = await this.#ask(nonce, acknowledged);
    if (!batch.ok) return batch;
    this.#acknowledge = [];
    const events = await this.#verifyAll(batch.value);
    const ends = events.verified.filter((event) => event.kind === 'job_ended');
    await this.#bury(ends.filter((end) => this.#canHold(end)));
    this.#acknowledge = ends.map((event) => event.id);
    const alive = events.verified.find((event) => event.kind === 'verification' && event.state === nonce);
    if (alive?.kind !== 'verification')
      return err('the answer carries no verification event with the nonce of its poll');
    // Of a job under another audience this STS would never hear: silence about it is no news.
    const needed = [...issuer.audiences, ...ages.reliedOn(issuer.issuer)];
    const unheard = needed.filter((audience) => !alive.audiences.includes(audience));
    if (unheard.length > 0) return err(notCovered(unheard, this.#deps.client.client));
    await this.#beginWith(alive.knownSince);
    // More events wait, or one could not be read: an end may be among them.
    const fresh = events.refused === 0 && !batch.value.moreAvailable;
    if (fresh) ages.heard(issuer.issuer, sentAt, alive.audiences);
    return ok({ ended: ends.length, fresh, more: events.refused === 0 && batch.value.moreAvailable });
  }

  /**
   * An issuer that began anew may know nothing of jobs from before, and tells of no end of theirs: what was granted to them ends here, once.
   */
  async #beginWith(knownSince: EpochSeconds | null): Promise<void> {
    const { clock, issuer, log, onEnded, random, store } = this.#deps;
    const epoch =
      knownSince === null ? undefined : await issuerEpoch(store, { issuer: issuer.issuer, knownSince, clock, random });
    if (epoch === undefined) return;
    log.warn(
      { issuer: issuer.issuer, at: epoch.at },
      'the issuer began anew: everything that was granted to its jobs before has ended',
    );
    onEnded([]);
  }

  async #ask(nonce: string, acknowledged: readonly string[]): Promise<Result<EventBatch, string>> {
    const { client, fetch, issuer, store } = this.#deps;
    // While the feed is not live, every moment without an answer is a refusal somewhere: nothing is held back then.
    const poll = {
      maxEvents: undefined,
      returnImmediately: this.#healthy !== true,
      acknowledged,
      errors: [],
      nonce,
      // Another store knows nothing of what was acknowledged for this one, so it must hear everything itself.
      receiver: (await store.identity()).id,
    };
    const body = await fetchJsonObject(fetch, {
      url: this.#url,
      network: issuer.network,
      body: JSON.stringify(encodePoll(poll)),
      headers: { 'content-type': 'application/json', authorization: basicAuthorization(client.client, client.secret) },
      signal: this.#stop.signal,
    });
    if (!body.ok) return err(body.error.detail);
    const batch = decodeBatch(body.value);
    return batch.ok ? batch : err(batch.error.detail);
  }

  async #verifyAll(batch: EventBatch): Promise<{ verified: readonly SecurityEvent[]; refused: number }> {
    const { client, clock, issuer, keys, log } = this.#deps;
    const verified: SecurityEvent[] = [];
    let refused = 0;
    for (const set of batch.sets.values()) {
      const event = await verifyEvent(keys, set, { issuer, audience: client.client, now: clock.nowSeconds() });
      if (event.ok) verified.push(event.value);
      else {
        // Never acknowledged and never reported as an error (RFC 8936 §2.4.4): an end must not be lost because our view
        // of the issuer's keys is behind.
        refused += 1;
        log.warn({ issuer: issuer.issuer, ...event.error }, 'a security event was refused');
      }
    }
    return { verified, refused };
  }

  /** No token that is taken names any other job, so it holds nothing; and not every store could keep such an id, or what came with it. */
  #canHold({ id, jobId }: JobEnded): boolean {
    if (isVisibleId(jobId)) return true;
    const { issuer, log } = this.#deps;
    log.warn({ issuer: issuer.issuer, event: id }, 'a job ended whose id no token may have: nothing was granted to it');
    return false;
  }

  /** Rejects when the store does; then nothing is acknowledged and the issuer tells again. */
  async #bury(ends: readonly JobEnded[]): Promise<void> {
    if (ends.length === 0) return;
    const { clock, issuer, log, onEnded, store } = this.#deps;
    const expiresAt = clock.nowSeconds() + TOMBSTONE_SECONDS;
    const sessions = await store.buryJobs(
      ends.map((end) => ({ issuer: issuer.issuer, jobId: end.jobId, endedAt: Math.floor(end.endedAt), expiresAt })),
    );
    log.info({ issuer: issuer.issuer, jobs: ends.length, sessions: sessions.length }, 'jobs ended');
    onEnded(sessions);
  }
}
