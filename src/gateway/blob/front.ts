// The Blob front: reads the head of a request, opens its bearer's credential, asks for the decision, and has the call carried out
// or says no. Nothing of a body is read before the decision, and nothing reaches the store before credential and permission hold.
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { Clock } from '../../base/ports/clock.ts';
import type { AzureBlobCall } from '../../wire/blob/call.ts';
import { blobError } from '../../wire/blob/errors.ts';
import { type BlobPermission, permissionsFor } from '../../wire/blob/permissions.ts';
import { readBlobCall } from '../../wire/blob/request.ts';
import { type Ask, type Permit, permit } from '../authorize.ts';
import { openBearer } from '../credential.ts';
import type { ObjectStore } from '../objects/store.ts';
import { type Exchange, type Handler, handlerOf, logAllowed } from '../request.ts';
import type { BlobSettings } from '../settings.ts';
import { carryOutWatched, type WatchDependencies } from '../store-front/carry-out.ts';
import { requestFacts } from '../store-front/facts.ts';
import { type Head, readHead } from '../store-front/head.ts';
import { type Addressee, type BlobAnswer, type BlobNo, writeAnswer, writeRefusal } from './answer.ts';
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
}

/** A call that may be carried out, for as long as its permit is not withdrawn. */
interface Allowed {
  readonly call: AzureBlobCall;
  readonly permit: Permit;
  readonly facts: Ask['facts'];
  readonly head: Head;
}

/**
 * The request handler of a Blob front, for `request` and `checkContinue` of its server: on the latter, `100 Continue` is sent
 * when the store asks for the body, never before the decision.
 */
export function createBlobFront(d: BlobFrontDependencies): Handler {
  const front: Front = { ...d, uploads: new BlockUploads(d) };
  return handlerOf<BlobRefusal>(d, {
    front: 'blob',
    serve: (exchange) => serve(front, exchange),
    sayNo: (exchange, { error }) => writeRefusal(addressee(front, exchange), error),
    broken: (unexpected) => refusalOf(unexpected),
  });
}

const addressee = ({ authority }: Front, exchange: Exchange<BlobRefusal>): Addressee => ({
  ...exchange,
  nowSeconds: authority.knowledge.nowSeconds(),
  stsUrl: authority.stsUrl,
});

async function serve(front: Front, exchange: Exchange<BlobRefusal>): Promise<void> {
  const head = readHead(exchange.req);
  if (!head.ok) {
    exchange.refuse(refusalOf(head.error));
    return;
  }
  const allowed = await judge(front, exchange, head.value);
  // The caller left while we were deciding.
  if (exchange.res.destroyed) return;
  const refused = allowed.ok ? tooOften(front, allowed.value) : allowed.error;
  if (!allowed.ok || refused !== undefined) {
    if (refused !== undefined) exchange.refuse(refused, head.value);
    return;
  }
  logAllowed(front.log, exchange.decision, allowed.value.permit);
  await carryOut(front, exchange, allowed.value);
}

/** The refusal of a job that asks too often. */
function tooOften({ entrance }: Front, { permit }: Allowed): BlobRefusal | undefined {
  const limited = entrance.refuseSession(permit.credential.session);
  return limited === undefined ? undefined : refusalOf(limited, limited);
}

/** Everything that must hold before anything happens: one bearer token, a call that is served, its session, its permissions. */
async function judge(front: Front, { req }: Exchange<BlobRefusal>, head: Head): Promise<Result<Allowed, BlobRefusal>> {
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
  const [first, ...others] = permissionsFor(call.value);
  const asks = [{ ...first, facts }, ...others.map((other): Ask => ({ ...other, facts }))] as const;
  const decided = permit(credential.value, asks, front.authority.knowledge);
  if (!decided.ok) return err(refusalOf(decided.error, decided.error));
  if (front.buckets.has(call.value.container)) return ok({ call: call.value, permit: decided.value, facts, head });
  const why = failure('bucket_unknown', `no bucket ${call.value.container} is configured here`);
  return err(refusalOf(why, { session: credential.value.session, error: blobError('ContainerNotFound') }));
}

/** Carries a call out under watch and answers it. */
const carryOut = (front: Front, exchange: Exchange<BlobRefusal>, allowed: Allowed): Promise<void> =>
  carryOutWatched<BlobAnswer | BlobNo, BlobRefusal>(front, exchange, {
    permit: allowed.permit,
    asked: allowed.head,
    perform: (signal) => run(front, exchange, allowed, signal),
    write: (answer) => writeAnswer(addressee(front, exchange), answer),
    discard,
    refusalOf: (reason: Failure, { session, isIdle }) =>
      refusalOf(reason, { session, ...(isIdle ? { error: blobError('OperationTimedOut') } : {}) }),
  });

async function run(
  front: Front,
  { req, res }: Exchange<BlobRefusal>,
  { call, facts, head, permit: { credential } }: Allowed,
  signal: AbortSignal,
): Promise<Outcome> {
  const { session } = credential;
  const content = openPayload(call, head.framing, { req, res, signal });
  if (!content.ok) {
    const { code, message } = content.error;
    return err(refusalOf(failure('payload_mismatch', `${code}: ${message}`), { session, error: content.error }));
  }
  const { account, url } = front.settings;
  const permits = (permission: BlobPermission): boolean =>
    permit(credential, [{ ...permission, facts }], front.authority.knowledge).ok;
  const work: Work = {
    store: front.store,
    uploads: front.uploads,
    endpoint: `${url}/${account}/`,
    session,
    signal,
    content: content.value,
    permits,
  };
  return perform(work, call);
}

/** What came too late to be answered. */
function discard(answer: BlobAnswer | BlobNo): void {
  if ('body' in answer && answer.body !== null && typeof answer.body !== 'string') answer.body.body.destroy();
}
