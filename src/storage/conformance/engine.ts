// What a storage engine offers the conformance suite. Nothing here knows one engine from another.
import type { StsStore, Tombstone } from '../../sts/store.ts';

/** One fresh, empty store, with the means to look at it as another replica or after a restart. */
export interface StoreInstance<Store> {
  readonly store: Store;
  /** Another, independent connection to the same data. */
  replica(): Promise<Store>;
  /** Ends every connection and opens the data again. */
  restart(): Promise<Store>;
  /** Ends every connection and deletes the data. */
  destroy(): Promise<void>;
}

/** Makes stores to test. */
export interface StoreEngine<Store, Instance extends StoreInstance<Store> = StoreInstance<Store>> {
  create(): Promise<Instance>;
}

/** A write of the STS that stays uncommitted for a while. */
export type HeldWrite =
  | { readonly kind: 'grant'; readonly grant: Parameters<StsStore['grant']>[0] }
  | { readonly kind: 'bury'; readonly tombstone: Tombstone }
  | { readonly kind: 'raise'; readonly raise: Parameters<StsStore['raiseEpoch']>[0] }
  | { readonly kind: 'freeze'; readonly freeze: Parameters<StsStore['setFreeze']>[0] };

/** Runs the write as anybody would. */
export function runHeldWrite(store: StsStore, write: HeldWrite): Promise<unknown> {
  switch (write.kind) {
    case 'grant':
      return store.grant(write.grant);
    case 'bury':
      return store.buryJobs([write.tombstone]);
    case 'raise':
      return store.raiseEpoch(write.raise);
    case 'freeze':
      return store.setFreeze(write.freeze);
  }
}

/** The STS's store can also be caught in the middle of a transaction. */
export interface StsStoreInstance extends StoreInstance<StsStore> {
  /**
   * Runs `write` on a connection that shares no thread with this one, through the adapter's own code. Resolves when
   * every statement has run and the commit has not; the commit follows `holdMs` later and settles `committed`.
   */
  hold(write: HeldWrite, holdMs: number): Promise<{ readonly committed: Promise<void> }>;
}
