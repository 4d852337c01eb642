// The policies of replicas that share a store: one set is active for all of them. Each has a folder; a change of a folder activates what it
// holds by compare-and-swap, and every replica follows within two seconds, or refuses after ten.
import { newAction } from '../base/audit/new-action.ts';
import type { ActionRecord } from '../base/audit/record.ts';
import { lookSoon } from '../base/core/change-watch.ts';
import { JobpassError } from '../base/core/errors.ts';
import { MAX_STALENESS_MS } from '../base/core/limits.ts';
import { formatProblems } from '../base/document/problem.ts';
import { type Clock, elapsedMs, type Moment, momentOf } from '../base/ports/clock.ts';
import type { Log } from '../base/ports/log.ts';
import type { Random } from '../base/ports/random.ts';
import type { Ceiling } from '../policy/role.ts';
import { FolderReader, filesOf, type PolicySnapshot } from './policy-snapshot.ts';
import type { PolicyFile, PolicySource } from './policy-source.ts';
import type { PolicyStore, WatchableStore } from './store.ts';

/** Followed by a reload, this keeps what all replicas decide by within two seconds of a change, also when nothing told them of it. */
const LOOK_EVERY_MS = 500;
/** Whoever loses that many races in a row waits for the next change. */
const MAX_RACES = 5;

/** A replica’s folder, and the store that it shares. */
export interface SharedPoliciesOptions {
  readonly folder: PolicySource;
  readonly store: PolicyStore & WatchableStore;
  readonly ceilings: ReadonlyMap<string, Ceiling>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** The active set, as it was loaded. */
interface Loaded extends PolicySnapshot {
  readonly version: number;
}

/** The active set, for one replica; its folder’s changes become the active set of all. */
export class SharedPolicies implements PolicySource {
  readonly #options: SharedPoliciesOptions;
  readonly #reader: FolderReader;
  #active: Loaded | undefined;
  /** What this replica's folder last came to. */
  #ownId: string | undefined;
  /** The folder changed, and what it holds could not be activated yet. */
  #isPending = false;
  #checkedAt: Moment | undefined;
  /** One thing at a time: looks, and changes of the folder. */
  #work: Promise<void> = Promise.resolve();
  #nextLook: Promise<void> | undefined;
  #problem: string | undefined;
  #onChange: () => void = () => undefined;

  constructor(options: SharedPoliciesOptions) {
    this.#options = options;
    this.#reader = new FolderReader(options.folder, options);
  }

