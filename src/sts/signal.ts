// Waiting inside the STS: for news, or for time to pass. Nothing here decides anything.

/** Lets many wait for the next news of one kind. */
export class Signal {
  #waiting = new Set<() => void>();

  /** Wakes everyone who waits now. */
  notify(): void {
    const woken = this.#waiting;
    this.#waiting = new Set();
    for (const wake of woken) wake();
  }

  /** Resolves at the next news, after `timeoutMs`, or when `abort` fires, whichever comes first. Never rejects. */
  wait(timeoutMs: number, abort: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        abort.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiting.add(done);
      abort.addEventListener('abort', done);
      if (abort.aborted) done();
    });
  }
}

/** Resolves after `ms`, or at once when `abort` fires. Never rejects. */
export const pause = (ms: number, abort: AbortSignal): Promise<void> => new Signal().wait(ms, abort);
