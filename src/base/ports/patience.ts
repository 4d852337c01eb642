// A part of ports: how long a request waits for its store, one time for all that it asks, not one for each question. It knows no store.
import { AsyncLocalStorage } from 'node:async_hooks';

/** Nobody waits longer for a store; what a database itself enforces ends a little sooner. */
export const PATIENCE_MS = 2000;

/** What a request has waited so far. Questions that it asks beside each other take their time together. */
class Patience {
  /** The request was answered: whatever it left running waits on its own account. */
  isOver = false;
  #spentMs = 0;
  #waits = 0;
  #since = 0;

  begin(): Wait {
    const leftMs = Math.max(0, PATIENCE_MS - this.#spentAt(performance.now()));
    if (this.#waits === 0) this.#since = performance.now();
    this.#waits += 1;
    return { leftMs, end: () => this.#end() };
  }

  #end(): void {
    this.#spentMs = this.#spentAt(performance.now());
    this.#since = performance.now();
    this.#waits -= 1;
  }

  #spentAt(now: number): number {
    return this.#spentMs + (this.#waits === 0 ? 0 : now - this.#since);
  }
}

/** One question that is under way. */
export interface Wait {
  /** So long it may take; 0: it need not be asked. */
  readonly leftMs: number;
  /** To be called once, when it was answered or given up. */
  readonly end: () => void;
}

const ofRequest = new AsyncLocalStorage<Patience | undefined>();

/** Runs the work of one request: all that it asks of stores until it settles takes PATIENCE_MS at most, in all. */
export async function withOnePatience<T>(work: () => Promise<T>): Promise<T> {
  const patience = new Patience();
  try {
    return await ofRequest.run(patience, work);
  } finally {
    patience.isOver = true;
  }
}

/** Runs work that asks as often as it must, though a request waits for it: each of its questions has a patience of its own. */
export const withPatienceForEach = <T>(work: () => Promise<T>): Promise<T> => ofRequest.run(undefined, work);

/** Begins a question to a store, by the patience of the request that asks; outside of requests each has its own. */
export function beginWait(): Wait {
  const patience = ofRequest.getStore();
  return (patience === undefined || patience.isOver ? new Patience() : patience).begin();
}
