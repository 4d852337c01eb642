// One permitted call while it lasts: its turn at the store, the watch over its session, and its end when the caller leaves, falls
// silent or may go on no longer. It knows no operation and no protocol.
import type { ServerResponse } from 'node:http';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { LiveRequests } from '../live-requests.ts';
import type { Caller, Turns } from '../turns.ts';

/** Nothing moved in either direction for so long. */
export const IDLE_TIMEOUT_MS = 120_000;

/** Why a call is cut: what may go on no longer, or a caller that fell silent. */
export interface CutReason extends Failure {
  readonly isIdle: boolean;
}

export interface LiveCallOptions {
  readonly res: ServerResponse;
  readonly live: LiveRequests;
  /** Why the call may go on no longer, or undefined. */
  readonly check: () => Failure | undefined;
  /** Ends the exchange with the caller; called at most once, and never after `close`. */
  readonly onCut: (reason: CutReason) => void;
}

/** A call under watch. */
export class LiveCall {
  readonly #o: LiveCallOptions;
  readonly #ended = new AbortController();
  readonly #closers: (() => void)[] = [];
  #closed = false;

  constructor(options: LiveCallOptions) {
    this.#o = options;
  }

  /** Aborts as soon as nothing may be read, stored or sent any more. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Begins the watch. */
  start(): void {
    const { res, live, check } = this.#o;
    // It closes when the answer is complete, too; only before that is the caller gone.
    const onClose = (): void => {
      if (!res.writableFinished) this.#ended.abort();
    };
    res.once('close', onClose);
    const idle = { ...failure('request_malformed', 'nothing moved for too long'), isIdle: true };
    res.setTimeout(IDLE_TIMEOUT_MS, () => this.#cut(idle));
    const forget = live.add({ check, abort: (reason) => this.#cut({ ...reason, isIdle: false }) });
    this.#closers.push(forget, () => res.off('close', onClose));
    if (res.destroyed) onClose();
  }

  /** Waits for the call's turn at the store, which `close` gives back. Fails with `upstream_busy`; not at all once aborted. */
  turn(turns: Turns, caller: Caller): Promise<Result<null, Failure>> {
    return new Promise((resolve) => {
      const onTimeout = (reason: Failure): void => resolve(err(reason));
      this.#closers.push(turns.take(caller, { onTurn: () => resolve(ok(null)), onTimeout }));
      this.signal.addEventListener('abort', () => resolve(ok(null)), { once: true });
    });
  }

  /** The call is over: its turn is given back, and nobody watches it any more. May be called again. */
  close(): void {
    this.#closed = true;
    for (const close of this.#closers.splice(0)) close();
  }

  #cut(reason: CutReason): void {
    if (this.#closed || this.signal.aborted) return;
    // First the caller: what reads and writes here breaks the connection less clearly when it is aborted.
    this.#o.onCut(reason);
    this.#ended.abort();
  }
}
