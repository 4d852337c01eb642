// The active policies: read at the start, reloaded per file, swapped as one immutable set. It decides nothing.
import { JobpassError } from '../base/core/errors.ts';
import type { MonotonicMs } from '../base/core/time.ts';
import { formatProblems } from '../base/document/problem.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { Log } from '../base/ports/log.ts';
import { buildPolicySet, buildPolicySetSlowly, type PolicySet, withoutRoles } from '../policy/policy-set.ts';
import type { Ceiling, Role } from '../policy/role.ts';
import { breathing } from './breath.ts';
import { BROKEN_GRACE_MS, type Entries, type Entry, isExpired, markBroken, readEntries } from './policy-entries.ts';
import type { PolicyFile, PolicySource } from './policy-source.ts';

export interface PolicyReloadOptions {
  readonly source: PolicySource;
  readonly ceilings: ReadonlyMap<string, Ceiling>;
  readonly clock: Clock;
  readonly log: Log;
  /** Told after another set became active. */
  readonly onChange: () => void;
}

/** The policies in force. `start` reads them and watches; `current` is what decisions are made by. */
export class ActivePolicies {
  readonly #options: PolicyReloadOptions;
  #entries: Entries = new Map();
  /** Those of the entries whose file is broken. */
  #broken: readonly Entry[] = [];
  #set: PolicySet = buildPolicySet([]);
  /** When the first of the broken files loses its last good version; null: none is broken. */
  #expiresAt: MonotonicMs | null = null;
  #unwatch: (() => void) | undefined;
  #reloading: Promise<void> | undefined;
  #reloadAgain = false;

  constructor(options: PolicyReloadOptions) {
    this.#options = options;
  }

  /** Reads every file and watches from then on. Throws ERR_POLICIES_INVALID with all problems of all files. */
  async start(): Promise<void> {
    const { entries, problems } = await this.#read(await this.#options.source.list());
    if (problems.length > 0) throw new JobpassError('ERR_POLICIES_INVALID', formatProblems(problems));
    await this.#activate(entries);
    this.#unwatch = this.#options.source.watch(() => void this.reload());
    this.#options.log.info({ roles: this.#set.size, set: this.#set.id }, 'policies are active');
  }

  /** Ends the watching and waits for a reload that is under way. */
  async close(): Promise<void> {
    this.#unwatch?.();
    await this.#reloading;
  }

  /** The active set. A file that stayed broken for too long drops out here, at the moment it is due. */
  current(): PolicySet {
    const now = this.#options.clock.monotonicMs();
    if (this.#expiresAt !== null && now >= this.#expiresAt) {
      const expired = this.#broken.filter((entry) => isExpired(entry, now));
      this.#broken = this.#broken.filter((entry) => !isExpired(entry, now));
      this.#expiresAt = dueAt(this.#broken);
      this.#swap(
        withoutRoles(
          this.#set,
          expired.map((entry) => entry.role.ref),
        ),
      );
      this.#options.log.warn({ set: this.#set.id }, 'roles of files that stayed broken are off');
    }
    return this.#set;
  }

  /** False while this may not be what all replicas decide by: then nobody may decide by it. */
  isFresh(): boolean {
    return this.#options.source.isFresh?.() ?? true;
  }

  /** Reads the files again; calls during a reload cause one more after it. Never rejects. */
  reload(): Promise<void> {
    if (this.#reloading !== undefined) {
      this.#reloadAgain = true;
      return this.#reloading;
    }
    this.#reloading = this.#reloadUntilSettled().finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  async #reloadUntilSettled(): Promise<void> {
    do {
      this.#reloadAgain = false;
      await this.#reloadOnce();
    } while (this.#reloadAgain);
  }

  async #reloadOnce(): Promise<void> {
    const { log, source } = this.#options;
    const before = this.#set.id;
    const files = await source.list().catch((error: unknown) => {
      log.error({ err: error }, 'the policies could not be read');
      return undefined;
    });
    if (files === undefined) {
      // What cannot be read is not known to be deleted, nor to be as it was: every file counts as broken from now on.
      const now = this.#options.clock.monotonicMs();
      await this.#activate(new Map([...this.#entries].map(([path, entry]) => [path, markBroken(entry, now)])));
    } else {
      const { entries, problems } = await this.#read(files);
      if (problems.length > 0) {
        log.error(
          { problems },
          'policy files are broken: their last good versions stay for 10 minutes, then their roles are off',
        );
      }
      await this.#activate(entries);
    }
    if (this.#set.id !== before) log.info({ roles: this.#set.size, set: this.#set.id }, 'policies changed');
  }

  #read(files: readonly PolicyFile[]): ReturnType<typeof readEntries> {
    return readEntries(files, { ...this.#options, inForce: this.#entries });
  }

  /** Makes the entries that are good, or not broken for too long, the active set in one step. */
  async #activate(entries: Entries): Promise<void> {
    const breathe = breathing(this.#options.clock);
    const kept = new Map<string, Entry>();
    const broken: Entry[] = [];
    const roles: Role[] = [];
    for (const [path, entry] of entries) {
      await breathe();
      if (isExpired(entry, this.#options.clock.monotonicMs())) continue;
      kept.set(path, entry);
      roles.push(entry.role);
      if (entry.brokenSince !== null) broken.push(entry);
    }
    const set = await buildPolicySetSlowly(roles, breathe);
    this.#entries = kept;
    this.#broken = broken;
    this.#expiresAt = dueAt(broken);
    this.#swap(set);
    // What became due while the set was built must not be in force for a moment.
    this.current();
  }

  #swap(set: PolicySet): void {
    if (set.id === this.#set.id) return;
    this.#set = set;
    this.#options.onChange();
  }
}

/** When the first of them is due; null: none is broken. */
const dueAt = (broken: readonly Entry[]): MonotonicMs | null =>
  broken.reduce<MonotonicMs | null>((least, { brokenSince }) => {
    const due = (brokenSince ?? 0) + BROKEN_GRACE_MS;
    return least === null || due < least ? due : least;
  }, null);
