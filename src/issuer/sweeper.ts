// Ends overdue jobs every second, whether or not anybody asks for them, and lets the store forget what is no longer
// needed.
import type { Clock } from '../base/ports/clock.ts';
import type { Log } from '../base/ports/log.ts';
import type { JobEnds } from './job-ends.ts';
import type { IssuerStore } from './store.ts';

const SWEEP_INTERVAL_MS = 1000;
const PRUNE_EVERY_SWEEPS = 60;

/** A timer around `JobEnds.sweep`. One sweep at a time; one that fails is tried again with the next tick. */
export class Sweeper {
  readonly #ends: JobEnds;
  readonly #store: IssuerStore;
  readonly #clock: Clock;
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #sweeps = 0;
  #failing = false;

  constructor(dependencies: {
    readonly ends: JobEnds;
    readonly store: IssuerStore;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#ends = dependencies.ends;
    this.#store = dependencies.store;
    this.#clock = dependencies.clock;
    this.#log = dependencies.log;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.tick(), SWEEP_INTERVAL_MS);
    this.#timer.unref();
  }

  /** One sweep; joins the running one. Never rejects. */
  tick(): Promise<void> {
    this.#running ??= this.#sweep().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** No sweep is under way afterwards. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }

  async #sweep(): Promise<void> {
    try {
      await this.#ends.sweep();
      if (this.#sweeps % PRUNE_EVERY_SWEEPS === 0) await this.#store.prune(this.#clock.nowSeconds());
      this.#sweeps += 1;
      if (this.#failing) this.#log.info({}, 'overdue jobs are ended again');
      this.#failing = false;
    } catch (cause) {
      // Said once, not every second. Nothing is granted meanwhile: every route checks a job's own end by itself.
      if (!this.#failing) this.#log.error({ err: cause }, 'overdue jobs cannot be ended');
      this.#failing = true;
    }
  }
}
