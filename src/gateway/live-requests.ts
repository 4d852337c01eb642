// Requests that are being served at this moment, and the watch over them: what was true when one was let in must stay true.
import { type Failure, failure } from '../base/core/reasons.ts';
import type { Log } from '../base/ports/log.ts';

/** Well below the 2 s in which the end of a job must be felt. */
const WATCH_INTERVAL_MS = 250;

export interface LiveRequest {
  /** Why it may go on no longer, or undefined. */
  check(): Failure | undefined;
  /** Ends it on both sides. Called at most once, after which it is forgotten. */
  abort(reason: Failure): void;
}

/** All live requests of a gateway. */
export class LiveRequests {
  readonly #live = new Set<LiveRequest>();
  readonly #log: Log;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Watches a request until the returned function is called. */
  add(request: LiveRequest): () => void {
    this.#live.add(request);
    return () => {
      this.#live.delete(request);
    };
  }

  get size(): number {
    return this.#live.size;
  }

  /** Aborts what may not go on, and what cannot be checked. One that cannot be aborted does not keep the others alive. */
  sweep(): void {
    for (const request of this.#live) {
      try {
        const reason = checkOf(request);
        if (reason === undefined) continue;
        this.#live.delete(request);
        request.abort(reason);
      } catch (cause) {
        this.#log.error({ cause: String(cause) }, 'a request could not be aborted');
      }
    }
  }

  /** Sweeps every WATCH_INTERVAL_MS until `close`: expiry and staleness come without any message. */
  start(): void {
    this.#timer = setInterval(() => this.sweep(), WATCH_INTERVAL_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function checkOf(request: LiveRequest): Failure | undefined {
  try {
    return request.check();
  } catch (cause) {
    return failure('internal_failure', String(cause));
  }
}
