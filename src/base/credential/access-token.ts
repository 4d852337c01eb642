// The access token of a session (RFC 9068): its claims, and opening it again at a gateway. Signing it is the STS's business.
import type { Claims, JsonValue } from '../core/json.ts';
import { MAX_TOKEN_BYTES } from '../core/limits.ts';
import { isStatements, type Statement, statementsJson } from '../core/permissions.ts';
import { type Failure, failure } from '../core/reasons.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { VerificationKey } from '../jwt/jwk.ts';
import {
  type CarriedSession,
  COMMON_MEMBERS,
  type OpenOptions,
  openMembers,
  ownClaims,
  registeredClaims,
  sizeProblem,
} from './carried-session.ts';
import { type CredentialForm, isStrings, isText } from './credential-form.ts';

/** RFC 9068 §2.1: no other token of the STS can pass for an access token, nor this for another. */
export const ACCESS_TOKEN_TYPE = 'at+jwt';

/** A role as the target of an exchange and as the client of its tokens; `role` is `tenant/name`. */
const roleUrn = (role: string): string => `urn:jobpass:role:${role}`;

/** The payload (RFC 9068 §2.2), with members of our own; tags, source identity and session policy only where there are any. */
export const accessTokenClaims = (session: CarriedSession): Claims => ({
  ...registeredClaims(session),
  client_id: roleUrn(session.role),
  ...ownClaims(session),
  ...(Object.keys(session.tags).length === 0 ? {} : { tags: session.tags }),
  ...(session.sourceIdentity === null ? {} : { source_identity: session.sourceIdentity }),
  ...(session.policy === null ? {} : { policy: statementsJson(session.policy) }),
});

/** Why no access token can carry the session, or undefined: `request_too_large`. */
export const accessTokenProblem = (session: CarriedSession): Failure | undefined =>
  sizeProblem(accessTokenClaims(session), MAX_TOKEN_BYTES);

const FORM: CredentialForm = {
  name: 'the access token',
  type: ACCESS_TOKEN_TYPE,
  required: { ...COMMON_MEMBERS, client_id: isText },
  optional: {
    // Left out when there are none, so an empty one is not ours.
    tags: (value: JsonValue) => isStrings(value) && Object.keys(value).length > 0,
    source_identity: isText,
    policy: isStatements,
  },
};

/** A verified token and the key that its signature was checked with. */
export interface OpenedToken {
  readonly session: CarriedSession;
  readonly key: VerificationKey;
}

/** Verifies an access token wholly, as `openMembers` says; `claim_malformed` too when `client_id` names another role. */
export async function openAccessToken(token: string, options: OpenOptions): Promise<Result<OpenedToken, Failure>> {
  const opened = await openMembers(token, FORM, options);
  if (!opened.ok) return opened;
  const { claims, key, sessionWith } = opened.value;
  const { tags, source_identity: sourceIdentity, policy } = claims as unknown as OptionalMembers;
  const session = sessionWith({
    tags: tags ?? {},
    sourceIdentity: sourceIdentity ?? null,
    policy: policy ?? null,
  });
  if (claims.client_id !== roleUrn(session.role)) {
    return err(failure('claim_malformed', '"client_id" and "role" of the access token name different roles'));
  }
  return ok({ session, key });
}

/** Precondition: checked by the form. */
interface OptionalMembers {
  readonly tags?: Readonly<Record<string, string>>;
  readonly source_identity?: string;
  readonly policy?: readonly Statement[];
}
