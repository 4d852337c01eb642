// A part of two ports: hearing that others changed what a store holds.

/** A store that tells of changes. */
export interface WatchableStore {
  /**
   * Calls back when something that others wait for may have changed: ends, epochs, key rings, policies, whichever replica changed it. It
   * is a hint: it may come late, more often than needed, or not at all where only one process has the store. The function returned
   * ends it.
   */
  watch(onChange: () => void): () => void;
}
