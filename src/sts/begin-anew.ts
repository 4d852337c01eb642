// How an STS begins anew when its store may not hold all that was acknowledged: every session ends, no token of before is taken, and
// every issuer is heard again from the beginning.
import { beginRecord } from '../base/audit/begin-record.ts';
import type { AuditStore } from '../base/audit/store.ts';
import { StoreWatch, type StoreWatchOptions } from '../base/audit/store-watch.ts';
import { JobpassError } from '../base/core/errors.ts';
import { encodeBase64url } from '../base/jwt/base64url.ts';
import type { Random } from '../base/ports/random.ts';
import type { SettleDeps } from './settle.ts';
import type { StoreIdentity, StsStore } from './store.ts';

const STORE_ID_BYTES = 16;

/** A name that no store had before. */
export const freshIdentity = (random: Random, bornAt: number): StoreIdentity => ({
  id: encodeBase64url(random.bytes(STORE_ID_BYTES)),
  bornAt,
});

interface StsWatchOptions extends Omit<StoreWatchOptions, 'begin' | 'store'> {
  readonly store: StsStore & AuditStore;
  readonly random: Random;
}

/** The watch over an STS's store. */
export function watchStsStore(options: StsWatchOptions): StoreWatch {
  const { clock, random, store } = options;
  return new StoreWatch({
    ...options,
    begin: async (begin) => {
      const { expectedGeneration, history, now } = begin;
      const identity = freshIdentity(random, now);
      const record = beginRecord(begin, { clock, random, server: 'sts' });
      return (await store.beginAnew({ expectedGeneration, history, identity, now, record })) !== undefined;
    },
  });
}

const notSettled = (): JobpassError =>
  new JobpassError('ERR_STORE_HISTORY', 'the store may be another one than was known: it begins anew first');

/** The store as grants see it: while it may be another one than was known, none is made. */
export const grantingStore = (
  store: SettleDeps['store'],
  watch: Pick<StoreWatch, 'isSettled'>,
): SettleDeps['store'] => ({
  grant: async (grant) => {
    if (watch.isSettled) return store.grant(grant);
    throw notSettled();
  },
  recordRefusal: (record) => store.recordRefusal(record),
  recordAction: (record) => store.recordAction(record),
  findUse: (use) => store.findUse(use),
  findSession: (id) => store.findSession(id),
  highWaterMark: () => store.highWaterMark(),
  listEpochs: () => store.listEpochs(),
  listFreezes: () => store.listFreezes(),
});

/** What gateways, resources and callers are told by. */
type ToldStore = Pick<StsStore, 'findSession' | 'highWaterMark' | 'identity' | 'listEndedSessions' | 'listEpochs'>;

/** The store as whoever asks about sessions sees it: while it may be another one than was known, nothing is told, as it may miss ends. */
export function tellingStore(store: ToldStore, watch: Pick<StoreWatch, 'isSettled'>): ToldStore {
  const told = async <T>(read: () => Promise<T>): Promise<T> => {
    if (watch.isSettled) return read();
    throw notSettled();
  };
  return {
    findSession: (id) => told(() => store.findSession(id)),
    highWaterMark: () => told(() => store.highWaterMark()),
    identity: () => told(() => store.identity()),
    listEndedSessions: (...asked) => told(() => store.listEndedSessions(...asked)),
    listEpochs: () => told(() => store.listEpochs()),
  };
}
