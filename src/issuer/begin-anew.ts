// How an issuer begins anew when its store may not hold all that was acknowledged: whatever it takes for running is over, because it may
// have ended before, and who hears its events is told since when it knows everything.
import { beginRecord } from '../base/audit/begin-record.ts';
import type { AuditStore } from '../base/audit/store.ts';
import { StoreWatch, type StoreWatchOptions } from '../base/audit/store-watch.ts';
import type { Random } from '../base/ports/random.ts';
import { EVENT_LIFETIME_SECONDS } from './job-ends.ts';
import type { IssuerStore } from './store.ts';

interface IssuerWatchOptions extends Omit<StoreWatchOptions, 'begin' | 'store'> {
  readonly store: IssuerStore & AuditStore;
  readonly random: Random;
}

/** The watch over an issuer's store. */
export function watchIssuerStore(options: IssuerWatchOptions): StoreWatch {
  const { clock, log, random, store } = options;
  return new StoreWatch({
    ...options,
    begin: async (begin) => {
      const { expectedGeneration, history, now } = begin;
      const record = beginRecord(begin, { clock, random, server: 'issuer' });
      const eventExpiresAt = now + EVENT_LIFETIME_SECONDS;
      const ended = await store.beginAnew({ expectedGeneration, history, now, eventExpiresAt, record });
      if (ended !== undefined) log.warn({ jobs: ended }, 'every job that was taken for running has been ended');
      return ended !== undefined;
    },
  });
}
