// Wakes polls that wait for events of this process. It carries no events: whoever hears it reads the store.

/** Why a wait ended. */
type Awakening = 'rung' | 'over';

/** One listener, from before its first read of the store until its answer. */
export interface Ear {
  /**
   * Resolves at the first ring since the last wait (or since listening began), after `timeoutMs`, on abort, or on
   * close.
   */
  wait(timeoutMs: number, signal: AbortSignal): Promise<Awakening>;
  stop(): void;
}

/** Rung after each durable end of a job. */
export class EventBell {
  readonly #hear = new Set<() => void>();
  #closed = false;

  /** Listen before reading the store: an end between the read and the wait must not be slept through. */
  listen(): Ear {
    let rung = false;
    let wake = (): void => undefined;
    const hear = (): void => {
      rung = true;
      wake();
    };
    this.#hear.add(hear);
    const wait = async (timeoutMs: number, signal: AbortSignal): Promise<Awakening> => {
      if (!rung && !this.#closed && !signal.aborted) {
        const woken = Promise.withResolvers<void>();
        wake = woken.resolve;
        const timer = setTimeout(woken.resolve, timeoutMs);
        signal.addEventListener('abort', wake);
        await woken.promise;
        signal.removeEventListener('abort', wake);
        clearTimeout(timer);
      }
      const heard = rung && !this.#closed;
      rung = false;
      return heard ? 'rung' : 'over';
    };
    return { wait, stop: () => void this.#hear.delete(hear) };
  }

  ring(): void {
    for (const hear of this.#hear) hear();
  }

  /** Ends every wait, now and later. */
  close(): void {
    this.#closed = true;
    this.ring();
  }
}
