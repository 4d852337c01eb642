// Whose turn it is at the upstream: bounds the connections to it, for all callers and for each, and lets the rest wait a
// while. It opens no connection.
import { type Failure, failure } from '../base/core/reasons.ts';
import type { CarriedSession } from '../base/credential/carried-session.ts';

/** Connections to one upstream. */
export const MAX_CONNECTIONS = 512;
/** Of these, how many one caller may hold: far more than a job needs, far fewer than would shut the others out. */
export const MAX_CONNECTIONS_OF_CALLER = 32;
/**
 * And how many all callers of one role: without a job each session is a caller of its own, and whoever may have one may have any
 * number.
 */
export const MAX_CONNECTIONS_OF_ROLE = 384;
/** Who had no turn by then is told to come again rather than left hanging. */
export const MAX_WAIT_MS = 5000;

export interface Turn {
  /** The connection may be opened; called at most once, at once or later. */
  readonly onTurn: () => void;
  /** It did not come in time (`upstream_busy`); called instead. */
  readonly onTimeout: (reason: Failure) => void;
}

/** Whose connection it is. */
export interface Caller {
  readonly name: string;
  /** `tenant/name`. */
  readonly role: string;
}

interface Waiting extends Turn {
  readonly caller: Caller;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Who shares one caller's turns: the sessions of one job, else each session alone. */
export const callerOf = ({ jobId, jobIssuer, role, sessionId }: CarriedSession): Caller => ({
  name: jobId === null ? `session ${sessionId}` : `job ${JSON.stringify([jobIssuer, jobId])}`,
  role,
});

/** What each holds of something of which nobody may hold more than `most`. */
class Shares {
  readonly #most: number;
  readonly #held = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  hasRoom(name: string): boolean {
    return (this.#held.get(name) ?? 0) < this.#most;
  }

  add(name: string, count: 1 | -1): void {
    const held = (this.#held.get(name) ?? 0) + count;
    if (held === 0) this.#held.delete(name);
    else this.#held.set(name, held);
  }
}

/** The connections of one upstream, held and waited for. */
export class Turns {
  #held = 0;
  readonly #ofCaller = new Shares(MAX_CONNECTIONS_OF_CALLER);
  readonly #ofRole = new Shares(MAX_CONNECTIONS_OF_ROLE);
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiting>();

  /**
   * Asks for a connection in the name of `caller`. The returned function gives it back, or gives up waiting for it; calling
   * it again does nothing.
   */
  take(caller: Caller, turn: Turn): () => void {
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

  #hasRoomFor({ name, role }: Caller): boolean {
    return this.#held < MAX_CONNECTIONS && this.#ofCaller.hasRoom(name) && this.#ofRole.hasRoom(role);
  }

  #hold(caller: Caller): () => void {
    let isHeld = true;
    this.#held += 1;
    this.#ofCaller.add(caller.name, 1);
    this.#ofRole.add(caller.role, 1);
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#release(caller);
    };
  }

  #release({ name, role }: Caller): void {
    this.#held -= 1;
    this.#ofCaller.add(name, -1);
    this.#ofRole.add(role, -1);
    // One became free, so one more fits at most.
    for (const waiting of this.#waiting) {
      if (!this.#hasRoomFor(waiting.caller)) continue;
      waiting.onTurn();
      return;
    }
  }
}
