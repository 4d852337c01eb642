// What the conditions of permissions may ask about an S3 request, by the names that AWS gives it.
import type { EpochSeconds } from '../../base/core/time.ts';
import type { S3Call } from '../../wire/s3/call.ts';
import { signatureConditionKeys } from '../../wire/s3/permissions.ts';
import type { Ask } from '../authorize.ts';
import { type Arrival, requestFacts } from '../store-front/facts.ts';
import type { Caller } from './authenticate.ts';

export interface FactsInput extends Arrival {
  readonly call: S3Call;
  readonly caller: Caller;
  readonly nowSeconds: EpochSeconds;
}

/** The facts of one request: what the call itself names, how it was signed, and whose session it is. */
export function signedRequestFacts({ call, caller, nowSeconds, ...arrival }: FactsInput): Ask['facts'] {
  const { claim, session } = caller;
  return requestFacts(arrival, [
    ...call.conditionKeys,
    ...signatureConditionKeys(claim, nowSeconds * 1000),
    ['aws:principalarn', session.aws.roleArn],
    ['aws:userid', session.userId],
  ]);
}
