// A session of a role as its credential tells it, and what opening has in common for all credentials of one. Signing is the STS's
// business; whether a session was ended, no credential can tell.
import type { Claims } from '../core/json.ts';
import type { Statement } from '../core/permissions.ts';
import { type Failure, failure } from '../core/reasons.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { EpochSeconds } from '../core/time.ts';
import { quote } from '../json/quote.ts';
import type { VerificationKey } from '../jwt/jwk.ts';
import {
  type CredentialForm,
  checkIssued,
  isFlag,
  isJob,
  isRole,
  isStrings,
  isText,
  isTime,
  type MemberCheck,
  openForm,
} from './credential-form.ts';

/** A session as its bearer presents it. */
export interface CarriedSession {
  /** The STS. */
  readonly issuer: string;
  readonly sessionId: string;
  /** `tenant/name`. */
  readonly role: string;
  /** The gateway group; every gateway checks it. */
  readonly group: string;
  readonly subject: string;
  /** The CI's issuer, whose feed tells that the job is over. */
  readonly jobIssuer: string;
  /** Null when the issuer names no job. */
  readonly jobId: string | null;
  /** False when the STS cannot learn that the job ended. Never true without a job. */
  readonly jobBound: boolean;
  /** What the role's permissions mention. */
  readonly claims: Readonly<Record<string, string>>;
  readonly issuedAt: EpochSeconds;
  readonly expiresAt: EpochSeconds;
  /** Session tags by key, for the condition keys `aws:PrincipalTag/KEY`. */
  readonly tags: Readonly<Record<string, string>>;
  readonly sourceIdentity: string | null;
  /**
   * The session policy: what it does not allow, the session may not, whatever its role may. It never allows by itself. Null: there
   * is none; an empty list allows nothing.
   */
  readonly policy: readonly Statement[] | null;
}

export interface OpenOptions {
  /** The STS's URL, compared byte for byte. */
  readonly issuer: string;
  /** The groups whose credentials are taken: a gateway's own one, or all that the STS itself has. */
  readonly groups: readonly string[];
  /** The STS's keys as the feed last gave them. */
  readonly keys: readonly VerificationKey[];
  readonly nowSeconds: EpochSeconds;
  readonly skewSeconds: number;
}

/** The members that every form has. */
interface CommonMembers {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string;
  readonly exp: EpochSeconds;
  readonly iat: EpochSeconds;
  readonly jti: string;
  readonly role: string;
  readonly job: { readonly iss: string; readonly id: string | null };
  readonly job_bound: boolean;
  readonly claims: Readonly<Record<string, string>>;
}

/** Their checks, for the forms to build on. */
export const COMMON_MEMBERS: Readonly<Record<keyof CommonMembers, MemberCheck>> = {
  iss: isText,
  sub: isText,
  aud: isText,
  exp: isTime,
  iat: isTime,
  jti: isText,
  role: isRole,
  job: isJob,
  job_bound: isFlag,
  claims: isStrings,
};

/** The registered members (RFC 9068 §2.2); `aud` is the group. */
export const registeredClaims = (session: CarriedSession): Claims => ({
  iss: session.issuer,
  sub: session.subject,
  aud: groupAudience(session.group),
  exp: session.expiresAt,
  iat: session.issuedAt,
  jti: session.sessionId,
});

/** The members of our own that every form has. */
export const ownClaims = (session: CarriedSession): Claims => ({
  role: session.role,
  job: { iss: session.jobIssuer, id: session.jobId },
  job_bound: session.jobBound,
  claims: session.claims,
});

/** Of header, signature and dots around the claims; the id of a key is a thumbprint. */
const TOKEN_OVERHEAD_CHARS = 256;

/** `request_too_large` when a token with these claims would have more characters than anybody reads, else undefined. */
export function sizeProblem(claims: Claims, maxChars: number): Failure | undefined {
  const chars = Math.ceil((Buffer.byteLength(JSON.stringify(claims)) * 4) / 3) + TOKEN_OVERHEAD_CHARS;
  return chars <= maxChars ? undefined : failure('request_too_large', `its token would have about ${chars} characters`);
}

/** The audience of every credential for the gateways of `group`. */
const groupAudience = (group: string): string => `urn:jobpass:gateway:${group}`;

/** What only the form itself knows how to carry. */
type Attributes = Pick<CarriedSession, 'tags' | 'sourceIdentity' | 'policy'>;

/** A verified credential of which its form still has to read the members of its own. */
export interface OpenedMembers {
  readonly claims: Claims;
  readonly key: VerificationKey;
  /** The session, with what the form has read of it. */
  sessionWith(attributes: Attributes): CarriedSession;
}

/**
 * Verifies a credential of one form: strict JWS, `typ` exactly the form's, ES256 by one of `keys`, then every member with its type,
 * `iss`, `aud` exactly that of one of the groups, `exp` and `iat`. What is not in the token is not checked: whether the session was
 * ended, and whether the gateway is fresh.
 * Failures: those of parseJws and verifyJws, `token_type_refused`, `claim_missing`, `claim_malformed`, `issuer_unknown`,
 * `group_mismatch`, `session_expired`, `token_not_yet_valid`.
 */
export async function openMembers(
  token: string,
  form: CredentialForm,
  options: OpenOptions,
): Promise<Result<OpenedMembers, Failure>> {
  const opened = await openForm(token, form, options.keys);
  if (!opened.ok) return opened;
  const { claims, key } = opened.value;
  // Every member was checked against its type just above.
  const common = claims as unknown as CommonMembers;
  const group = groupFor(claims, common, options);
  if (!group.ok) return group;
  const sessionWith = (attributes: Attributes): CarriedSession => sessionOf(common, group.value, attributes);
  return ok({ claims, key, sessionWith });
}

/** The group, when the parts are those of this STS, one of these groups and this moment. */
function groupFor(claims: Claims, common: CommonMembers, options: OpenOptions): Result<string, Failure> {
  const ours = checkIssued(claims, options);
  if (!ours.ok) return ours;
  const group = options.groups.find((known) => common.aud === groupAudience(known));
  return group === undefined ? err(failure('group_mismatch', `the credential is for ${quote(common.aud)}`)) : ok(group);
}

const sessionOf = (common: CommonMembers, group: string, attributes: Attributes): CarriedSession => ({
  issuer: common.iss,
  sessionId: common.jti,
  role: common.role,
  group,
  subject: common.sub,
  jobIssuer: common.job.iss,
  jobId: common.job.id,
  jobBound: common.job_bound,
  claims: common.claims,
  issuedAt: common.iat,
  expiresAt: common.exp,
  ...attributes,
});
