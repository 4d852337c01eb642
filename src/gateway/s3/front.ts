// The S3 front: reads the head of a request, verifies who signed it, asks for the decision, and has the call carried out or says
// no. Nothing of a body is read before the decision, and nothing reaches the store before signature and permission hold.
import type { IncomingMessage } from 'node:http';
import { failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { SignatureClaim } from '../../base/sigv4/read.ts';
import type { GroupKeys } from '../../keys/group-key.ts';
import type { S3Call } from '../../wire/s3/call.ts';
import { s3Error } from '../../wire/s3/errors.ts';
import { readS3Call } from '../../wire/s3/request.ts';
import { type Exchange, type Handler, handlerOf, logAllowed } from '../request.ts';
import type { S3Settings } from '../settings.ts';
import { type Head, readHead } from '../store-front/head.ts';
import { writeRefusal } from './answer.ts';
import { authenticate, readClaim } from './authenticate.ts';
import { type CarryOutDependencies, carryOut } from './carry-out.ts';
import { signedRequestFacts } from './condition-keys.ts';
import { type Allowed, decideCall } from './decide.ts';
import { refusalOf, type S3Refusal } from './refusal.ts';
import { SessionCache } from './session-cache.ts';

export interface S3FrontDependencies extends Omit<CarryOutDependencies, 'region' | 'buckets'> {
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
    sessions: new SessionCache({ authority, groupKeys }),
  };
  return handlerOf<S3Refusal>(d, {
    front: 's3',
    serve: (exchange) => serve(front, exchange),
    sayNo: (exchange, { error }) => writeRefusal({ ...exchange, nowSeconds: authority.knowledge.nowSeconds() }, error),
    broken: (unexpected) => refusalOf(unexpected),
  });
}

async function serve(front: Front, exchange: Exchange<S3Refusal>): Promise<void> {
  const head = readHead(exchange.req);
  if (!head.ok) {
    exchange.refuse(refusalOf(head.error));
    return;
  }
  const allowed = await judge(front, exchange.req, head.value);
  // The caller left while we were deciding.
  if (exchange.res.destroyed) return;
  const refused = allowed.ok ? tooOften(front, allowed.value) : allowed.error;
  if (!allowed.ok || refused !== undefined) {
    if (refused !== undefined) exchange.refuse(refused, head.value);
    return;
  }
  const { permit } = allowed.value;
  if (permit.statement !== null) logAllowed(front.log, exchange.decision, { ...permit, statement: permit.statement });
  await carryOut(front, exchange, { ...allowed.value, head: head.value });
}

/** The refusal of a job that asks too often. */
function tooOften({ entrance }: Front, { permit }: Allowed): S3Refusal | undefined {
  const limited = entrance.refuseSession(permit.credential.session);
  return limited === undefined ? undefined : refusalOf(limited, limited);
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
  const allowed = decideCall({ caller: caller.value, facts, knowledge }, call);
  if (!allowed.ok) return allowed;
  const unknown = bucketsOf(call).find((bucket) => !front.buckets.has(bucket));
  if (unknown === undefined) return allowed;
  const why = failure('bucket_unknown', `no bucket ${unknown} is configured here`);
  return err(refusalOf(why, { session: caller.value.session.aws.session, error: s3Error('NoSuchBucket') }));
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
