// The S3 front: reads the head of a request, verifies who signed it, asks for the decision, and has the call carried out or says
// no. Nothing of a body is read before the decision, and nothing reaches the store before signature and permission hold.
import type { IncomingMessage } from 'node:http';
import { failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { SignatureClaim } from '../../base/sigv4/read.ts';
import type { GroupKeys } from '../../keys/group-key.ts';
import type { S3Call } from '../../wire/s3/call.ts';
import { s3Error } from '../../wire/s3/errors.ts';
import { permissionsFor } from '../../wire/s3/permissions.ts';
import { readS3Call } from '../../wire/s3/request.ts';
import { type Handler, handlerOf } from '../request.ts';
import type { S3Settings } from '../settings.ts';
import { decideCall } from '../store-front/decide.ts';
import type { Head } from '../store-front/head.ts';
import { type FrontParts, serveCall } from '../store-front/serve.ts';
import { s3Answers } from './answer.ts';
import { authenticate, readClaim } from './authenticate.ts';
import { type Allowed, type CarryOutDependencies, carryOut } from './carry-out.ts';
import { signedRequestFacts } from './condition-keys.ts';
import { refusalOf, type S3Refusal } from './refusal.ts';
import { SessionCache } from './session-cache.ts';

export interface S3FrontDependencies extends Omit<CarryOutDependencies, 'region' | 'buckets' | 'answers'> {
  readonly settings: Pick<S3Settings, 'region' | 'buckets'>;
  /** The group's key as the feed last gave it; null while it is not known or not fresh. */
  readonly groupKeys: () => GroupKeys | null;
}

interface Front extends CarryOutDependencies {
  readonly sessions: SessionCache;
}

/**
 * The request handler of an S3 front, for `request` and `checkContinue` of its server: on the latter, `100 Continue` is sent
 * when the store asks for the body, never before the decision.
 */
export function createS3Front(d: S3FrontDependencies): Handler {
  const { authority, groupKeys, settings } = d;
  const front: Front = {
    ...d,
    region: settings.region,
    buckets: new Set(settings.buckets.map(({ name }) => name)),
    answers: s3Answers(authority.knowledge),
    sessions: new SessionCache({ authority, groupKeys }),
  };
  const parts: FrontParts<Allowed, S3Refusal> = {
    judge: (req, head) => judge(front, req, head),
    refusalOf,
    carryOut: (exchange, task) => carryOut(front, exchange, task),
  };
  return handlerOf<S3Refusal>(d, {
    front: 's3',
    serve: (exchange) => serveCall(front, exchange, parts),
    sayNo: (exchange, { error }) => front.answers.refuse(exchange, error),
    broken: (unexpected) => refusalOf(unexpected),
  });
}

/** Everything that must hold before anything happens. */
async function judge(front: Front, req: IncomingMessage, head: Head): Promise<Result<Allowed, S3Refusal>> {
  const { knowledge } = front.authority;
  const request = readRequest(front, head);
  if (!request.ok) return request;
  const { call, claim } = request.value;
  const caller = await authenticate({ ...front, knowledge }, head, claim);
  if (!caller.ok) return caller;
  const facts = signedRequestFacts({
    req,
    address: front.entrance.addressOf(req),
    call,
    caller: caller.value,
    nowSeconds: knowledge.nowSeconds(),
  });
  const { credential } = caller.value.session;
  const grounds = { credential, facts, knowledge };
  const decided = decideCall(grounds, permissionsFor(call));
  if (!decided.ok) return err(refusalOf(decided.error, decided.error));
  const unknown = bucketsOf(call).find((bucket) => !front.buckets.has(bucket));
  if (unknown === undefined) return ok({ call, caller: caller.value, grounds, permit: decided.value });
  const why = failure('bucket_unknown', `no bucket ${unknown} is configured here`);
  return err(refusalOf(why, { session: credential.session, error: s3Error('NoSuchBucket') }));
}

/** What is asked for, and who claims to ask. */
function readRequest(
  front: Front,
  head: Head,
): Result<{ readonly call: S3Call; readonly claim: SignatureClaim }, S3Refusal> {
  const claim = readClaim({ ...front, knowledge: front.authority.knowledge }, head);
  const call = readS3Call(head);
  // A form upload carries its signature in the form: its sender is to read that forms are not served, not that it is nobody.
  if (!claim.ok && (call.ok || claim.error.reason !== 'credential_missing')) return claim;
  if (!call.ok) {
    const why = failure('operation_unsupported', `${call.error.code}: ${call.error.message}`);
    return err(refusalOf(why, { error: call.error }));
  }
  return claim.ok ? ok({ call: call.value, claim: claim.value }) : claim;
}

/** The buckets that a call names. Of DeleteObjects nothing was decided yet: whoever may delete none of its keys must not learn of any. */
function bucketsOf(call: S3Call): readonly string[] {
  if (!('bucket' in call) || call.operation === 'DeleteObjects') return [];
  return 'source' in call ? [call.bucket, call.source.bucket] : [call.bucket];
}
