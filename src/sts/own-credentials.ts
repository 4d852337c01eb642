// What opening the STS's own credentials at the STS itself has in common, whatever their form. What they open is not its business.
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import type { OpenOptions } from '../base/credential/carried-session.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { KeyRing } from '../keys/ring.ts';
import type { FederatedSession, Session, StsStore } from './store.ts';

/** What this STS's own credentials are opened with. */
export interface OwnCredentials {
  readonly stsUrl: string;
  readonly keys: Pick<KeyRing, 'verificationKeys'>;
  readonly clock: Clock;
  readonly clockSkewSeconds: number;
}

/** How credentials of these groups are opened at the STS itself, now. */
export const openOptions = (deps: OwnCredentials, groups: readonly string[]): OpenOptions => ({
  issuer: deps.stsUrl,
  groups,
  keys: deps.keys.verificationKeys(),
  nowSeconds: deps.clock.nowSeconds(),
  skewSeconds: deps.clockSkewSeconds,
});

/** `session_expired` of a session that is over by now: without leeway for clocks, as at the gateways. */
export const expiryProblem = (expiresAt: EpochSeconds, nowSeconds: EpochSeconds): Failure | undefined =>
  expiresAt > nowSeconds ? undefined : failure('session_expired', `the session expired at ${expiresAt}`);

/** The session as the store has it; `session_ended` also for one that the store does not know. Rejects when the store does. */
export async function findInForce(
  store: Pick<StsStore, 'findSession'>,
  sessionId: string,
): Promise<Result<Session | FederatedSession, Failure>> {
  const session = await store.findSession(sessionId);
  if (session !== undefined) return ok(session);
  return err(failure('session_ended', 'the session has ended, or this store does not know it'));
}
