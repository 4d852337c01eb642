// Carries a permitted call out, under watch, and has it answered. What the call does and how its protocol answers, its front says.
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, type Result } from '../../base/core/result.ts';
import type { CarriedSession } from '../../base/credential/carried-session.ts';
import { type Permit, type Refusal, withdrawalOf } from '../authorize.ts';
import { cut } from '../connection.ts';
import type { LiveRequests } from '../live-requests.ts';
import type { Exchange, RequestDependencies } from '../request.ts';
import { callerOf, type Turns } from '../turns.ts';
import { LiveCall } from './live-call.ts';

export interface WatchDependencies extends RequestDependencies {
  readonly live: LiveRequests;
  /** Whose turn it is at the store. */
  readonly turns: Turns;
}

/** A permitted call: what it does, and how its front tells the outcome. `A` is an answer, `R` a refusal of that front. */
export interface WatchedCall<A, R extends Refusal> {
  readonly permit: Omit<Permit, 'statement'>;
  /** For the log. */
  readonly asked: { readonly method: string; readonly path: string };
  /** Begins when it is the caller's turn. Once `signal` is aborted nothing may be stored or sent any more. */
  perform(signal: AbortSignal): Promise<Result<A, R>>;
  /** Writes the answer; a stream that breaks, or `signal`, cuts the connection. */
  write(answer: A, signal: AbortSignal): Promise<void>;
  /** Lets go of an answer that came too late. */
  discard(answer: A): void;
  /** A failure as this front tells it. */
  refusalOf(reason: Failure, of: { readonly session: CarriedSession; readonly isIdle: boolean }): R;
}

/**
 * Carries a call out and answers it. It is cut when the session ends, the gateway's knowledge gets stale, the permission is
 * withdrawn or nothing moves: what was being uploaded is discarded then, and who has no answer yet gets the refusal.
 */
export async function carryOutWatched<A, R extends Refusal>(
  d: WatchDependencies,
  exchange: Exchange<R>,
  call: WatchedCall<A, R>,
): Promise<void> {
  const { session } = call.permit.credential;
  const live = new LiveCall({
    res: exchange.res,
    live: d.live,
    check: () => withdrawalOf(call.permit, d.authority.knowledge),
    onCut: (reason) =>
      cutOff(d, exchange, { call, refusal: call.refusalOf(reason, { session, isIdle: reason.isIdle }) }),
  });
  live.start();
  try {
    const turn = await live.turn(d.turns, callerOf(session));
    const outcome = turn.ok
      ? await performUnless(live.signal, call)
      : err(call.refusalOf(turn.error, { session, isIdle: false }));
    if (live.signal.aborted) {
      if (outcome.ok) call.discard(outcome.value);
    } else if (outcome.ok) await call.write(outcome.value, live.signal);
    else exchange.refuse(outcome.error, call.asked);
  } finally {
    live.close();
  }
}

function performUnless<A, R extends Refusal>(signal: AbortSignal, call: WatchedCall<A, R>): Promise<Result<A, R>> {
  if (!signal.aborted) return call.perform(signal);
  const { session } = call.permit.credential;
  // Nobody hears it any more.
  return Promise.resolve(
    err(call.refusalOf(failure('request_malformed', 'the call was ended'), { session, isIdle: false })),
  );
}

function cutOff<A, R extends Refusal>(
  d: WatchDependencies,
  exchange: Exchange<R>,
  { call, refusal }: { readonly call: WatchedCall<A, R>; readonly refusal: R },
): void {
  const { req, res, decision } = exchange;
  const { reason, session } = refusal;
  d.log.warn({ decision, session: session?.sessionId, role: session?.role, reason }, 'cut off');
  if (res.headersSent) cut(req.socket);
  else exchange.refuse(refusal, call.asked);
}
