// Carries a permitted S3 call out and answers it.
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err } from '../../base/core/result.ts';
import type { S3Call } from '../../wire/s3/call.ts';
import { type S3Error, s3Error } from '../../wire/s3/errors.ts';
import type { ObjectStore } from '../objects/store.ts';
import type { Exchange } from '../request.ts';
import { type Answers, discardAnswer } from '../store-front/answer.ts';
import { carryOutWatched, type WatchDependencies } from '../store-front/carry-out.ts';
import { type CallPermit, decide, type Grounds } from '../store-front/decide.ts';
import type { Head } from '../store-front/head.ts';
import type { S3Answer, S3No } from './answer.ts';
import type { Caller } from './authenticate.ts';
import { perform } from './operations.ts';
import { openPayload } from './payload.ts';
import { refusalOf, type S3Refusal } from './refusal.ts';
import type { Outcome, Work } from './work.ts';

export interface CarryOutDependencies extends WatchDependencies {
  readonly region: string;
  /** The buckets there are. */
  readonly buckets: ReadonlySet<string>;
  readonly store: ObjectStore;
  readonly answers: Answers<S3Error>;
}

/** A call that may be carried out. A null statement: it names its objects in the body, each of which is decided on then. */
export interface Allowed {
  readonly call: S3Call;
  readonly caller: Caller;
  readonly grounds: Grounds;
  readonly permit: CallPermit;
}

/** A permitted call with the head that it came with. */
interface Task extends Allowed {
  readonly head: Head;
}

/** Carries a call out under watch and answers it. */
export const carryOut = (d: CarryOutDependencies, exchange: Exchange<S3Refusal>, task: Task): Promise<void> =>
  carryOutWatched<S3Answer | S3No, S3Refusal>(d, exchange, {
    permit: task.permit,
    asked: task.head,
    perform: (signal) => run(d, exchange, task, signal),
    write: (answer) => d.answers.write(exchange, answer),
    discard: discardAnswer,
    refusalOf: (reason: Failure, { session, isIdle }) =>
      refusalOf(reason, { session, ...(isIdle ? { error: s3Error('RequestTimeout') } : {}) }),
  });

async function run(
  d: CarryOutDependencies,
  { req, res, decision }: Exchange<S3Refusal>,
  { call, caller, grounds, head }: Task,
  signal: AbortSignal,
): Promise<Outcome> {
  const { session } = grounds.credential;
  const content = openPayload({ call, head, caller, source: { req, res, signal } });
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
    groupKeys: caller.session.groupKeys,
    signal,
    content: content.value,
    permits: (permission) => decide(grounds, [permission]).ok,
    report: (fields) => d.log.info({ decision, session: session.sessionId, role: session.role, ...fields }, 'allowed'),
  };
  return perform(work, call);
}
