// Who signs a request at the STS itself: a session token that this STS made, of whatever group, in force. Checking the signature
// with the secret is left to the caller.
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { Secret } from '../base/core/secret.ts';
import { type AwsSession, awsSecretKey, openAwsSessionToken } from '../base/credential/aws-session.ts';
import type { GroupKeys } from '../keys/group-key.ts';
import { expiryProblem, findInForce, type OwnCredentials, openOptions } from './own-credentials.ts';
import type { StsStore } from './store.ts';

export interface CallerDeps extends OwnCredentials {
  /** By group. */
  readonly groupKeys: ReadonlyMap<string, { readonly view: GroupKeys }>;
  readonly store: Pick<StsStore, 'findSession'>;
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
  const options = openOptions(deps, [...deps.groupKeys.keys()]);
  const opened = await openAwsSessionToken(sessionToken, options);
  if (!opened.ok) return opened;
  const { aws } = opened.value;
  const { expiresAt, group, sessionId } = aws.session;
  const expired = expiryProblem(expiresAt, options.nowSeconds);
  if (expired !== undefined) return err(expired);
  const found = await findInForce(deps.store, sessionId);
  if (!found.ok) return found;
  const groupKeys = deps.groupKeys.get(group);
  if (groupKeys === undefined) return err(failure('group_mismatch', `there is no group ${group}`));
  const groupKey = groupKeys.view.find(aws.groupKeyId);
  if (groupKey === undefined)
    return err(failure('key_unknown', 'the key of the group that the secret follows from is gone'));
  return ok({ aws, secretAccessKey: awsSecretKey(groupKey.key.reveal(), sessionId) });
}
