// Who signs a request at the STS itself: a session token that this STS made, of whatever group, in force. Checking the signature
// with the secret is left to the caller.
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { Secret } from '../base/core/secret.ts';
import { type AwsSession, awsSecretKey, openAwsSessionToken } from '../base/credential/aws-session.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { KeyRing } from '../keys/ring.ts';
import type { StsStore } from './store.ts';

export interface CallerDeps {
  readonly stsUrl: string;
  readonly keys: Pick<KeyRing, 'verificationKeys'>;
  readonly groupKeys: ReadonlyMap<string, { readonly key: Secret<Uint8Array> }>;
  readonly store: Pick<StsStore, 'findSession'>;
  readonly clock: Clock;
  readonly clockSkewSeconds: number;
}

/** A caller whose token is good; that it is theirs, only a signature with the secret shows. */
export interface AwsCaller {
  readonly aws: AwsSession;
  readonly secretAccessKey: Secret;
}

/**
 * Opens a session token. Failures: those of openAwsSessionToken, `session_expired`, `session_ended` (also for a session that the
 * store does not know). Rejects when the store does.
 */
export async function openCaller(deps: CallerDeps, sessionToken: string): Promise<Result<AwsCaller, Failure>> {
  const nowSeconds = deps.clock.nowSeconds();
  const opened = await openAwsSessionToken(sessionToken, {
    issuer: deps.stsUrl,
    groups: [...deps.groupKeys.keys()],
    keys: deps.keys.verificationKeys(),
    nowSeconds,
    skewSeconds: deps.clockSkewSeconds,
  });
  if (!opened.ok) return opened;
  const { aws } = opened.value;
  const { expiresAt, group, sessionId } = aws.session;
  // No leeway for clocks, as at the gateways.
  if (expiresAt <= nowSeconds) return err(failure('session_expired', `the session expired at ${expiresAt}`));
  if ((await deps.store.findSession(sessionId)) === undefined) {
    return err(failure('session_ended', 'the session has ended, or this store does not know it'));
  }
  const groupKey = deps.groupKeys.get(group);
  if (groupKey === undefined) return err(failure('group_mismatch', `there is no group ${group}`));
  return ok({ aws, secretAccessKey: awsSecretKey(groupKey.key.reveal(), sessionId) });
}
