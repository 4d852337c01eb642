// Sessions: the only place that makes one. The credentials that carry it are credentials.ts's business.
import type { RoleRef } from '../base/core/decision.ts';
import type { Statement } from '../base/core/permissions.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import type { FederatedSession, Federation, Session } from './store.ts';
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
  readonly tags: Readonly<Record<string, string>>;
  readonly sourceIdentity: string | null;
  /** What the caller calls the session; null on wires that have no such name. */
  readonly name: string | null;
  /** Null: the role alone decides. */
  readonly policy: readonly Statement[] | null;
  /** Null: no further session comes of it. */
  readonly federation: Federation | null;
  /** Null: it comes of an identity token. */
  readonly parentId: string | null;
}

/** What a decision allows a verified token that gets no role yet. */
export type FederatedGrant = Pick<Grant, 'decisionId' | 'sessionId' | 'now' | 'lifetimeSeconds'> &
  Pick<FederatedSession, 'role' | 'federation'>;

/** The session of a grant. Throws a TypeError unless the verifier made the token. It is in force once the store took it. */
export function openSession(token: VerifiedToken, grant: Grant): Session;
export function openSession(token: VerifiedToken, grant: FederatedGrant): FederatedSession;
export function openSession(token: VerifiedToken, grant: Grant | FederatedGrant): Session | FederatedSession {
  const facts = verifiedFacts(token);
  const { sessionId: id, now: issuedAt, lifetimeSeconds, ...granted } = grant;
  return {
    ...granted,
    id,
    issuer: facts.issuer.issuer,
    subject: facts.subject,
    jobId: facts.jobId,
    jobBound: facts.jobBound,
    issuedAt,
    expiresAt: issuedAt + lifetimeSeconds,
  };
}
