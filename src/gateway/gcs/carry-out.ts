// Carries a permitted call out and answers it, under watch by what it turned out to do.
import { err, ok } from '../../base/core/result.ts';
import type { GcsCall } from '../../wire/gcs/call.ts';
import { gcsError } from '../../wire/gcs/errors.ts';
import type { Place } from '../../wire/gcs/results.ts';
import type { Permit } from '../authorize.ts';
import type { ObjectStore } from '../objects/store.ts';
import { type Exchange, logAllowed } from '../request.ts';
import { discardAnswer } from '../store-front/answer.ts';
import { carryOutWatched, type WatchDependencies } from '../store-front/carry-out.ts';
import { type CallPermit, decide, type Grounds } from '../store-front/decide.ts';
import type { Head } from '../store-front/head.ts';
import { readRequestBody } from '../store-front/request-body.ts';
import { type GcsAnswer, gcsAnswers } from './answer.ts';
import type { Caller } from './authenticate.ts';
import { perform } from './operations.ts';
import { type GcsRefusal, refusalOf } from './refusal.ts';
import type { Work } from './work.ts';

export interface CarryOutDependencies extends WatchDependencies {
  readonly place: Place;
  /** The buckets there are. */
  readonly buckets: ReadonlySet<string>;
  readonly store: ObjectStore;
}

/** A call that may be carried out. A null statement: its body names the object, which is decided on then. */
export interface Allowed {
  readonly call: GcsCall;
  readonly caller: Caller;
  readonly grounds: Grounds;
  readonly permit: CallPermit;
}

/** A permitted call with the head that it came with. */
interface Task extends Allowed {
  readonly head: Head;
}

/** Carries a call out under watch and answers it. */
export function carryOut(d: CarryOutDependencies, exchange: Exchange<GcsRefusal>, task: Task): Promise<void> {
  let permit: CallPermit = task.permit;
  const onPermit = (decided: Permit): void => {
    if (permit.statement === null) logAllowed(d.log, exchange.decision, decided);
    permit = decided;
  };
  return carryOutWatched<GcsAnswer, GcsRefusal>(d, exchange, {
    // Asked at every look: what a body names is decided on while the call runs.
    get permit() {
      return permit;
    },
    asked: task.head,
    perform: (signal) => perform(workOf(d, exchange, task, { signal, onPermit }), task.call),
    write: (answer) => gcsAnswers.write(exchange, answer),
    discard: discardAnswer,
    refusalOf: (reason, { session, isIdle }) =>
      refusalOf(reason, { session, ...(isIdle ? { error: gcsError('requestTimeout') } : {}) }),
  });
}

function workOf(
  d: CarryOutDependencies,
  { req, res }: Exchange<GcsRefusal>,
  { caller, grounds, head }: Task,
  { signal, onPermit }: { readonly signal: AbortSignal; readonly onPermit: (decided: Permit) => void },
): Work {
  const { buckets, place, store } = d;
  const { framing } = head;
  return {
    store,
    buckets,
    place,
    session: grounds.credential.session,
    groupKeys: caller.groupKeys,
    signal,
    body: readRequestBody({ req, res, signal }),
    bodyBytes: framing.kind === 'chunked' ? null : framing.kind === 'length' ? Number(framing.length) : 0,
    permits: (permission) => decide(grounds, [permission]).ok,
    decide: (permissions) => {
      const decided = decide(grounds, permissions);
      if (!decided.ok) return err(refusalOf(decided.error, decided.error));
      onPermit(decided.value);
      return ok(null);
    },
  };
}
