// A session as its credential tells it, whatever the credential's form, and what opening has in common for all of them. Signing
// is the STS's business; whether a session was ended, no credential can tell.
import { type Claims, isJsonObject, type JsonValue } from '../core/json.ts';
import type { Statement } from '../core/permissions.ts';
import { type Failure, failure } from '../core/reasons.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { EpochSeconds } from '../core/time.ts';
import { quote } from '../json/quote.ts';
import { checkTimes } from '../jwt/claims.ts';
import type { VerificationKey } from '../jwt/jwk.ts';
import { parseJws } from '../jwt/jws.ts';
import { verifyJws } from '../jwt/verify.ts';

/** Design, section 7: what the STS signs for itself is ES256. */
const ALGORITHMS = ['ES256'];

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

/** Tells whether a member has its type and form. */
export type MemberCheck = (value: JsonValue) => boolean;

/** One form of credential. A token has every required member, perhaps some of the optional ones, and no others. */
export interface CredentialForm {
  /** For people: `the access token`. */
  readonly name: string;
  /** `typ`, exactly: no other token of the STS can pass for one of this form. */
  readonly type: string;
  readonly required: Readonly<Record<string, MemberCheck>>;
  readonly optional: Readonly<Record<string, MemberCheck>>;
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

export const isText: MemberCheck = (value) => typeof value === 'string' && value !== '';
const isTime: MemberCheck = (value) => Number.isSafeInteger(value);
const isRole: MemberCheck = (value) => typeof value === 'string' && /^[^/]+\/[^/]+$/.test(value);
const isFlag: MemberCheck = (value) => typeof value === 'boolean';

/** An object whose members are all strings. */
export const isStrings = (value: JsonValue): value is Readonly<Record<string, string>> =>
  isJsonObject(value) && Object.values(value).every((member) => typeof member === 'string');

const isJob: MemberCheck = (value) => {
  if (!isJsonObject(value) || Object.keys(value).length !== 2) return false;
  const { iss, id } = value;
  return iss !== undefined && isText(iss) && id !== undefined && (id === null || isText(id));
};

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
  const parsed = parseJws(token);
  if (!parsed.ok) return parsed;
  const { header, claims } = parsed.value;
  if (header.typ !== form.type) return err(failure('token_type_refused', `only typ ${form.type} is taken here`));
  const verified = await verifyJws(parsed.value, options.keys, { algorithms: ALGORITHMS });
  if (!verified.ok) return verified;
  const refused = memberFailure(claims, form);
  if (refused !== undefined) return err(refused);
  // Every member was checked against its type just above.
  const common = claims as unknown as CommonMembers;
  if (common.job_bound && common.job.id === null) {
    return err(failure('claim_malformed', `${form.name} is bound to a job that it does not name`));
  }
  const group = groupFor(claims, common, options);
  if (!group.ok) return group;
  const sessionWith = (attributes: Attributes): CarriedSession => sessionOf(common, group.value, attributes);
  return ok({ claims, key: verified.value, sessionWith });
}

/**
 * A member that this program does not know is refused: it may be a restriction (RFC 7800 `cnf`) that a gateway of an
 * older version would not see.
 */
function memberFailure(claims: Claims, { name: form, required, optional }: CredentialForm): Failure | undefined {
  for (const [name, isValid] of Object.entries(required)) {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (value === undefined) return failure('claim_missing', `${form} has no "${name}"`);
    if (!isValid(value)) return failure('claim_malformed', `"${name}" of ${form} has another type or form`);
  }
  for (const [name, value] of Object.entries(claims)) {
    if (Object.hasOwn(required, name)) continue;
    const isValid = Object.hasOwn(optional, name) ? optional[name] : undefined;
    if (isValid === undefined) return failure('claim_malformed', `${form} has a member that is not known`);
    if (!isValid(value)) return failure('claim_malformed', `"${name}" of ${form} has another type or form`);
  }
  return undefined;
}

/** The group, when the parts are those of this STS, one of these groups and this moment. */
function groupFor(claims: Claims, common: CommonMembers, options: OpenOptions): Result<string, Failure> {
  if (common.iss !== options.issuer) return err(failure('issuer_unknown', 'the credential is by another STS'));
  const group = options.groups.find((known) => common.aud === groupAudience(known));
  if (group === undefined) return err(failure('group_mismatch', `the credential is for ${quote(common.aud)}`));
  const times = checkTimes(claims, options);
  if (times.ok) return ok(group);
  return err(times.error.reason === 'token_expired' ? failure('session_expired', times.error.detail) : times.error);
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
