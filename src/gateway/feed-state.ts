// What the feed has told so far, and how old it is. It verifies nothing: only verified messages arrive here.
import type { Epoch } from '../base/core/epoch.ts';
import type { PermissionSet } from '../base/core/permissions.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { EpochSeconds, MonotonicMs } from '../base/core/time.ts';
import type { CarriedSession } from '../base/credential/carried-session.ts';
import type { VerificationKey } from '../base/jwt/jwk.ts';
import { type Clock, elapsedMs, type Moment } from '../base/ports/clock.ts';
import { type CompiledPermissions, compilePermissions } from '../policy/iam/statements.ts';
import { permissionSetId } from '../policy/policy-set.ts';
import type { FeedMessage, FeedPoll } from '../wire/feed/message.ts';
import type { Knowledge } from './authorize.ts';
import { KnownEpochs } from './known-epochs.ts';

/** A message whose signature, nonce and addressee were checked. */
export interface VerifiedMessage {
  readonly message: FeedMessage;
  /** The keys the message brought, imported; never empty. */
  readonly keys: readonly VerificationKey[];
  /** When the poll that it answers was sent. */
  readonly sentAt: Moment;
}

/** The gateway's knowledge. It only ever comes from `apply`. */
export class FeedState implements Knowledge {
  readonly #clock: Clock;
  #keys: readonly VerificationKey[] = [];
  #ended = new Map<string, EpochSeconds>();
  #roles: ReadonlyMap<string, CompiledPermissions> = new Map();
  #permissionSetId: string | null = null;
  /** The store of the STS that the cursor counts in. */
  #store: string | null = null;
  #cursor = 0;
  readonly #epochs = new KnownEpochs();
  #issuerAgesMs: ReadonlyMap<string, number | null> = new Map();
  /** When the poll was sent that the last complete message answered. */
  #freshFrom: Moment | null = null;
  /** The STS's clock at a moment of ours. Monotonic alone: what is forgotten by it must stay expired when a clock is set back. */
  #stsClock: { readonly seconds: EpochSeconds; readonly at: MonotonicMs } | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Takes a message in. While `more` ended sessions are waiting the silence about the others means nothing, so such a
   * message renews no freshness. Failure (`feed_stale`): the message speaks of a permission set that it does not bring,
   * or of epochs, or brings some that are not what their id says.
   */
  apply({ message, keys, sentAt }: VerifiedMessage): Result<null, Failure> {
    if (message.permissions === undefined && message.permissionSetId !== this.#permissionSetId) {
      return err(
        failure('feed_stale', `the feed names permission set ${message.permissionSetId} and does not bring it`),
      );
    }
    if (message.permissions !== undefined && permissionSetId(message.permissions.roles) !== message.permissionSetId) {
      return err(failure('feed_stale', `the feed brings another permission set than ${message.permissionSetId}`));
    }
    const epochs = this.#epochs.take(message);
    if (!epochs.ok) return epochs;
    if (message.permissions !== undefined && message.permissionSetId !== this.#permissionSetId) {
      this.#roles = compileSet(message.permissions);
      this.#permissionSetId = message.permissionSetId;
    }
    this.#keys = keepKnown(this.#keys, keys);
    if (message.store !== this.#store) {
      // The STS has begun again: until it has told everything it knows, nothing is fresh. What has ended stays ended.
      this.#store = message.store;
      this.#freshFrom = null;
    }
    this.#cursor = message.cursor;
    for (const end of message.ended) this.#ended.set(end.sessionId, end.expiresAt);
    this.#advanceStsClock(message.signedAt);
    this.#forgetExpired();
    if (message.more) return ok(null);
    this.#issuerAgesMs = new Map(Object.entries(message.issuerAgesMs));
    this.#freshFrom = sentAt;
    return ok(null);
  }

  /** Where the next poll goes on, and what need not be sent again. */
  position(): Pick<FeedPoll, 'cursor' | 'store' | 'permissionSetId' | 'epochsId'> {
    const epochsId = this.#epochs.id;
    return { cursor: this.#cursor, store: this.#store, permissionSetId: this.#permissionSetId, epochsId };
  }

  /**
   * The later of our clock and the STS's. The STS tells no more of an ended session once its expiry has passed by its own
   * clock; a gateway whose clock is behind would let such a session live again.
   */
  nowSeconds(): EpochSeconds {
    const own = this.#clock.nowSeconds();
    return Math.max(own, this.#stsSeconds() ?? own);
  }

  keys(): readonly VerificationKey[] {
    return this.#keys;
  }

  isEnded(sessionId: string): boolean {
    return this.#ended.has(sessionId);
  }

  epochOf(session: Pick<CarriedSession, 'role' | 'jobIssuer' | 'issuedAt'>): Epoch | undefined {
    return this.#epochs.covering(session);
  }

  /** How many ends are remembered, for measuring. */
  get endedCount(): number {
    return this.#ended.size;
  }

  /** How old the STS's own word is. Infinity before the first one. */
  feedAgeMs(): number {
    return this.#freshFrom === null ? Number.POSITIVE_INFINITY : elapsedMs(this.#clock, this.#freshFrom);
  }

  stalenessMs(session: { readonly jobBound: boolean; readonly jobIssuer: string }): number {
    const age = this.feedAgeMs();
    if (!session.jobBound) return age;
    return age + (this.#issuerAgesMs.get(session.jobIssuer) ?? Number.POSITIVE_INFINITY);
  }

  permissionsOf(role: string): CompiledPermissions | undefined {
    return this.#roles.get(role);
  }

  #stsSeconds(): EpochSeconds | null {
    if (this.#stsClock === null) return null;
    return this.#stsClock.seconds + Math.floor((this.#clock.monotonicMs() - this.#stsClock.at) / 1000);
  }

  #advanceStsClock(signedAt: EpochSeconds): void {
    const projected = this.#stsSeconds();
    // Never back: what was forgotten as expired must stay expired.
    if (projected === null || signedAt > projected) {
      this.#stsClock = { seconds: signedAt, at: this.#clock.monotonicMs() };
    }
  }

  #forgetExpired(): void {
    const stsSeconds = this.#stsSeconds() ?? 0;
    for (const [sessionId, expiresAt] of this.#ended) {
      if (expiresAt <= stsSeconds) this.#ended.delete(sessionId);
    }
    this.#epochs.forget(stsSeconds);
  }
}

const compileSet = (set: PermissionSet): ReadonlyMap<string, CompiledPermissions> =>
  new Map(set.roles.map((role) => [role.role, compilePermissions(role.statements)]));

/**
 * `keys` with each one that is known already as the object that is known: what was imported for verifying stays imported, and
 * whoever holds a key finds it by identity.
 */
const keepKnown = (known: readonly VerificationKey[], keys: readonly VerificationKey[]): readonly VerificationKey[] =>
  keys.map((key) => known.find((old) => isSameKey(old, key)) ?? key);

const isSameKey = (one: VerificationKey, other: VerificationKey): boolean =>
  one.kid === other.kid &&
  one.ambiguous === other.ambiguous &&
  one.algorithms.join() === other.algorithms.join() &&
  one.material.equals(other.material);
