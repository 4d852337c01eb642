// The keys of every registered issuer: fetched, refreshed, kept while the issuer is away. It trusts no key a token brings.
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { MonotonicMs } from '../../base/core/time.ts';
import { importKeySet, type KeySet, type VerificationKey } from '../../base/jwt/jwk.ts';
import type { Clock } from '../../base/ports/clock.ts';
import type { GuardedFetch } from '../../base/ports/fetch.ts';
import type { Log } from '../../base/ports/log.ts';
import type { TrustedIssuer } from '../settings.ts';
import { type DiscoveredIssuer, discoverIssuer } from './discovery.ts';
import { fetchJsonObject, lasting, type OutboundFailure } from './outbound.ts';
import { UnknownKeys } from './unknown-keys.ts';

/** Design, section 8. */
export const REFRESH_MS = 5 * 60_000;
export const MAX_SET_AGE_MS = 24 * 3_600_000;
/** Without any set there is nothing to serve, so asking again soon costs little; a flood still makes one fetch a second. */
export const RETRY_WITHOUT_SET_MS = 1000;
/** How often the background looks for sets that are due, and so how soon an issuer that was away is asked again. */
const TICK_MS = 30_000;

/** Null: the issuer was not asked. */
type MaybeKeys = Result<readonly VerificationKey[], Failure> | null;

interface Entry {
  readonly issuer: TrustedIssuer;
  keys: readonly VerificationKey[];
  /** When the last good set was asked for; null: there was none. */
  fetchedAt: MonotonicMs | null;
  attemptedAt: MonotonicMs | null;
  /** Why the last fetch failed. */
  problem: Failure;
  /** What the newest good discovery document said. */
  discovered: DiscoveredIssuer | null;
  inFlight: Promise<void> | null;
}

