// The Cloud Storage front: reads the head of a request, opens its credential, asks for the decision, and has the call carried out
// or says no. Nothing of a body is read before the session stands, nothing but its metadata before the decision, and nothing
// reaches the store before that.
import type { IncomingMessage } from 'node:http';
import { failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { GcsCall } from '../../wire/gcs/call.ts';
import { type GcsError, gcsError } from '../../wire/gcs/errors.ts';
import { conditionKeysOf, permissionsFor } from '../../wire/gcs/permissions.ts';
import { readGcsCall } from '../../wire/gcs/request.ts';
import { type Handler, handlerOf } from '../request.ts';
import { decideCall } from '../store-front/decide.ts';
import { requestFacts } from '../store-front/facts.ts';
import type { Head } from '../store-front/head.ts';
import { type FrontParts, serveCall } from '../store-front/serve.ts';
import { gcsAnswers } from './answer.ts';
import { type AuthenticationDependencies, authenticate } from './authenticate.ts';
import { type Allowed, type CarryOutDependencies, carryOut } from './carry-out.ts';
import { type GcsRefusal, refusalOf, unknownBucket } from './refusal.ts';

export interface GcsFrontDependencies
  extends Omit<CarryOutDependencies, 'place'>,
    Omit<AuthenticationDependencies, 'authority'> {
  /** Where clients reach the front, without a slash at the end. */
  readonly settings: { readonly url: string };
}

type Front = CarryOutDependencies & AuthenticationDependencies;

/**
 * The request handler of a Cloud Storage front, for `request` and `checkContinue` of its server: on the latter, `100 Continue` is
 * sent when the body is asked for, never before.
 */
export function createGcsFront(d: GcsFrontDependencies): Handler {
  const front: Front = { ...d, place: d.settings };
  const parts: FrontParts<Allowed, GcsRefusal> = {
    judge: (req, head) => judge(front, req, head),
    refusalOf,
    carryOut: (exchange, task) => carryOut(front, exchange, task),
  };
  return handlerOf<GcsRefusal>(d, {
    front: 'gcs',
    serve: (exchange) => serveCall(front, exchange, parts),
    sayNo: (exchange, { error }) => gcsAnswers.refuse(exchange, error),
    broken: (unexpected) => refusalOf(unexpected),
  });
}

/** Everything that must hold before anything happens. */
async function judge(front: Front, req: IncomingMessage, head: Head): Promise<Result<Allowed, GcsRefusal>> {
  const caller = await authenticate(front, head);
  if (!caller.ok) return caller;
  const { session } = caller.value.credential;
  const call = readCall(head);
  if (!call.ok) {
    const why = failure('operation_unsupported', `${call.error.reason}: ${call.error.message}`);
    return err(refusalOf(why, { session, error: call.error }));
  }
  const facts = requestFacts({ req, address: front.entrance.addressOf(req) }, conditionKeysOf(call.value));
  const grounds = { credential: caller.value.credential, facts, knowledge: front.authority.knowledge };
  const decided = decideCall(grounds, permissionsFor(call.value));
  if (!decided.ok) return err(refusalOf(decided.error, decided.error));
  // Before the decision nobody learns which buckets there are; where the body is needed for it, that is asked later.
  const named = decided.value.statement === null ? [] : bucketsOf(call.value);
  const unknown = named.find((bucket) => !front.buckets.has(bucket));
  if (unknown !== undefined) return err(unknownBucket(unknown, session));
  return ok({ call: call.value, caller: caller.value, grounds, permit: decided.value });
}

function readCall(head: Head): Result<GcsCall, GcsError> {
  const call = readGcsCall(head);
  if (!call.ok) return call;
  const { framing, method } = head;
  const isEmpty = framing.kind === 'none' || (framing.kind === 'length' && Number(framing.length) === 0);
  const takesBody = method === 'POST' || method === 'PUT';
  return isEmpty || takesBody ? ok(call.value) : err(gcsError('badRequest', 'This call has no body.'));
}

/** The buckets that a call names. */
function bucketsOf(call: GcsCall): readonly string[] {
  if (!('bucket' in call)) return [];
  return 'source' in call ? [call.bucket, call.source.bucket] : [call.bucket];
}