  /** The active set's roles. The first call settles which one it is: see `#begin`. */
  async list(): Promise<readonly PolicyFile[]> {
    if (this.#active === undefined) await this.#inTurn(() => this.#begin());
    return filesOf(this.#active?.files ?? []).list();
  }

  read(path: string): Promise<Uint8Array | undefined> {
    return filesOf(this.#active?.files ?? []).read(path);
  }

  /** Whether this replica knows which set is active, or has not known for less than ten seconds. */
  isFresh(): boolean {
    return this.#checkedAt !== undefined && elapsedMs(this.#options.clock, this.#checkedAt) <= MAX_STALENESS_MS;
  }

  watch(onChange: () => void): () => void {
    this.#onChange = onChange;
    const look = (): void => void this.#lookInTurn().catch(() => undefined);
    const timer = setInterval(look, LOOK_EVERY_MS);
    timer.unref();
    const unheard = lookSoon(this.#options.store, look);
    const unwatch = this.#options.folder.watch(
      () => void this.#inTurn(() => this.#folderChanged()).catch(() => undefined),
    );
    return () => {
      clearInterval(timer);
      unheard();
      unwatch();
      this.#onChange = () => undefined;
    };
  }

  /** Follows the store, and drops what stayed broken for too long in this replica's folder. Rejects when the store does. */
  async look(): Promise<void> {
    try {
      await this.#follow();
      const { id } = this.#reader.snapshot();
      // What goes by time goes by whom it came: an older folder must not put its own set in the place of another's.
      const hasShrunk = id !== this.#ownId && this.#ownId === this.#active?.id;
      if (this.#isPending || hasShrunk) await this.#offer();
      this.#problem = undefined;
    } catch (error) {
      this.#report(error, 'the active policies could not be looked up');
      throw error;
    }
  }

  /**
   * A folder whose content was never active is new: it is activated. Any other is an old one beside a newer set, which is taken instead. Broken
   * files are never activated over good ones: with some in the folder the active set is taken, and without one the start fails.
   */
  async #begin(): Promise<void> {
    const { log, store } = this.#options;
    await this.#follow();
    if (this.#active !== undefined) await this.#reader.seed(this.#active.files);
    const problems = await this.#reader.read();
    if (problems.length > 0) {
      if (this.#active === undefined) throw new JobpassError('ERR_POLICIES_INVALID', formatProblems(problems));
      log.error({ problems }, 'policy files are broken: what is active stays so until the folder changes');
    }
    const offered = this.#reader.snapshot();
    this.#ownId = offered.id;
    if (problems.length > 0) return;
    if (this.#active === undefined || !(await store.wasActive(offered.id))) await this.#activate(offered, 'start');
    if (this.#active?.id !== offered.id) {
      log.warn(
        { folder: offered.id, active: this.#active?.id },
        'the policies folder is an older one: the active set is another',
      );
    }
  }

  async #folderChanged(): Promise<void> {
    const { log } = this.#options;
    const before = this.#reader.snapshot().id;
    try {
      const problems = await this.#reader.read();
      if (problems.length > 0)
        log.error(
          { problems },
          'policy files are broken: their last good versions stay for 10 minutes, then their roles are off',
        );
    } catch (error) {
      log.error({ err: error }, 'the policies could not be read');
      this.#reader.lose();
    }
    if (this.#reader.snapshot().id === before) return;
    this.#isPending = true;
    await this.#offer().catch((error: unknown) => {
      this.#report(error, 'changed policies could not be activated: they are tried again');
    });
  }

  /** A change that was seen is always activated, also back to a set of before. */
  async #offer(): Promise<void> {
    const offered = this.#reader.snapshot();
    await this.#activate(offered, 'change');
    this.#ownId = offered.id;
    this.#isPending = false;
  }

  async #activate(offered: PolicySnapshot, why: 'start' | 'change'): Promise<void> {
    const { log, store } = this.#options;
    for (let race = 0; race < MAX_RACES; race += 1) {
      const active = await store.activePolicies();
      if (active?.id === offered.id || (race > 0 && why === 'start' && (await store.wasActive(offered.id)))) break;
      const { files, id } = offered;
      const record = this.#record(offered, active?.id ?? null);
      if (await store.activatePolicies({ expectedVersion: active?.version ?? 0, id, files, record })) {
        log.info({ set: id, files: files.length }, 'policies were activated');
        break;
      }
    }
    await this.#follow();
  }

  /** Loads what is active if that has changed. A version that went back is an older copy of the store: what was active here is activated again. */
  async #follow(): Promise<void> {
    const { clock, log, store } = this.#options;
    const askedAt = momentOf(clock);
    const known = this.#active;
    const active = await store.activePolicies();
    if (known !== undefined && (active?.version ?? 0) < known.version) {
      const record = this.#record(known, active?.id ?? null);
      log.error(
        { set: known.id },
        'the store knows an earlier set of policies: the one that was active is activated again',
      );
      await store.activatePolicies({ expectedVersion: active?.version ?? 0, id: known.id, files: known.files, record });
      // Only now: while the store does not take it, what is known here is not forgotten.
      this.#active = undefined;
      return this.#follow();
    }
    // In a store that went back, a version may come to stand for another set.
    if (active !== undefined && (active.version !== known?.version || active.id !== known?.id)) {
      const files = await store.loadPolicies(active.id);
      if (files === undefined) throw new JobpassError('ERR_POLICIES_UNREADABLE', `the set ${active.id} is gone`);
      this.#active = { ...active, files };
      this.#onChange();
    }
    this.#checkedAt = askedAt;
  }

  #record({ files, id }: PolicySnapshot, before: string | null): ActionRecord {
    return newAction(this.#options, {
      actor: { kind: 'server', name: 'sts' },
      action: 'policy.activate',
      tenant: null,
      target: `policies ${id}`,
      detail: { files: files.length, before },
    });
  }

  /** One look that has not begun is enough for whoever asks for one: a change of the folder waits for no more than that. */
  #lookInTurn(): Promise<void> {
    this.#nextLook ??= this.#inTurn(() => {
      this.#nextLook = undefined;
      return this.look();
    });
    return this.#nextLook;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => undefined);
    return done;
  }

  /** Said when it changes, not with every look. */
  #report(error: unknown, message: string): void {
    const problem = `${message}: ${String(error)}`;
    if (problem !== this.#problem) this.#options.log.warn({ err: error }, message);
    this.#problem = problem;
  }
}
