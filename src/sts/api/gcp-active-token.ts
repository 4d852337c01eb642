// Whose a token is, as Google Cloud's clients name identities. It looks up and decides nothing.
import { gcpPrincipal } from '../../base/credential/gcp-names.ts';
import type { PolicySet } from '../../policy/policy-set.ts';
import type { GcpActiveToken } from '../../wire/gcp-sts/introspection.ts';
import { type BearerDeps, identifyBearer } from '../bearers.ts';
import type { FederatedSession, Session, StsStore } from '../store.ts';

interface ActiveTokenDeps {
  readonly bearers: BearerDeps;
  readonly sessions: Pick<StsStore, 'findSession'>;
  readonly policies: { current(): PolicySet };
}

/**
 * The token's owner; null when it is not one of ours, not in force, or of a role that Google Cloud's clients cannot name. Rejects
 * when the store does.
 */
export async function findActiveToken(deps: ActiveTokenDeps, token: string): Promise<GcpActiveToken | null> {
  const bearer = await identifyBearer(deps.bearers, token);
  if (!bearer.ok) return null;
  const session = await deps.sessions.findSession(bearer.value.sessionId);
  const username = session === undefined ? undefined : nameOf(session, deps.policies.current());
  if (session === undefined || username === undefined) return null;
  const { expiresAt, issuedAt, subject } = session;
  return { username, issuer: deps.bearers.stsUrl, subject, issuedAt, expiresAt };
}

/** A service account's address, or the identity in its pool. */
function nameOf(
  { federation, role: ref, subject }: Session | FederatedSession,
  policies: PolicySet,
): string | undefined {
  const name = ref === null ? undefined : policies.find(ref)?.gcp;
  if (name !== undefined && name?.serviceAccount != null) return name.serviceAccount;
  const provider = name?.provider ?? (ref === null ? federation?.provider : undefined);
  return provider === undefined ? undefined : gcpPrincipal(provider, subject);
}
