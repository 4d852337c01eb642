// What opening has in common for every token that the STS signs for itself: its form, and whose it is. What a form means is its own
// file's business.
import { type Claims, isJsonObject, type JsonValue } from '../core/json.ts';
import { type Failure, failure } from '../core/reasons.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { EpochSeconds } from '../core/time.ts';
import { checkTimes } from '../jwt/claims.ts';
import type { VerificationKey } from '../jwt/jwk.ts';
import { parseJws } from '../jwt/jws.ts';
import { verifyJws } from '../jwt/verify.ts';

/** Design, section 2: what the STS signs for itself is ES256. */
const ALGORITHMS = ['ES256'];

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

export const isText: MemberCheck = (value) => typeof value === 'string' && value !== '';
export const isTime: MemberCheck = (value) => Number.isSafeInteger(value);
export const isRole: MemberCheck = (value) => typeof value === 'string' && /^[^/]+\/[^/]+$/.test(value);
export const isFlag: MemberCheck = (value) => typeof value === 'boolean';

/** An object whose members are all strings. */
export const isStrings = (value: JsonValue): value is Readonly<Record<string, string>> =>
  isJsonObject(value) && Object.values(value).every((member) => typeof member === 'string');

export const isJob: MemberCheck = (value) => {
  if (!isJsonObject(value) || Object.keys(value).length !== 2) return false;
  const { iss, id } = value;
  return iss !== undefined && isText(iss) && id !== undefined && (id === null || isText(id));
};

/** A token that is of its form, and signed. Whose it is, and whether it is in time, `checkIssued` tells. */
interface OpenedForm {
  readonly claims: Claims;
  readonly key: VerificationKey;
}

/**
 * Verifies that a token is of one form: strict JWS, `typ` exactly the form's, ES256 by one of `keys`, every member with its type and
 * no others. Failures: those of parseJws and verifyJws, `token_type_refused`, `claim_missing`, `claim_malformed`.
 */
export async function openForm(
  token: string,
  form: CredentialForm,
  keys: readonly VerificationKey[],
): Promise<Result<OpenedForm, Failure>> {
  const parsed = parseJws(token);
  if (!parsed.ok) return parsed;
  const { header, claims } = parsed.value;
  if (header.typ !== form.type) return err(failure('token_type_refused', `only typ ${form.type} is taken here`));
  const verified = await verifyJws(parsed.value, keys, { algorithms: ALGORITHMS });
  if (!verified.ok) return verified;
  const refused = memberFailure(claims, form) ?? bondFailure(claims, form);
  return refused === undefined ? ok({ claims, key: verified.value }) : err(refused);
}

/** Nothing can end with a job that nobody knows. Precondition: the members have their types. */
function bondFailure({ job, job_bound: jobBound }: Claims, { name: form }: CredentialForm): Failure | undefined {
  const isUnknown = !isJsonObject(job) || job.id === null;
  if (jobBound !== true || !isUnknown) return undefined;
  return failure('claim_malformed', `${form} is bound to a job that it does not name`);
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

/**
 * Whether the token is by this STS and for this moment. Failures: `issuer_unknown`, `session_expired`, `token_not_yet_valid`,
 * `claim_malformed`.
 */
export function checkIssued(
  claims: Claims,
  o: { readonly issuer: string; readonly nowSeconds: EpochSeconds; readonly skewSeconds: number },
): Result<null, Failure> {
  if (claims.iss !== o.issuer) return err(failure('issuer_unknown', 'the credential is by another STS'));
  const times = checkTimes(claims, o);
  if (times.ok) return ok(null);
  return err(times.error.reason === 'token_expired' ? failure('session_expired', times.error.detail) : times.error);
}
