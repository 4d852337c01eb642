// The key rings of one server while it runs: follows the store when it tells of a change and once a second, and takes the steps that are
// due. One of the replicas wins each of them; the others read what it did.
import type { ActionRecord } from '../base/audit/record.ts';
import { lookSoon, type WatchableStore } from '../base/core/change-watch.ts';
import { failure } from '../base/core/reasons.ts';
import { err, ok } from '../base/core/result.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { Log } from '../base/ports/log.ts';
import { dueStep, plannedSteps, withActivated, withExpired } from './lifecycle.ts';
import type { LiveRing, RingAction, RingPlan } from './live-ring.ts';
import type { KeyStore } from './store.ts';

/** So a replica is at most this much, and one query, behind the others, also when nothing told it of their changes. */
const TICK_MS = 1000;

/** The rings that are kept, and their store. */
export interface KeeperDeps {
  readonly store: Pick<KeyStore, 'listRingVersions'> & WatchableStore;
  readonly rings: readonly LiveRing[];
  readonly clock: Clock;
  readonly log: Log;
  /** What the records call this server: `issuer`, `sts`. */
  readonly server: string;
}

/** Keeps rings up to date from `start` to `close`. */
export class KeyKeeper {
  readonly #deps: KeeperDeps;
  readonly #listeners: (() => void)[] = [];
  /** What was told of the rings so far. */
  #seen: string;
  #problem: string | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #ticking: Promise<void> | null = null;
  #isClosed = false;
  #unwatch: () => void = () => undefined;

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
    this.#seen = this.#versions();
  }

  get rings(): readonly LiveRing[] {
    return this.#deps.rings;
  }

  /** Calls back after any ring of this server changed, whoever changed it. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  start(): void {
    this.#timer = setInterval(() => void this.tick(), TICK_MS);
    this.#timer.unref();
    // One that runs already may have looked before the change.
    this.#unwatch = lookSoon(this.#deps.store, () => void this.#lookAgain());
  }

  /** Takes no further step; one that is under way ends first. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#unwatch();
    await this.#ticking;
  }

  async #lookAgain(): Promise<void> {
    await this.#ticking;
    if (!this.#isClosed) await this.tick();
  }

  /** Follows the store, then takes what is due, one step of each ring. Never rejects: what is known serves on. */
  tick(): Promise<void> {
    this.#ticking ??= this.#tick().finally(() => {
      this.#ticking = null;
    });
    return this.#ticking;
  }

  async #tick(): Promise<void> {
    const problems: string[] = [];
    const attempt = async (work: Promise<unknown>): Promise<void> => {
      await work.catch((error: unknown) => problems.push(error instanceof Error ? error.message : 'unknown'));
    };
    await attempt(this.#follow());
    for (const ring of this.#deps.rings) {
      const step = dueStep(ring.plannedSteps(), this.#deps.clock.nowSeconds());
      if (step !== undefined) await attempt(this.#take(ring));
    }
    this.#report(problems[0] ?? null);
    this.tell();
  }

  async #follow(): Promise<void> {
    const versions = await this.#deps.store.listRingVersions();
    const stale = this.#deps.rings.filter((ring) => versions.get(ring.kind.ring) !== ring.version);
    // Each for itself: one ring that cannot be read must not hold up the others.
    const read = await Promise.allSettled(stale.map((ring) => ring.refresh()));
    for (const one of read) if (one.status === 'rejected') throw one.reason;
  }

  async #take(ring: LiveRing): Promise<void> {
    const actor = { kind: 'server', name: this.#deps.server } as const;
    const done = await ring.change(whatIsDue(ring), actor);
    if (!done.ok) return;
    const { action, kid } = done.value;
    this.#deps.log.info({ ring: ring.kind.ring, key: kid, action }, 'a key ring went one step on');
  }

  /** Tells the listeners when a ring is another than they were told of last. */
  tell(): void {
    const versions = this.#versions();
    if (versions === this.#seen) return;
    this.#seen = versions;
    for (const listener of this.#listeners) listener();
  }

  #versions(): string {
    return this.#deps.rings.map((ring) => ring.version).join();
  }

  /** Said when it changes, not every second. */
  #report(problem: string | null): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    if (problem === null) this.#deps.log.info({}, 'the key rings are followed again');
    else this.#deps.log.warn({ problem }, 'the key rings cannot be followed; the keys of before serve on');
  }
}

/** The step is chosen from the keys as they stand in the store: another replica may have taken it. */
function whatIsDue({ kind }: LiveRing): RingPlan {
  return async (keys, now) => {
    const step = dueStep(plannedSteps(keys, kind.schedule, kind.publishedSince), now);
    if (step === undefined) return err(failure('key_state_refused', 'another replica took the step'));
    if (step.kind === 'prepare') {
      const key = await kind.make(now);
      return ok({ keys: [...keys, key], done: byItself('key.prepare', key.kid) });
    }
    return step.kind === 'activate'
      ? ok({ keys: withActivated(keys, step.kid, now), done: byItself('key.activate', step.kid) })
      : ok({ keys: withExpired(keys, step.kid, now), done: byItself('key.retire', step.kid) });
  };
}

const byItself = (action: ActionRecord['action'], kid: string): RingAction => ({
  action,
  kid,
  detail: { schedule: true },
});
