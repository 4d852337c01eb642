// The access token of a session (RFC 9068): its claims, and opening it again at a gateway. Signing it is the STS's business.
import { type Claims, isJsonObject, type JsonValue } from '../core/json.ts';
import { type Failure, failure } from '../core/reasons.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { EpochSeconds } from '../core/time.ts';
import { quote } from '../json/quote.ts';
import { checkTimes } from '../jwt/claims.ts';
import type { VerificationKey } from '../jwt/jwk.ts';
import { parseJws } from '../jwt/jws.ts';
import { verifyJws } from '../jwt/verify.ts';

/** RFC 9068 §2.1: no other token of the STS can pass for an access token, nor this for another. */
export const ACCESS_TOKEN_TYPE = 'at+jwt';

/** Design, section 7: what the STS signs for itself is ES256. */
const ALGORITHMS = ['ES256'];

/** A session as its bearer presents it. */
export interface AccessToken {
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
}

/** The audience of every credential for the gateways of `group`. */
const groupAudience = (group: string): string => `urn:jobpass:gateway:${group}`;

/** A role as the target of an exchange and as the client of its tokens; `role` is `tenant/name`. */
const roleUrn = (role: string): string => `urn:jobpass:role:${role}`;

/** The payload (RFC 9068 §2.2), with `role`, `job`, `job_bound` and `claims` as members of our own. */
export const accessTokenClaims = (token: AccessToken): Claims => ({
  iss: token.issuer,
  sub: token.subject,
  aud: groupAudience(token.group),
  exp: token.expiresAt,
  iat: token.issuedAt,
  jti: token.sessionId,
  client_id: roleUrn(token.role),
  role: token.role,
  job: { iss: token.jobIssuer, id: token.jobId },
  job_bound: token.jobBound,
  claims: token.claims,
});

const isText = (value: JsonValue): boolean => typeof value === 'string' && value !== '';
const isTime = (value: JsonValue): boolean => Number.isSafeInteger(value);
const isRole = (value: JsonValue): boolean => typeof value === 'string' && /^[^/]+\/[^/]+$/.test(value);
const isFlag = (value: JsonValue): boolean => typeof value === 'boolean';

const isStrings = (value: JsonValue): boolean =>
  isJsonObject(value) && Object.values(value).every((member) => typeof member === 'string');

interface JobMember {
  readonly iss: string;
  readonly id: string | null;
}
const isJob = (value: JsonValue): boolean => {
  if (!isJsonObject(value) || Object.keys(value).length !== 2) return false;
  const { iss, id } = value;
  return iss !== undefined && isText(iss) && id !== undefined && (id === null || isText(id));
};

interface Payload {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string;
  readonly exp: EpochSeconds;
  readonly iat: EpochSeconds;
  readonly jti: string;
  readonly client_id: string;
  readonly role: string;
  readonly job: JobMember;
  readonly job_bound: boolean;
  readonly claims: Readonly<Record<string, string>>;
}

/** Every member and its type; a token has all of these and no others. */
const MEMBERS: Readonly<Record<keyof Payload, (value: JsonValue) => boolean>> = {
  iss: isText,
  sub: isText,
  aud: isText,
  exp: isTime,
  iat: isTime,
  jti: isText,
  client_id: isText,
  role: isRole,
  job: isJob,
  job_bound: isFlag,
  claims: isStrings,
};

/**
 * A member that this program does not know is refused: it may be a restriction (RFC 7800 `cnf`) that a gateway of an
 * older version would not see.
 */
function memberFailure(claims: Claims): Failure | undefined {
  for (const [name, isValid] of Object.entries(MEMBERS)) {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (value === undefined) return failure('claim_missing', `the access token has no "${name}"`);
    if (!isValid(value)) return failure('claim_malformed', `"${name}" of the access token has another type or form`);
  }
  const unknown = Object.keys(claims).find((name) => !Object.hasOwn(MEMBERS, name));
  return unknown === undefined
    ? undefined
    : failure('claim_malformed', 'the access token has a member that is not known');
}

function readPayload(claims: Claims): Result<Payload, Failure> {
  const refused = memberFailure(claims);
  if (refused !== undefined) return err(refused);
  // Every member was checked against its type just above.
  const payload = claims as unknown as Payload;
  if (payload.client_id !== roleUrn(payload.role)) {
    return err(failure('claim_malformed', '"client_id" and "role" of the access token name different roles'));
  }
  if (payload.job_bound && payload.job.id === null) {
    return err(failure('claim_malformed', 'the access token is bound to a job that it does not name'));
  }
  return ok(payload);
}

/** The parts that must be those of this STS, this group and this moment. */
function contextFailure(claims: Claims, payload: Payload, options: OpenOptions): Failure | undefined {
  if (payload.iss !== options.issuer) return failure('issuer_unknown', 'the access token is by another STS');
  if (payload.aud !== groupAudience(options.group)) {
    return failure('group_mismatch', `the access token is for ${quote(payload.aud)}`);
  }
  const times = checkTimes(claims, options);
  if (times.ok) return undefined;
  return times.error.reason === 'token_expired' ? failure('session_expired', times.error.detail) : times.error;
}

export interface OpenOptions {
  /** The STS's URL, compared byte for byte. */
  readonly issuer: string;
  /** The gateway's own group. */
  readonly group: string;
  /** The STS's keys as the feed last gave them. */
  readonly keys: readonly VerificationKey[];
  readonly nowSeconds: EpochSeconds;
  readonly skewSeconds: number;
}

/** A verified token and the key that its signature was checked with. */
export interface OpenedToken {
  readonly token: AccessToken;
  readonly key: VerificationKey;
}

/**
 * Verifies an access token wholly: strict JWS, `typ` exactly at+jwt, ES256 by one of `keys`, then every member with its
 * type, `iss`, `aud` exactly the group's, `exp` and `iat`. What is not in the token is not checked: whether the
 * session was ended, and whether the gateway is fresh.
 * Failures: those of parseJws and verifyJws, `token_type_refused`, `claim_missing`, `claim_malformed`,
 * `issuer_unknown`, `group_mismatch`, `session_expired`, `token_not_yet_valid`.
 */
export async function openAccessToken(token: string, options: OpenOptions): Promise<Result<OpenedToken, Failure>> {
  const parsed = parseJws(token);
  if (!parsed.ok) return parsed;
  const { header, claims } = parsed.value;
  if (header.typ !== ACCESS_TOKEN_TYPE) {
    return err(failure('token_type_refused', `only typ ${ACCESS_TOKEN_TYPE} is a credential here`));
  }
  const verified = await verifyJws(parsed.value, options.keys, { algorithms: ALGORITHMS });
  if (!verified.ok) return verified;
  const payload = readPayload(claims);
  if (!payload.ok) return payload;
  const refused = contextFailure(claims, payload.value, options);
  if (refused !== undefined) return err(refused);
  return ok({ token: tokenOf(payload.value, options.group), key: verified.value });
}

const tokenOf = (payload: Payload, group: string): AccessToken => ({
  issuer: payload.iss,
  sessionId: payload.jti,
  role: payload.role,
  group,
  subject: payload.sub,
  jobIssuer: payload.job.iss,
  jobId: payload.job.id,
  jobBound: payload.job_bound,
  claims: payload.claims,
  issuedAt: payload.iat,
  expiresAt: payload.exp,
});
