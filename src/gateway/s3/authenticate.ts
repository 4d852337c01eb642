// Who signed an S3 request: the session of its token, whose secret made its signature. What that session may do is not asked here.
import { failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { readSignature, type SignatureClaim } from '../../base/sigv4/read.ts';
import { verifySignature } from '../../base/sigv4/verify.ts';
import { s3Error } from '../../wire/s3/errors.ts';
import type { SignatureContext } from '../../wire/s3/signature-refusals.ts';
import type { Knowledge } from '../authorize.ts';
import type { Head } from '../store-front/head.ts';
import { refusalOf, type S3Refusal, signatureRefusal } from './refusal.ts';
import type { OpenSession, SessionCache } from './session-cache.ts';

export interface AuthenticationDependencies {
  readonly region: string;
  readonly knowledge: Knowledge;
  readonly sessions: SessionCache;
}

/** A caller whose signature is verified. */
export interface Caller {
  readonly claim: SignatureClaim;
  readonly session: OpenSession;
}

/** What a presigned URL without a word about its body leaves open. */
const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

/**
 * Reads the signature of a request, not yet verified. A signed request says in x-amz-content-sha256 what its body is (S3,
 * "Authenticating Requests"); a presigned URL need not.
 */
export function readClaim(d: AuthenticationDependencies, head: Head): Result<SignatureClaim, S3Refusal> {
  const options = { service: 's3', region: d.region, nowSeconds: d.knowledge.nowSeconds() } as const;
  const claim = readSignature(head, options);
  if (!claim.ok) return err(signatureRefusal(claim.error, contextOf(d, head)));
  if (claim.value.form === 'header' && claim.value.payloadHash === null) {
    const error = s3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
    return err(refusalOf(failure('signature_malformed', 'x-amz-content-sha256 is absent'), { error }));
  }
  return claim;
}

/**
 * Verifies a claim, in this order: a session token that opens; the access key id that belongs to it; the signature, by the
 * secret that only the holder of the session has. Failures: `credential_missing`, those of `SessionCache.open`,
 * `signature_invalid`.
 */
export async function authenticate(
  d: AuthenticationDependencies,
  head: Head,
  claim: SignatureClaim,
): Promise<Result<Caller, S3Refusal>> {
  if (claim.securityToken === null) return err(refusalOf(failure('credential_missing', 'no session token')));
  const opened = await d.sessions.open(claim.securityToken);
  if (!opened.ok) return err(refusalOf(opened.error));
  const session = opened.value;
  // The holder of a token alone is nobody yet: refusals up to here are logged as a stranger's.
  if (claim.accessKeyId !== session.aws.accessKeyId) {
    const error = s3Error('InvalidToken');
    return err(
      refusalOf(failure('signature_invalid', 'the access key id is not that of the session token'), { error }),
    );
  }
  const verified = verifySignature(head, claim, {
    key: session.signingKey(claim),
    payloadHash: claim.payloadHash ?? UNSIGNED_PAYLOAD,
    pathEncoding: 'single',
  });
  return verified.ok ? ok({ claim, session }) : err(signatureRefusal(verified.error, contextOf(d, head)));
}

const contextOf = ({ region, knowledge }: AuthenticationDependencies, request: Head): SignatureContext => ({
  request,
  region,
  nowSeconds: knowledge.nowSeconds(),
});
