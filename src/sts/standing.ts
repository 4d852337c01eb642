// Whether a session is in force now, as far as the STS knows: what a gateway finds out from its feed, the STS knows itself.
import { parseRoleRef } from '../base/core/decision.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import { openAccessToken } from '../base/credential/access-token.ts';
import type { CarriedSession } from '../base/credential/carried-session.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import { expiryProblem, findInForce, type OwnCredentials, openOptions } from './own-credentials.ts';
import type { StsStore } from './store.ts';
import type { FeedAges } from './verifier/feed-ages.ts';

export interface StandingDeps extends OwnCredentials {
  readonly store: Pick<StsStore, 'findSession'>;
  readonly policies: { current(): PolicySet };
  readonly ages: Pick<FeedAges, 'isFresh'>;
}

/**
 * The session of an access token of one of these groups, if every gateway of the group should take it now. Failures: those of
 * openAccessToken, `session_expired`, `session_ended`, `role_unknown`; `feed_stale` when the STS itself cannot say whether the job
 * still runs. Rejects when the store does.
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
  const expired = expiryProblem(session.expiresAt, options.nowSeconds);
  if (expired !== undefined) return err(expired);
  const found = await findInForce(deps.store, session.sessionId);
  if (!found.ok) return found;
  const ref = parseRoleRef(session.role);
  const role = ref === undefined ? undefined : deps.policies.current().find(ref);
  // As the feed has it: a gateway knows the roles of its own group alone.
  if (role?.session.gateway !== session.group) {
    return err(failure('role_unknown', `role ${session.role} is not active in group ${session.group}`));
  }
  if (!session.jobBound || deps.ages.isFresh(session.jobIssuer)) return ok(session);
  return err(failure('feed_stale', `nothing fresh is known of jobs of ${session.jobIssuer}`));
}
