// Watches whether a store is still the one that this server knows. When it is not, it sees to it that the store begins anew before
// anything is granted. How a store begins anew is each server's own business.
import type { BeginningStore } from '../core/beginning.ts';
import { JobpassError } from '../core/errors.ts';
import type { EpochSeconds } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { AuditStore } from './store.ts';
import { type BeginCause, judgeStore, type LostRecords, type StoreView, type Witness, witnessOf } from './witness.ts';

/** Where the witness is kept: outside the database. */
export interface WitnessPort {
  /** Undefined when there is none, or none that can be read whole. */
  read(): Promise<Witness | undefined>;
  /** Replaces it in one step. Rejects when it cannot. */
  write(witness: Witness): Promise<void>;
}

/** The store, as far as it is watched. */
interface WatchedStore extends BeginningStore, Pick<AuditStore, 'listHeads'> {
  highWaterMark(): Promise<EpochSeconds>;
}

/** One beginning that is to be made durable. */
export interface Begin {
  readonly cause: BeginCause;
  readonly lost: readonly LostRecords[];
  readonly expectedGeneration: number;
  readonly history: string;
  /** Not before anything that was seen in the store. */
  readonly now: EpochSeconds;
}

/** What is watched, and how it begins anew. */
export interface StoreWatchOptions {
  readonly store: WatchedStore;
  readonly witness: WitnessPort;
  /** Makes the store begin anew; false, and nothing happened, when another server did meanwhile. */
  readonly begin: (begin: Begin) => Promise<boolean>;
  /** Several servers share the store. Then one that knows it vouches for it to those that are new. */
  readonly isShared: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Several beginnings in a row would mean that two servers undo each other's: then the next look decides. */
const MAX_ROUNDS = 3;
const LOOK_EVERY_MS = 1000;
/** Who vouches does so once a second, give or take. */
const VOUCHED_WITHIN_MS = 3000;
const VOUCHED_LOOK_MS = 250;

/** Knows whether the store is the one it was: from `open`, then by a look each second from `start` to `close`. */
export class StoreWatch {
  readonly #options: StoreWatchOptions;
  readonly #listeners: (() => void)[] = [];
  #witness: Witness | undefined;
  #accepted: string | undefined;
  #hasRead = false;
  #isSettled = false;
  #looking: Promise<void> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #problem: string | undefined;

  constructor(options: StoreWatchOptions) {
    this.#options = options;
  }

  /** False while the store may be another one than was known: then nothing may be granted. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** `listener` is told of every beginning, whoever made it: what was heard before it counts no more. */
  onBegun(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** The first look. Rejects when the store, or the witness, cannot be had, and with ERR_STORE_EMPTY when the store lost everything. */
  async open(): Promise<void> {
    this.#witness = await this.#options.witness.read();
    this.#hasRead = true;
    const history = await this.#options.store.history();
    this.#accept(history);
    if (this.#witness === undefined && (await this.#isVouchedFor()))
      this.#witness = witnessOf(await this.#view(history));
    await this.#settle(history);
  }

  /** Whether another server is at work on the store, one that knows it: its word grows while this one looks on. */
  async #isVouchedFor(): Promise<boolean> {
    const { isShared, store } = this.#options;
    if (!isShared || (await store.highWaterMark()) + (await store.listHeads()).length === 0) return false;
    const first = await store.beginning();
    for (let waited = 0; waited < VOUCHED_WITHIN_MS; waited += VOUCHED_LOOK_MS) {
      await new Promise((resolve) => setTimeout(resolve, VOUCHED_LOOK_MS));
      const { isRestored, vouchedAt } = await store.beginning();
      if (isRestored) return false;
      if (vouchedAt !== null && vouchedAt > (first.vouchedAt ?? 0)) return true;
    }
    return false;
  }

  /** Looks once a second from now on. */
  start(): void {
    this.#timer ??= setInterval(() => void this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Looks once; joins a look under way. Never rejects: while the store is away, what was known of it stays known. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** The last look is over, and the witness is as new as it gets. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#hasRead) await this.look();
  }

  async #look(): Promise<void> {
    try {
      await this.#settle(this.#witness?.history ?? (await this.#options.store.history())).catch(
        async (error: unknown) => {
          if (!isOtherHistory(error)) throw error;
          this.#isSettled = false;
          await this.#settle(await this.#options.store.history());
        },
      );
      if (this.#problem !== undefined) this.#options.log.info({}, 'the store is watched again');
      this.#problem = undefined;
    } catch (error) {
      const problem = String(error);
      if (problem !== this.#problem) this.#options.log.warn({ err: error }, 'the store could not be looked at');
      this.#problem = problem;
    }
  }

  /** Judges the store until it is the known one, and remembers it. `history`: the one that is there now. */
  async #settle(history: string): Promise<void> {
    const { log, store } = this.#options;
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      this.#accept(history);
      const found = await this.#view(history);
      const standing = judgeStore(this.#witness, found);
      if (standing.kind === 'empty') {
        this.#isSettled = false;
        throw emptyStore(this.#witness);
      }
      if (standing.kind !== 'anew') {
        if (standing.kind === 'begun') {
          reportLost(log, standing.lost);
          this.#tell();
        }
        await this.#remember(found);
        this.#isSettled = true;
        if (this.#options.isShared) await store.vouch(this.#options.clock.nowSeconds());
        return;
      }
      this.#isSettled = false;
      await this.#begin(found, standing);
    }
    throw new JobpassError('ERR_STORE_UNAVAILABLE', 'the store begins anew again and again');
  }

  async #begin(found: StoreView, { cause, lost }: { cause: BeginCause; lost: readonly LostRecords[] }): Promise<void> {
    const { begin, clock, log } = this.#options;
    log.error({ cause, history: found.history }, 'the store may not hold all that was acknowledged: it begins anew');
    reportLost(log, lost);
    const now = Math.max(clock.nowSeconds(), this.#witness?.mark ?? 0);
    const { generation: expectedGeneration } = found.beginning;
    if (!(await begin({ cause, lost, expectedGeneration, history: found.history, now }))) return;
    this.#tell();
    // What was seen before the beginning is accounted for; the next look is at what there is now.
    const beginning = { ...found.beginning, generation: expectedGeneration + 1, at: now, isRestored: false };
    this.#witness = witnessOf({ ...found, beginning });
  }

  async #view(history: string): Promise<StoreView> {
    const { store } = this.#options;
    const beginning = await store.beginning();
    const mark = await store.highWaterMark();
    return { history, beginning, mark, heads: await store.listHeads() };
  }

  async #remember(found: StoreView): Promise<void> {
    const witness = witnessOf(found);
    if (JSON.stringify(witness) === JSON.stringify(this.#witness)) return;
    await this.#options.witness.write(witness);
    this.#witness = witness;
  }

  /** Only what stands behind an accepted history can be read; nothing is granted meanwhile. */
  #accept(history: string): void {
    if (this.#accepted !== history) this.#options.store.acceptHistory(history);
    this.#accepted = history;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

const isOtherHistory = (error: unknown): boolean => error instanceof JobpassError && error.code === 'ERR_STORE_HISTORY';

function reportLost(log: Log, lost: readonly LostRecords[]): void {
  for (const { from, to, writer } of lost) log.error({ writer, from, to }, 'audit records are lost');
}

const emptyStore = (witness: Witness | undefined): JobpassError =>
  new JobpassError(
    'ERR_STORE_EMPTY',
    `the database is empty, but ${witness?.heads.length ?? 0} audit chains were in it`,
    {
      hint: 'is it the right one? jobpass restore FILE puts a backup back, jobpass restore --mark begins with the empty one',
    },
  );
