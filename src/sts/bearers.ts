// Who presents a token of the STS to the STS itself: the token of a session of a role, or of one that has no role yet. Whether the
// session is in force, the store tells.
import type { Failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import { openAccessToken } from '../base/credential/access-token.ts';
import type { OpenOptions } from '../base/credential/carried-session.ts';
import { openFederatedToken } from '../base/credential/federated-token.ts';
import { expiryProblem, type OwnCredentials, openOptions } from './own-credentials.ts';

export interface BearerDeps extends OwnCredentials {
  /** Every group whose sessions there are. */
  readonly groups: readonly string[];
}

/** What a good token says of its session. */
export interface Bearer {
  readonly sessionId: string;
  readonly subject: string;
  /** The CI's issuer, and its job. */
  readonly jobIssuer: string;
  readonly jobId: string | null;
  readonly jobBound: boolean;
  readonly expiresAt: EpochSeconds;
}

/** Opens a token of either form. Failures: those of openFederatedToken and openAccessToken, `session_expired`. */
export async function identifyBearer(deps: BearerDeps, token: string): Promise<Result<Bearer, Failure>> {
  const options = openOptions(deps, deps.groups);
  const federated = await openFederatedToken(token, options);
  const bearer =
    federated.ok || federated.error.reason !== 'token_type_refused' ? federated : await openRoleToken(token, options);
  if (!bearer.ok) return bearer;
  const expired = expiryProblem(bearer.value.expiresAt, options.nowSeconds);
  return expired === undefined ? bearer : err(expired);
}

async function openRoleToken(token: string, options: OpenOptions): Promise<Result<Bearer, Failure>> {
  const opened = await openAccessToken(token, options);
  return opened.ok ? ok(opened.value.session) : opened;
}
