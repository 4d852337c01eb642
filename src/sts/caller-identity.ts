// Who signed a call of AWS STS with the credentials of a session. It grants nothing, and no permission is needed for it.
import { createHash } from 'node:crypto';
import { failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import { assumedRoleArn, assumedRoleId, parseAwsRoleArn } from '../base/credential/aws-arn.ts';
import type { HttpRequest } from '../base/ports/http.ts';
import type { Log } from '../base/ports/log.ts';
import { readSignature, type SignatureClaim } from '../base/sigv4/read.ts';
import type { SignableRequest } from '../base/sigv4/request.ts';
import { signingKey } from '../base/sigv4/signature.ts';
import { verifySignature } from '../base/sigv4/verify.ts';
import type { CallerIdentity } from '../wire/aws-sts/answer.ts';
import { type AwsRefusal, faultOf } from '../wire/aws-sts/fault.ts';
import { sessionRefusal, signatureRefusal } from '../wire/aws-sts/signature-fault.ts';
import { type AwsCaller, type CallerDeps, openCaller } from './callers.ts';

/**
 * The caller of a signed `POST /`: the session in force that its session token names, once the signature shows that the caller
 * knows the secret too.
 */
export async function identifyCaller(
  deps: CallerDeps & { readonly log: Log },
  request: HttpRequest,
): Promise<Result<CallerIdentity, AwsRefusal>> {
  const signable = signableOf(request);
  const claim = readSignature(signable, { service: 'sts', region: null, nowSeconds: deps.clock.nowSeconds() });
  if (!claim.ok) return err(signatureRefusal(claim.error));
  const caller = await findCaller(deps, claim.value);
  if (!caller.ok) return caller;
  const { aws, secretAccessKey } = caller.value;
  const key = signingKey(secretAccessKey.reveal(), claim.value);
  // The header x-amz-content-sha256 proves nothing here: the body is in hand, so its own hash is what must be signed.
  const payloadHash = createHash('sha256').update(request.body).digest('hex');
  const verified = verifySignature(signable, claim.value, { key, payloadHash, pathEncoding: 'double' });
  if (!verified.ok) return err(signatureRefusal(verified.error));
  const { roleArn, sessionName } = aws;
  return ok({
    arn: assumedRoleArn(roleArn, sessionName),
    userId: assumedRoleId(roleArn, sessionName),
    account: parseAwsRoleArn(roleArn)?.account ?? '',
  });
}

const signableOf = ({ headers, method, query }: HttpRequest): SignableRequest => ({
  method,
  path: '/',
  query,
  headers: new Map(Object.entries(headers).map(([name, value]) => [name, [value]])),
});

/** The session of the claim's token. Its key id must be the one that the claim names: no signature covers that. */
async function findCaller(
  deps: CallerDeps & { readonly log: Log },
  { accessKeyId, securityToken }: SignatureClaim,
): Promise<Result<AwsCaller, AwsRefusal>> {
  if (securityToken === null) {
    return err(
      sessionRefusal(failure('credential_missing', 'no session token came with the key; no key is without one')),
    );
  }
  try {
    const caller = await openCaller(deps, securityToken);
    if (!caller.ok) return err(sessionRefusal(caller.error));
    if (caller.value.aws.accessKeyId === accessKeyId) return caller;
    return err(sessionRefusal(failure('signature_invalid', 'the session token belongs to another access key')));
  } catch (error) {
    deps.log.error({ err: error }, 'whether a session stands could not be learnt');
    const unknown = failure('store_unavailable', 'the store did not say whether the session stands');
    return err({ fault: faultOf('store_unavailable'), failure: unknown, isOpen: false });
  }
}
