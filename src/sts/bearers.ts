// Who presents a token of the STS to the STS itself: the token of a session of a role, or of one that has no role yet. Whether the
// session is in force, the store tells.
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import { openAccessToken } from '../base/credential/access-token.ts';
import { openFederatedToken } from '../base/credential/federated-token.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { KeyRing } from '../keys/ring.ts';

export interface BearerDeps {
  readonly stsUrl: string;
  readonly keys: Pick<KeyRing, 'verificationKeys'>;
  /** By group. */
  readonly groupKeys: ReadonlyMap<string, unknown>;
  readonly clock: Clock;
  readonly clockSkewSeconds: number;
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

/**
 * Opens a token of either form. Failures: those of openFederatedToken and openAccessToken; `session_expired` without leeway for
 * clocks, as at the gateways.
 */
export async function openBearer(deps: BearerDeps, token: string): Promise<Result<Bearer, Failure>> {
  const nowSeconds = deps.clock.nowSeconds();
  const options = {
    issuer: deps.stsUrl,
    groups: [...deps.groupKeys.keys()],
    keys: deps.keys.verificationKeys(),
    nowSeconds,
    skewSeconds: deps.clockSkewSeconds,
  };
  const federated = await openFederatedToken(token, options);
  const bearer =
    federated.ok || federated.error.reason !== 'token_type_refused' ? federated : await openRoleToken(token, options);
  if (!bearer.ok || bearer.value.expiresAt > nowSeconds) return bearer;
  return err(failure('session_expired', `the session expired at ${bearer.value.expiresAt}`));
}

async function openRoleToken(
  token: string,
  options: Parameters<typeof openAccessToken>[1],
): Promise<Result<Bearer, Failure>> {
  const opened = await openAccessToken(token, options);
  return opened.ok ? ok(opened.value.session) : opened;
}