/** Key sets by registered issuer. `start` refreshes them in the background; without it they are refreshed on use. */
export class JwksCache {
  readonly #entries = new Map<string, Entry>();
  readonly #fetch: GuardedFetch;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #ofTokens = new UnknownKeys();
  readonly #ofEvents = new UnknownKeys();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(o: { issuers: readonly TrustedIssuer[]; fetch: GuardedFetch; clock: Clock; log: Log }) {
    this.#fetch = o.fetch;
    this.#clock = o.clock;
    this.#log = o.log;
    for (const issuer of o.issuers) {
      this.#entries.set(issuer.issuer, {
        issuer,
        keys: [],
        fetchedAt: null,
        attemptedAt: null,
        problem: failure('issuer_unreachable', 'never fetched'),
        discovered: null,
        inFlight: null,
      });
    }
  }

  /** Asks every issuer for its keys, and again whenever they are due. */
  start(): void {
    const tick = (): void => {
      for (const entry of this.#entries.values()) {
        if (this.#isDue(entry)) void this.#refresh(entry);
      }
    };
    tick();
    this.#timer = setInterval(tick, TICK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /**
   * The keys that may verify tokens of `issuer` now: of the newest good set, at most 24 h old. Errors, when there is none:
   * issuer_unreachable, or issuer_unusable when the issuer answered, but with nothing that could be used. Precondition: the issuer is one of those the cache was made with.
   */
  async keysOf(issuer: string): Promise<Result<readonly VerificationKey[], Failure>> {
    const entry = this.#entry(issuer);
    if (this.#mustAskBeforeUse(entry)) await this.#refresh(entry);
    return this.#serve(entry);
  }

  /**
   * The keys after one more fetch, for a token whose key the set does not have; null when this issuer was asked for that reason as
   * often as it may be, or for this very key a moment ago: made-up key ids cost it next to nothing.
   */
  keysAfterUnknownKey(issuer: string, kid: string | undefined): Promise<MaybeKeys> {
    return this.#keysAfter(this.#ofTokens, issuer, kid);
  }

  /** The same for what issuers themselves tell: tokens with made-up key ids, which anybody may send, use up nothing of it. */
  forEvents(): Pick<JwksCache, 'keysOf' | 'keysAfterUnknownKey'> {
    return {
      keysOf: (issuer) => this.keysOf(issuer),
      keysAfterUnknownKey: (issuer, kid) => this.#keysAfter(this.#ofEvents, issuer, kid),
    };
  }

  async #keysAfter(unknown: UnknownKeys, issuer: string, kid: string | undefined): Promise<MaybeKeys> {
    const entry = this.#entry(issuer);
    const asks = entry.inFlight === null;
    if (asks && !unknown.mayAsk(issuer, kid, this.#clock.monotonicMs())) return null;
    const before = entry.keys;
    await this.#refresh(entry);
    if (asks && entry.keys === before) unknown.unanswered(issuer, kid);
    return this.#serve(entry);
  }

  /** What the issuer's discovery document said when its keys were last fetched; null when they never were. */
  discovered(issuer: string): DiscoveredIssuer | null {
    return this.#entry(issuer).discovered;
  }

  /** How old each issuer's last good set is, in milliseconds; null: there was none yet. */
  agesMs(): Readonly<Record<string, number | null>> {
    const now = this.#clock.monotonicMs();
    const age = ({ fetchedAt }: Entry): number | null => (fetchedAt === null ? null : now - fetchedAt);
    return Object.fromEntries([...this.#entries].map(([issuer, entry]) => [issuer, age(entry)]));
  }

  #entry(issuer: string): Entry {
    const entry = this.#entries.get(issuer);
    if (entry === undefined) throw new TypeError('keys were asked of an issuer that is not registered');
    return entry;
  }

  #serve(entry: Entry): Result<readonly VerificationKey[], Failure> {
    if (entry.fetchedAt === null) return err(entry.problem);
    if (this.#clock.monotonicMs() - entry.fetchedAt > MAX_SET_AGE_MS) {
      const { detail, reason } = entry.problem;
      return err(failure(reason, `the last good key set is older than 24 h; ${detail}`));
    }
    return ok(entry.keys);
  }

  #mustAskBeforeUse(entry: Entry): boolean {
    // Whoever needs the first set shares the fetch that is under way.
    if (entry.attemptedAt === null || (entry.fetchedAt === null && entry.inFlight !== null)) return true;
    const sinceAttempt = this.#clock.monotonicMs() - entry.attemptedAt;
    return sinceAttempt >= (entry.fetchedAt === null ? RETRY_WITHOUT_SET_MS : REFRESH_MS);
  }

  /** An issuer whose feed is heard is one of ours, or like it: what it revokes must be known here within a minute. */
  #isDue(entry: Entry): boolean {
    const now = this.#clock.monotonicMs();
    if (entry.fetchedAt === null || entry.issuer.jobStatus.kind === 'feed') return true;
    return now - entry.fetchedAt >= REFRESH_MS - TICK_MS;
  }

  /** Single flight: whoever comes while a fetch runs waits for that one. Never rejects. */
  #refresh(entry: Entry): Promise<void> {
    entry.inFlight ??= this.#load(entry).finally(() => {
      entry.inFlight = null;
    });
    return entry.inFlight;
  }

  async #load(entry: Entry): Promise<void> {
    const askedAt = this.#clock.monotonicMs();
    entry.attemptedAt = askedAt;
    const loaded = await loadKeys(this.#fetch, entry.issuer).catch((error: unknown) => lasting(String(error)));
    if (!loaded.ok) {
      const { detail, isTransient } = loaded.error;
      entry.problem = failure(isTransient ? 'issuer_unreachable' : 'issuer_unusable', detail);
      this.#log.warn({ issuer: entry.issuer.issuer, problem: detail }, 'the keys of an issuer were not fetched');
      return;
    }
    const { keys, problems, discovered } = loaded.value;
    if (problems.length > 0) {
      this.#log.warn({ issuer: entry.issuer.issuer, problems }, 'an issuer publishes keys that are not used');
    }
    entry.keys = keys;
    entry.discovered = discovered;
    entry.fetchedAt = askedAt;
  }
}

/** A set without one usable key is a failure, not an answer: it must not wipe good keys (an outage often looks like `{}`). */
async function loadKeys(
  fetch: GuardedFetch,
  issuer: TrustedIssuer,
): Promise<Result<KeySet & { readonly discovered: DiscoveredIssuer }, OutboundFailure>> {
  const discovered = await discoverIssuer(fetch, issuer);
  if (!discovered.ok) return discovered;
  const url = discovered.value.jwksUri;
  const jwks = await fetchJsonObject(fetch, { url, network: issuer.network });
  if (!jwks.ok) return jwks;
  const imported = importKeySet(jwks.value);
  if (!imported.ok) return lasting(`${url}: ${imported.error.detail}`);
  if (imported.value.keys.length === 0) return lasting(`${url}: no usable key (${imported.value.problems.join('; ')})`);
  return ok({ ...imported.value, discovered: discovered.value });
}
