// Whose turn it is at the upstream: bounds the connections to it, for all callers and for each, and lets the rest wait a
// while. It opens no connection.
import { type Failure, failure } from '../base/core/reasons.ts';
import type { CarriedSession } from '../base/credential/carried-session.ts';

/** Connections to one upstream. */
export const MAX_CONNECTIONS = 512;
/** Of these, how many one caller may hold: far more than a job needs, far fewer than would shut the others out. */
export const MAX_CONNECTIONS_OF_CALLER = 32;
/** Who had no turn by then is told to come again rather than left hanging. */
export const MAX_WAIT_MS = 5000;

export interface Turn {
  /** The connection may be opened; called at most once, at once or later. */
  readonly onTurn: () => void;
  /** It did not come in time (`upstream_busy`); called instead. */
  readonly onTimeout: (reason: Failure) => void;
}

interface Waiting extends Turn {
  readonly caller: string;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Who shares one caller's turns: the sessions of one job, else each session alone. */
export const callerOf = ({ jobId, jobIssuer, sessionId }: CarriedSession): string =>
  jobId === null ? `session ${sessionId}` : `job ${JSON.stringify([jobIssuer, jobId])}`;

/** The connections of one upstream, held and waited for. */
export class Turns {
  #held = 0;
  readonly #heldBy = new Map<string, number>();
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiting>();

  /**
   * Asks for a connection in the name of `caller`. The returned function gives it back, or gives up waiting for it; calling
   * it again does nothing.
   */
  take(caller: string, turn: Turn): () => void {
    if (this.#hasRoomFor(caller)) {
      const release = this.#hold(caller);
      turn.onTurn();
      return release;
    }
    let leave = (): void => {
      clearTimeout(waiting.timer);
      this.#waiting.delete(waiting);
    };
    const onTurn = (): void => {
      leave();
      leave = this.#hold(caller);
      turn.onTurn();
    };
    const onTimeout = (): void => {
      leave();
      turn.onTimeout(failure('upstream_busy', `no connection to the upstream became free within ${MAX_WAIT_MS} ms`));
    };
    const waiting: Waiting = { caller, onTurn, onTimeout, timer: setTimeout(onTimeout, MAX_WAIT_MS) };
    this.#waiting.add(waiting);
    return () => leave();
  }

  #hasRoomFor(caller: string): boolean {
    return this.#held < MAX_CONNECTIONS && (this.#heldBy.get(caller) ?? 0) < MAX_CONNECTIONS_OF_CALLER;
  }

  #hold(caller: string): () => void {
    let isHeld = true;
    this.#held += 1;
    this.#heldBy.set(caller, (this.#heldBy.get(caller) ?? 0) + 1);
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#release(caller);
    };
  }

  #release(caller: string): void {
    this.#held -= 1;
    const left = (this.#heldBy.get(caller) ?? 1) - 1;
    if (left === 0) this.#heldBy.delete(caller);
    else this.#heldBy.set(caller, left);
    // One became free, so one more fits at most.
    for (const waiting of this.#waiting) {
      if (!this.#hasRoomFor(waiting.caller)) continue;
      waiting.onTurn();
      return;
    }
  }
}
