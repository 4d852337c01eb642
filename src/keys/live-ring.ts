// One key ring of a running server, as the store has it: read again when it changed, and changed by compare-and-swap. While the store
// is away, what was read last is served on.
import { newAction } from '../base/audit/new-action.ts';
import type { ActionRecord } from '../base/audit/record.ts';
import type { JsonObject } from '../base/core/json.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import type { VerificationKey } from '../base/jwt/jwk.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { Random } from '../base/ports/random.ts';
import type { Signer } from '../base/ports/signer.ts';
import type { KeyEncryptionKey } from './kek.ts';
import { type KeySchedule, type KeyStep, type PublishedSince, plannedSteps } from './lifecycle.ts';
import { KeyRing, newSigningKey, type SigningRing } from './ring.ts';
import type { KeyStore, Ring, StoredKey } from './store.ts';
import { isLiving, listOrCreate, withoutSecret } from './stored.ts';

/** How often a change that another one came before is tried again. */
const MAX_ATTEMPTS = 3;

/** What a kind of ring is made of. `View` is what the server works with. */
export interface RingKind<View> {
  readonly ring: string;
  readonly kek: KeyEncryptionKey;
  readonly schedule: KeySchedule;
  /** Unless given: since a key is prepared. */
  readonly publishedSince?: PublishedSince;
  /** A new key, prepared. */
  readonly make: (now: EpochSeconds) => Promise<StoredKey>;
  /** Throws when the keys cannot be worked with. */
  readonly view: (keys: readonly StoredKey[]) => View;
}

/** What a ring is read from and changed in. */
export interface LiveRingDeps {
  readonly store: KeyStore;
  readonly clock: Clock;
  readonly random: Random;
}

/** What a change did, for the record and for whoever asked for it. */
export interface RingAction {
  readonly action: ActionRecord['action'];
  readonly kid: string;
  readonly detail: JsonObject;
}

/** The ring as it is to be, or why not. Called again with the newer keys when another change came first. */
export type RingPlan = (
  keys: readonly StoredKey[],
  now: EpochSeconds,
) => Promise<Result<{ readonly keys: readonly StoredKey[]; readonly done: RingAction }, Failure>>;

/** A ring that follows the store. */
export class LiveRing<View = unknown> {
  readonly kind: RingKind<View>;
  readonly #deps: LiveRingDeps;
  #ring: Ring;
  #view: View;
  #turn = 0;
  /** The turn of what is served. */
  #adopted = 0;

  private constructor(kind: RingKind<View>, deps: LiveRingDeps, ring: Ring) {
    this.kind = kind;
    this.#deps = deps;
    this.#ring = ring;
    this.#view = kind.view(ring.keys);
  }

  /** Opens a ring, making its first key when it is empty; of replicas that do so at once all end with the same key. Throws as `kind.view` does. */
  static async open<View>(kind: RingKind<View>, deps: LiveRingDeps): Promise<LiveRing<View>> {
    const ring = await listOrCreate(deps.store, kind.ring, () => kind.make(deps.clock.nowSeconds()));
    return new LiveRing(kind, deps, ring);
  }

  get version(): number {
    return this.#ring.version;
  }

  get keys(): readonly StoredKey[] {
    return this.#ring.keys;
  }

  /** What the keys are used by, as of the version that was read last. */
  get view(): View {
    return this.#view;
  }

  /** What the ring does by itself, and when. */
  plannedSteps(): readonly KeyStep[] {
    return plannedSteps(this.#ring.keys, this.kind.schedule, this.kind.publishedSince);
  }

  /** Reads the ring again. Rejects, and serves what it has, when the store is away or the keys cannot be worked with. */
  async refresh(): Promise<void> {
    const turn = this.#nextTurn();
    this.#adopt(await this.#deps.store.readRing(this.kind.ring), turn);
  }

  /** Carries out the plan, together with its record. Fails with what the plan does, or `ring_changed`. Rejects when the store does. */
  async change(plan: RingPlan, actor: ActionRecord['actor']): Promise<Result<RingAction, Failure>> {
    const { clock, store } = this.#deps;
    const { kek, ring } = this.kind;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const before = await store.readRing(ring);
      const planned = await plan(before.keys, clock.nowSeconds());
      if (!planned.ok) return planned;
      const { done } = planned.value;
      const keys = planned.value.keys.map((key) => (isNewlyGone(key, before.keys) ? withoutSecret(key, kek) : key));
      // What could not be worked with afterwards is not stored.
      this.kind.view(keys);
      const change = { ring, expectedVersion: before.version, keys, record: this.#recordOf(done, actor) };
      if (await store.replaceRing(change)) {
        this.#adopt({ version: before.version + 1, keys }, this.#nextTurn());
        return ok(done);
      }
    }
    return err(failure('ring_changed', `the ring ${ring} was changed ${MAX_ATTEMPTS} times meanwhile`));
  }

  #nextTurn(): number {
    this.#turn += 1;
    return this.#turn;
  }

  /** Two readings may come back in the other order. By their turns, not their versions: a database put back from a copy has older ones. */
  #adopt(ring: Ring, turn: number): void {
    if (turn < this.#adopted) return;
    this.#view = this.kind.view(ring.keys);
    this.#ring = ring;
    this.#adopted = turn;
  }

  #recordOf({ action, detail, kid }: RingAction, actor: ActionRecord['actor']): ActionRecord {
    const target = `ring ${this.kind.ring} key ${kid}`;
    return newAction(this.#deps, { actor, action, tenant: null, target, detail });
  }
}

const isNewlyGone = (key: StoredKey, before: readonly StoredKey[]): boolean =>
  !isLiving(key) && before.some((old) => old.kid === key.kid && isLiving(old));

/** A ring of signing keys. */
export const signingKind = (ring: SigningRing, schedule: KeySchedule): RingKind<KeyRing> => ({
  ring: ring.ring,
  kek: ring.kek,
  schedule,
  make: (now) => newSigningKey(ring, now),
  view: (keys) => KeyRing.of(keys, ring),
});

/** Signs and shows with whatever keys a ring has at the moment. */
export class LiveKeys {
  readonly #ring: LiveRing<KeyRing>;

  constructor(ring: LiveRing<KeyRing>) {
    this.#ring = ring;
  }

  signer(): Signer {
    return this.#ring.view.signer();
  }

  publicJwks(): { keys: JsonObject[] } {
    return this.#ring.view.publicJwks();
  }

  verificationKeys(): readonly VerificationKey[] {
    return this.#ring.view.verificationKeys();
  }
}
