// A part of ports: hearing that others changed what a store holds, and looking soon without looking all the time.

/** A store that tells of changes. */
export interface WatchableStore {
  /**
   * Calls back when something that others wait for may have changed: ends, epochs, key rings, policies, whichever replica changed it. It
   * is a hint: it may come late, more often than needed, or not at all where only one process has the store. The function returned
   * ends it.
   */
  watch(onChange: () => void): () => void;
}

/** Soon for whoever waits, and a server that ends hundreds of jobs a second makes no more than twenty looks of it. */
const CALM_MS = 50;

/** Calls `look` after the store told of a change, once for all that it told of within CALM_MS. The function returned ends it. */
export function lookSoon(store: WatchableStore, look: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const unwatch = store.watch(() => {
    timer ??= setTimeout(() => {
      timer = undefined;
      look();
    }, CALM_MS);
  });
  return () => {
    unwatch();
    clearTimeout(timer);
  };
}
