// Verified credentials of a gateway's group, whatever their form: what their session is, and what narrows its role. Whether the
// session stands, and what it may do, is authorize.ts's business.
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import { openAccessToken } from '../base/credential/access-token.ts';
import { type AwsSession, openAwsSessionToken } from '../base/credential/aws-session.ts';
import type { CarriedSession, OpenOptions } from '../base/credential/carried-session.ts';
import type { VerificationKey } from '../base/jwt/jwk.ts';
import { type CompiledPermissions, compilePermissions } from '../policy/iam/statements.ts';
import type { Authority, Credential } from './authorize.ts';

/**
 * Opens an access token of this STS for this gateway's group. Failures: `feed_stale` before the STS was heard from, those of
 * openAccessToken, `session_policy_malformed`.
 */
export async function openBearer(token: string, authority: Authority): Promise<Result<Credential, Failure>> {
  const options = openOptions(authority);
  if (!options.ok) return options;
  const opened = await openAccessToken(token, options.value);
  return opened.ok ? credentialOf(opened.value.session, opened.value.key) : opened;
}

/** An AWS-style session: whoever presents its token has still to prove, by a signature, that they know its secret. */
export interface OpenedAwsCredential {
  readonly aws: AwsSession;
  readonly credential: Credential;
}

/** Opens a session token likewise. Failures: those of openAwsSessionToken beside the others of `openBearer`. */
export async function openAwsCredential(
  token: string,
  authority: Authority,
): Promise<Result<OpenedAwsCredential, Failure>> {
  const options = openOptions(authority);
  if (!options.ok) return options;
  const opened = await openAwsSessionToken(token, options.value);
  if (!opened.ok) return opened;
  const { aws, key } = opened.value;
  const credential = credentialOf(aws.session, key);
  return credential.ok ? ok({ aws, credential: credential.value }) : credential;
}

function openOptions(authority: Authority): Result<OpenOptions, Failure> {
  const { clockSkewSeconds, group, knowledge, stsUrl } = authority;
  const keys = knowledge.keys();
  if (keys.length === 0) return err(failure('feed_stale', 'the STS has not been heard from yet'));
  const nowSeconds = knowledge.nowSeconds();
  return ok({ issuer: stsUrl, groups: [group], keys, nowSeconds, skewSeconds: clockSkewSeconds });
}

function credentialOf(session: CarriedSession, key: VerificationKey): Result<Credential, Failure> {
  const policy = compilePolicy(session);
  return policy.ok ? ok({ session, key, policy: policy.value }) : policy;
}

/** The STS compiles a policy before it signs it; one that does not compile here may narrow in a way that is not known here. */
function compilePolicy({ policy }: CarriedSession): Result<CompiledPermissions | null, Failure> {
  try {
    return ok(policy === null ? null : compilePermissions(policy));
  } catch {
    return err(failure('session_policy_malformed', 'the session policy says what this gateway cannot judge by'));
  }
}
