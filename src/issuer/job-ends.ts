// When a job is over, and the one place that ends jobs: finish call, deadline, missed heartbeat. It tells nobody but
// the store and the bell.
import type { EpochSeconds } from '../base/core/time.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { Log } from '../base/ports/log.ts';
import type { EventBell } from './event-bell.ts';
import type { IssuerStore, Job, JobEndReason } from './store.ts';

/**
 * Longer than the longest session (12 h) and the clocks' differences: an event nobody fetched by then protects nothing.
 */
export const EVENT_LIFETIME_SECONDS = 24 * 3600;

const SWEEP_PAGE = 200;
/** A bound on one sweep; the next one goes on. */
const MAX_SWEEP_PAGES = 50;

/**
 * When a running job ends by itself, and why. `heartbeat_seconds` is the longest silence: whoever sends a heartbeat
 * every third of it survives lost ones and a restart of the issuer.
 */
function ownEnd(job: Job): { readonly at: EpochSeconds; readonly reason: JobEndReason } {
  if (job.heartbeatSeconds !== null) {
    const at = job.lastHeartbeatAt + job.heartbeatSeconds;
    if (at < job.deadline) return { at, reason: 'heartbeat_missed' };
  }
  return { at: job.deadline, reason: 'deadline' };
}

/** Ends jobs durably, then wakes those who wait for it. */
export class JobEnds {
  readonly #store: IssuerStore;
  readonly #clock: Clock;
  readonly #bell: EventBell;
  readonly #log: Log;

  constructor(dependencies: {
    readonly store: IssuerStore;
    readonly clock: Clock;
    readonly bell: EventBell;
    readonly log: Log;
  }) {
    this.#store = dependencies.store;
    this.#clock = dependencies.clock;
    this.#bell = dependencies.bell;
    this.#log = dependencies.log;
  }

  /** The job as it stands now: one that is past its own end is ended first, whether or not the sweeper has seen it. */
  async settle(job: Job): Promise<Job> {
    if (job.endedAt !== null) return job;
    const end = ownEnd(job);
    return end.at <= this.#clock.nowSeconds() ? await this.#end(job, end.at, end.reason) : job;
  }

  /** Ends the job at its controller's word. The first end wins. */
  async finish(job: Job): Promise<Job> {
    const settled = await this.settle(job);
    return settled.endedAt === null ? await this.#end(settled, this.#clock.nowSeconds(), 'finished') : settled;
  }

  /** Ends every job that is past its own end. Returns how many. */
  async sweep(): Promise<number> {
    let ended = 0;
    for (let page = 0; page < MAX_SWEEP_PAGES; page += 1) {
      const overdue = await this.#store.listOverdueJobs(this.#clock.nowSeconds(), SWEEP_PAGE);
      const settled = await Promise.all(overdue.map((job) => this.settle(job)));
      const now = settled.filter((job) => job.endedAt !== null).length;
      ended += now;
      if (now === 0 || overdue.length < SWEEP_PAGE) break;
    }
    return ended;
  }

  async #end(job: Job, at: EpochSeconds, reason: JobEndReason): Promise<Job> {
    const eventExpiresAt = this.#clock.nowSeconds() + EVENT_LIFETIME_SECONDS;
    const ended =
      (await this.#store.endJob(job.id, { at, reason, eventExpiresAt })) ?? (await this.#store.findJob(job.id));
    this.#bell.ring();
    const { endedAt, endReason } = ended ?? { endedAt: at, endReason: reason };
    this.#log.info({ job: job.id, controller: job.controller, reason: endReason }, 'job ended');
    return { ...job, ...ended, endedAt: endedAt ?? at, endReason: endReason ?? reason };
  }
}
