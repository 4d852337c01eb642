// Carries a permitted call out, under watch, and answers it.
import { Readable } from 'node:stream';
import { failure } from '../../base/core/reasons.ts';
import { err } from '../../base/core/result.ts';
import { withdrawalOf } from '../authorize.ts';
import { cut } from '../connection.ts';
import type { LiveRequests } from '../live-requests.ts';
import type { ObjectStore } from '../objects/store.ts';
import type { Exchange, RequestDependencies } from '../request.ts';
import { callerOf, type Turns } from '../turns.ts';
import { writeAnswer } from './answer.ts';
import { type Allowed, isPermitted } from './decide.ts';
import type { Head } from './head.ts';
import { LiveCall } from './live-call.ts';
import { perform } from './operations.ts';
import { openPayload } from './payload.ts';
import { refusalOf, type S3Refusal } from './refusal.ts';
import type { Outcome, Work } from './work.ts';

export interface CarryOutDependencies extends RequestDependencies {
  readonly region: string;
  /** The buckets there are. */
  readonly buckets: ReadonlySet<string>;
  readonly store: ObjectStore;
  /** Whose turn it is at the store. */
  readonly turns: Turns;
  readonly live: LiveRequests;
}

/** A permitted call with the head that it came with. */
export interface Task extends Allowed {
  readonly head: Head;
}

/**
 * Carries a call out and answers it. It is cut when the session ends, the gateway's knowledge gets stale, the permission is
 * withdrawn or nothing moves: what was being uploaded is discarded then, and who has no answer yet gets the refusal.
 */
export async function carryOut(d: CarryOutDependencies, exchange: Exchange<S3Refusal>, task: Task): Promise<void> {
  const { req, res } = exchange;
  const { session } = task.permit.credential;
  const live = new LiveCall({
    req,
    res,
    live: d.live,
    check: () => withdrawalOf(task.permit, d.authority.knowledge),
    onCut: (refusal) => cutOff(d, exchange, { refusal: { ...refusal, session }, head: task.head }),
  });
  live.start();
  try {
    const turn = await live.turn(d.turns, callerOf(session));
    const outcome = turn.ok ? await run(d, exchange, task, live.signal) : err(refusalOf(turn.error, { session }));
    if (live.signal.aborted) discard(outcome);
    else if (outcome.ok)
      await writeAnswer({ ...exchange, nowSeconds: d.authority.knowledge.nowSeconds() }, outcome.value, live.signal);
    else exchange.refuse(outcome.error, task.head);
  } finally {
    live.close();
  }
}

async function run(
  d: CarryOutDependencies,
  { req, res, decision }: Exchange<S3Refusal>,
  { call, grounds, head }: Task,
  signal: AbortSignal,
): Promise<Outcome> {
  const { credential, groupKey } = grounds.caller.session;
  const { session } = credential;
  if (signal.aborted) return ABANDONED;
  const content = openPayload({ call, head, caller: grounds.caller, source: { req, res, signal } });
  if (!content.ok) {
    const { code, message } = content.error;
    return err(refusalOf(failure('payload_mismatch', `${code}: ${message}`), { session, error: content.error }));
  }
  const work: Work = {
    store: d.store,
    buckets: d.buckets,
    region: d.region,
    owner: { id: d.authority.group, displayName: d.authority.gateway },
    session,
    groupKey,
    signal,
    content: content.value,
    permits: (permission) => isPermitted(grounds, permission),
    report: (fields) => d.log.info({ decision, session: session.sessionId, role: session.role, ...fields }, 'allowed'),
  };
  return perform(work, call);
}

/** Nobody hears it any more. */
const ABANDONED: Outcome = err(refusalOf(failure('request_malformed', 'the call was ended')));

/** What came too late to be answered. */
function discard(outcome: Outcome): void {
  if (outcome.ok && 'body' in outcome.value && outcome.value.body instanceof Readable) outcome.value.body.destroy();
}

function cutOff(
  d: CarryOutDependencies,
  exchange: Exchange<S3Refusal>,
  { refusal, head }: { readonly refusal: S3Refusal; readonly head: Head },
): void {
  const { req, res, decision } = exchange;
  const { reason, session } = refusal;
  d.log.warn({ decision, session: session?.sessionId, role: session?.role, reason }, 'cut off');
  if (res.headersSent) cut(req.socket);
  else exchange.refuse(refusal, head);
}
