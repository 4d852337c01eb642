// Sessions: the only place that makes one, and the credential it is carried by.
import type { RoleRef } from '../base/core/decision.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import { ACCESS_TOKEN_TYPE, accessTokenClaims } from '../base/credential/access-token.ts';
import { assembleJws } from '../base/jwt/assemble.ts';
import type { Signer } from '../base/ports/signer.ts';
import type { Session } from './store.ts';
import { type VerifiedToken, verifiedFacts } from './verifier/verify.ts';

/** What a decision allows a verified token. */
export interface Grant {
  readonly decisionId: string;
  readonly sessionId: string;
  readonly role: RoleRef;
  readonly group: string;
  readonly now: EpochSeconds;
  /** Whole and positive, within every bound (lifetime.ts). */
  readonly lifetimeSeconds: number;
  /** The claims that the role's permissions mention. */
  readonly claims: Readonly<Record<string, string>>;
}

/** The session of a grant. Throws a TypeError unless the verifier made the token. It is in force once the store took it. */
export function openSession(token: VerifiedToken, grant: Grant): Session {
  const facts = verifiedFacts(token);
  return {
    id: grant.sessionId,
    decisionId: grant.decisionId,
    role: grant.role,
    group: grant.group,
    issuer: facts.issuer.issuer,
    subject: facts.subject,
    jobId: facts.jobId,
    jobBound: facts.jobBound,
    issuedAt: grant.now,
    expiresAt: grant.now + grant.lifetimeSeconds,
    claims: grant.claims,
  };
}

/** The access token (RFC 9068) of a session that the store has taken. `stsUrl` is its `iss`. */
export function issueAccessToken(
  session: Session,
  o: { readonly stsUrl: string; readonly signer: Signer },
): Promise<string> {
  const claims = accessTokenClaims({
    issuer: o.stsUrl,
    sessionId: session.id,
    role: `${session.role.tenant}/${session.role.name}`,
    group: session.group,
    subject: session.subject,
    jobIssuer: session.issuer,
    jobId: session.jobId,
    jobBound: session.jobBound,
    claims: session.claims,
    issuedAt: session.issuedAt,
    expiresAt: session.expiresAt,
    tags: {},
    sourceIdentity: null,
    policy: null,
  });
  return assembleJws({ typ: ACCESS_TOKEN_TYPE }, claims, o.signer);
}
