// Owns what is under way in a store, so that closing it can end everything. It knows nothing of objects.
import type { Readable } from 'node:stream';

/** Calls, transfers and open streams, each of which `close` ends or waits for. */
export class Tasks {
  readonly #calls = new Set<Promise<unknown>>();
  readonly #transfers = new Set<AbortController>();
  readonly #streams = new Set<Readable>();
  #isClosed = false;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** `close` waits for this call. */
  track<T>(call: Promise<T>): Promise<T> {
    this.#calls.add(call);
    const forget = (): void => {
      this.#calls.delete(call);
    };
    call.then(forget, forget);
    return call;
  }

  /** Runs `work` with a signal that the caller's signal and `close` both end. */
  async transfer<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const onAbort = (): void => controller.abort(signal.reason);
    if (signal.aborted || this.#isClosed) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#transfers.add(controller);
    try {
      return await work(controller.signal);
    } finally {
      this.#transfers.delete(controller);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Watches a stream until it closes: the signal or `close` destroys it, with an error. */
  watch(stream: Readable, signal: AbortSignal): void {
    const onAbort = (): void => {
      stream.destroy(new Error('the caller ended the transfer'));
    };
    this.#streams.add(stream);
    signal.addEventListener('abort', onAbort, { once: true });
    stream.once('close', () => {
      this.#streams.delete(stream);
      signal.removeEventListener('abort', onAbort);
    });
    if (signal.aborted || this.#isClosed) onAbort();
  }

  /** Ends everything and waits for it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const transfer of this.#transfers) transfer.abort(new Error('the object store closes'));
    await Promise.allSettled(this.#calls);
    await Promise.all([...this.#streams].map(ended));
  }
}

function ended(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    stream.once('close', () => resolve());
    stream.destroy(new Error('the object store closes'));
  });
}
