// The Blob front: reads the head of a request, opens its bearer's credential, asks for the decision, and has the call carried out
// or says no. Nothing of a body is read before the decision, and nothing reaches the store before credential and permission hold.
import type { IncomingMessage } from 'node:http';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { Clock } from '../../base/ports/clock.ts';
import type { AzureBlobCall } from '../../wire/blob/call.ts';
import { type BlobError, blobError } from '../../wire/blob/errors.ts';
import { permissionsFor } from '../../wire/blob/permissions.ts';
import { readBlobCall } from '../../wire/blob/request.ts';
import { openBearer } from '../credential.ts';
import type { ObjectStore } from '../objects/store.ts';
import { type Exchange, type Handler, handlerOf } from '../request.ts';
import type { BlobSettings } from '../settings.ts';
import { type Answers, discardAnswer } from '../store-front/answer.ts';
import { carryOutWatched, type WatchDependencies } from '../store-front/carry-out.ts';
import { type CallPermit, decide, decideCall, type Grounds } from '../store-front/decide.ts';
import { requestFacts } from '../store-front/facts.ts';
import type { Head } from '../store-front/head.ts';
import { type FrontParts, serveCall } from '../store-front/serve.ts';
import { type BlobAnswer, type BlobNo, blobAnswers } from './answer.ts';
import { readToken } from './authenticate.ts';
import { BlockUploads } from './block-uploads.ts';
import { perform } from './operations.ts';
import { openPayload } from './payload.ts';
import { type BlobRefusal, refusalOf } from './refusal.ts';
import type { Outcome, Work } from './work.ts';

export interface BlobFrontDependencies extends WatchDependencies {
  readonly settings: BlobSettings;
  readonly store: ObjectStore;
  /** The containers there are. */
  readonly buckets: ReadonlySet<string>;
  readonly clock: Clock;
}

interface Front extends BlobFrontDependencies {
  readonly uploads: BlockUploads;
  readonly answers: Answers<BlobError>;
}

/** A call that may be carried out, for as long as its permit is not withdrawn. */
interface Allowed {
  readonly call: AzureBlobCall;
  readonly grounds: Grounds;
  readonly permit: CallPermit;
}

/** A permitted call with the head that it came with. */
interface Task extends Allowed {
  readonly head: Head;
}

/**
 * The request handler of a Blob front, for `request` and `checkContinue` of its server: on the latter, `100 Continue` is sent
 * when the store asks for the body, never before the decision.
 */
export function createBlobFront(d: BlobFrontDependencies): Handler {
  const front: Front = { ...d, uploads: new BlockUploads(d), answers: blobAnswers(d.authority) };
  const parts: FrontParts<Allowed, BlobRefusal> = {
    judge: (req, head) => judge(front, req, head),
    refusalOf,
    carryOut: (exchange, task) => carryOut(front, exchange, task),
  };
  return handlerOf<BlobRefusal>(d, {
    front: 'blob',
    serve: (exchange) => serveCall(front, exchange, parts),
    sayNo: (exchange, { error }) => front.answers.refuse(exchange, error),
    broken: (unexpected) => refusalOf(unexpected),
  });
}

/** Everything that must hold before anything happens: one bearer token, a call that is served, its session, its permissions. */
async function judge(front: Front, req: IncomingMessage, head: Head): Promise<Result<Allowed, BlobRefusal>> {
  const token = readToken(head);
  if (!token.ok) return token;
  const call = readBlobCall(head, front.settings.account);
  if (!call.ok) {
    const why = failure('operation_unsupported', `${call.error.code}: ${call.error.message}`);
    return err(refusalOf(why, { error: call.error }));
  }
  const credential = await openBearer(token.value, front.authority);
  if (!credential.ok) return err(refusalOf(credential.error));
  const facts = requestFacts({ req, address: front.entrance.addressOf(req) }, call.value.conditionKeys);
  const grounds = { credential: credential.value, facts, knowledge: front.authority.knowledge };
  const decided = decideCall(grounds, permissionsFor(call.value));
  if (!decided.ok) return err(refusalOf(decided.error, decided.error));
  if (front.buckets.has(call.value.container)) return ok({ call: call.value, grounds, permit: decided.value });
  const why = failure('bucket_unknown', `no bucket ${call.value.container} is configured here`);
  return err(refusalOf(why, { session: credential.value.session, error: blobError('ContainerNotFound') }));
}

/** Carries a call out under watch and answers it. */
const carryOut = (front: Front, exchange: Exchange<BlobRefusal>, task: Task): Promise<void> =>
  carryOutWatched<BlobAnswer | BlobNo, BlobRefusal>(front, exchange, {
    permit: task.permit,
    asked: task.head,
    perform: (signal) => run(front, exchange, task, signal),
    write: (answer) => front.answers.write(exchange, answer),
    discard: discardAnswer,
    refusalOf: (reason: Failure, { session, isIdle }) =>
      refusalOf(reason, { session, ...(isIdle ? { error: blobError('OperationTimedOut') } : {}) }),
  });

async function run(
  front: Front,
  { req, res }: Exchange<BlobRefusal>,
  { call, grounds, head }: Task,
  signal: AbortSignal,
): Promise<Outcome> {
  const { session } = grounds.credential;
  const content = openPayload(call, head.framing, { req, res, signal });
  if (!content.ok) {
    const { code, message } = content.error;
    return err(refusalOf(failure('payload_mismatch', `${code}: ${message}`), { session, error: content.error }));
  }
  const { account, url } = front.settings;
  const work: Work = {
    store: front.store,
    uploads: front.uploads,
    endpoint: `${url}/${account}/`,
    session,
    signal,
    content: content.value,
    permits: (permission) => decide(grounds, [permission]).ok,
  };
  return perform(work, call);
}
