// Whether a session is in force now, as far as the STS knows: what a gateway finds out from its feed, the STS knows itself.
import { parseRoleRef } from '../base/core/decision.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import { openAccessToken } from '../base/credential/access-token.ts';
import type { CarriedSession, OpenOptions } from '../base/credential/carried-session.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { KeyRing } from '../keys/ring.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import type { StsStore } from './store.ts';
import type { FeedAges } from './verifier/feed-ages.ts';

/** What this STS's own credentials are opened with. */
export interface OwnCredentials {
  readonly stsUrl: string;
  readonly keys: Pick<KeyRing, 'verificationKeys'>;
  readonly clock: Clock;
  readonly clockSkewSeconds: number;
}

export interface StandingDeps extends OwnCredentials {
  readonly store: Pick<StsStore, 'findSession'>;
  readonly policies: { current(): PolicySet };
  readonly ages: Pick<FeedAges, 'isFresh'>;
}

/** How credentials of these groups are opened at the STS itself, now. */
export const openOptions = (deps: OwnCredentials, groups: readonly string[]): OpenOptions => ({
  issuer: deps.stsUrl,
  groups,
  keys: deps.keys.verificationKeys(),
  nowSeconds: deps.clock.nowSeconds(),
  skewSeconds: deps.clockSkewSeconds,
});

/**
 * The session of an access token of one of these groups, if every gateway of the group should take it now. Failures: those of
 * openAccessToken; `session_expired`, without leeway for clocks, as at the gateways; `session_ended`, also for a session that the
 * store does not know; `role_unknown`; `feed_stale` when the STS itself cannot say whether the job still runs. Rejects when the
 * store does.
 */
export async function openStanding(
  deps: StandingDeps,
  token: string,
  groups: readonly string[],
): Promise<Result<CarriedSession, Failure>> {
  const options = openOptions(deps, groups);
  const opened = await openAccessToken(token, options);
  if (!opened.ok) return opened;
  const { session } = opened.value;
  if (session.expiresAt <= options.nowSeconds) {
    return err(failure('session_expired', `the session expired at ${session.expiresAt}`));
  }
  if ((await deps.store.findSession(session.sessionId)) === undefined) {
    return err(failure('session_ended', 'the session has ended, or this store does not know it'));
  }
  const ref = parseRoleRef(session.role);
  const role = ref === undefined ? undefined : deps.policies.current().find(ref);
  // As the feed has it: a gateway knows the roles of its own group alone.
  if (role?.session.gateway !== session.group) {
    return err(failure('role_unknown', `role ${session.role} is not active in group ${session.group}`));
  }
  if (!session.jobBound || deps.ages.isFresh(session.jobIssuer)) return ok(session);
  return err(failure('feed_stale', `nothing fresh is known of jobs of ${session.jobIssuer}`));
}
