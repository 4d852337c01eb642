// From a token of the STS's own to a VerifiedToken: an identity that was verified before, remembered by its session, and looked at
// once more. The token itself vouches for nothing but the session.
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import { NO_LIMITS } from '../../base/limit/rate-limits.ts';
import { type Bearer, type BearerDeps, identifyBearer } from '../bearers.ts';
import { findInForce } from '../own-credentials.ts';
import type { FederatedSession, Federation, Session, StsStore } from '../store.ts';
import { checkJobStatusAgain } from './job-status.ts';
import { findIssuer } from './trusted-issuers.ts';
import {
  type AuthenticToken,
  audienceOf,
  CheckList,
  checkIdentity,
  type Unverified,
  type Verified,
} from './verification.ts';
import { mintVerified, type VerifiedFacts } from './verified-token.ts';
import { limitOf, type VerifierDeps } from './verify.ts';

export interface FederatedDeps extends BearerDeps {
  readonly verifier: VerifierDeps;
  readonly sessions: Pick<StsStore, 'findSession'>;
}

/** The session that another one may come of. */
export interface ParentSession {
  readonly id: string;
  /** The provider whose roles may come of it. */
  readonly provider: string;
  readonly expiresAt: EpochSeconds;
  /** The group whose gateways see its token; null: it has no role yet, and is for no gateway. */
  readonly group: string | null;
}

export type FederatedVerification = (Verified & { readonly parent: ParentSession }) | Unverified;

type Remembering = (Session | FederatedSession) & { readonly federation: Federation };

/**
 * Verifies the identity behind a token of ours: the token, its session in force and made to have another one come of it, the issuer
 * still registered, the claims, and the job still running. Stops at the first check that fails. Never throws for any token; rejects
 * when the store does.
 */
export async function verifyFederated(deps: FederatedDeps, token: string): Promise<FederatedVerification> {
  const list = new CheckList();
  const bearer = list.note('credential', await identifyBearer(deps, token), (known) => `session ${known.sessionId}`);
  if (!bearer.ok) return list.refuse(bearer.error, { authentic: null, isMeantForUs: false });
  const limited = limitOf(deps.verifier.limits ?? NO_LIMITS, vouchedFor(bearer.value));
  if (limited !== undefined) return list.refuse(limited, { authentic: null, isMeantForUs: false });
  const found = await findInForce(deps.sessions, bearer.value.sessionId);
  const session = list.note(
    'session',
    found.ok ? checkRemembering(found.value) : found,
    ({ expiresAt }) => `in force, until ${expiresAt}`,
  );
  if (!session.ok) return list.refuse(session.error, { authentic: vouchedFor(bearer.value), isMeantForUs: true });
  const { expiresAt, federation, id } = session.value;
  const facts = await verifyRemembered(deps.verifier, session.value, list);
  if (!facts.ok) {
    const authentic = { ...vouchedFor(bearer.value), claims: federation.claims };
    return list.refuse(facts.error, { authentic, isMeantForUs: true });
  }
  const group = session.value.role === null ? null : session.value.group;
  const parent = { id, provider: federation.provider, expiresAt, group };
  return { ok: true, token: mintVerified(facts.value), checks: list.traces, parent };
}

/** What the record of a refusal tells when the session itself is gone. */
const vouchedFor = ({ jobBound, jobId, jobIssuer, subject }: Bearer): AuthenticToken => ({
  issuer: jobIssuer,
  claims: { iss: jobIssuer, sub: subject },
  jobId,
  jobBound,
});

function checkRemembering(found: Session | FederatedSession): Result<Remembering, Failure> {
  const { federation } = found;
  return federation === null
    ? err(failure('chaining_refused', 'the session was not made to have another one come of it'))
    : ok({ ...found, federation });
}

async function verifyRemembered(
  deps: VerifierDeps,
  session: Remembering,
  list: CheckList,
): Promise<Result<VerifiedFacts, Failure>> {
  const { claims, tokenExpiresAt: expiresAt, tokenIssuedAt: issuedAt } = session.federation;
  const issuer = list.note(
    'issuer',
    findIssuer(deps.issuers, session.issuer),
    (known) => `${known.issuer} is registered`,
  );
  if (!issuer.ok) return issuer;
  const nowSeconds = deps.clock.nowSeconds();
  const vouched = { issuer: issuer.value, claims, issuedAt, expiresAt, nowSeconds };
  const facts = checkIdentity(vouched, list);
  if (!facts.ok) return facts;
  const { jobId } = facts.value;
  const known = { issuer: issuer.value, jobId, audience: audienceOf(claims), knownAt: session.issuedAt, nowSeconds };
  const standing = list.note('job status', await checkJobStatusAgain(deps, known), ({ detail }) => detail);
  if (!standing.ok) return standing;
  // An issuer that was registered otherwise since: the end of a job must not be lost on the way.
  if (standing.value.jobId !== session.jobId || standing.value.jobBound !== session.jobBound) {
    return err(failure('job_status_unknown', 'the issuer tells of its jobs otherwise than when the session was made'));
  }
  return ok({ ...facts.value, jobId, jobBound: standing.value.jobBound });
}
