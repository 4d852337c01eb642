// Checks of the registered claims (RFC 7519 §4.1). Precondition everywhere: the signature was verified.
import { JobpassError } from '../core/errors.ts';
import { type Claims, type JsonValue, ownMember } from '../core/json.ts';
import { MAX_CLOCK_SKEW_SECONDS } from '../core/limits.ts';
import { type Failure, failure, type Reason } from '../core/reasons.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { EpochSeconds } from '../core/time.ts';
import { quote } from '../json/quote.ts';

export interface TimeOptions {
  readonly nowSeconds: EpochSeconds;
  /** From 0 to MAX_CLOCK_SKEW_SECONDS. */
  readonly skewSeconds: number;
  /** The longest `exp` − `iat`. */
  readonly maxLifetimeSeconds?: number;
}

/** The times of a token in whole seconds: `exp` and `iat` rounded down, `nbf` up, so that no fraction lengthens a life. */
export interface TokenTimes {
  readonly issuedAt: EpochSeconds;
  readonly expiresAt: EpochSeconds;
  readonly notBefore?: EpochSeconds;
}

/**
 * Checks `exp`, `iat` (both required; OIDC Core §2) and `nbf`. Valid while `exp` + skew lies after now and `nbf` and
 * `iat` not after now + skew. A fraction is allowed (RFC 7519 §2), a date beyond the year 9999 is not: it is
 * milliseconds, or a number that a double does not hold.
 * Failures: `claim_missing`, `claim_malformed` (also for `nbf` or `iat` after `exp`), `token_expired`,
 * `token_not_yet_valid`, `token_lifetime_too_long`. Throws ERR_CLOCK_SKEW when the skew is out of range.
 */
export function checkTimes(claims: Claims, options: TimeOptions): Result<TokenTimes, Failure> {
  const { skewSeconds } = options;
  if (!(skewSeconds >= 0 && skewSeconds <= MAX_CLOCK_SKEW_SECONDS)) {
    throw new JobpassError(
      'ERR_CLOCK_SKEW',
      `a clock skew of ${skewSeconds} s; 0 to ${MAX_CLOCK_SKEW_SECONDS} are allowed`,
    );
  }
  const exp = numericDate(claims, 'exp');
  if (!exp.ok) return exp;
  const iat = numericDate(claims, 'iat');
  if (!iat.ok) return iat;
  const nbf = Object.hasOwn(claims, 'nbf') ? numericDate(claims, 'nbf') : undefined;
  if (nbf?.ok === false) return nbf;

  const expiresAt = Math.floor(exp.value);
  const notBefore = nbf === undefined ? undefined : Math.ceil(nbf.value);
  const starts = Math.max(iat.value, notBefore ?? Number.NEGATIVE_INFINITY);
  const refused =
    windowFailure({ starts, expiresAt }, options) ??
    (starts < exp.value ? undefined : failure('claim_malformed', '"exp" does not lie after "iat" and "nbf"')) ??
    lifetimeFailure(exp.value - iat.value, options.maxLifetimeSeconds);
  if (refused !== undefined) return err(refused);
  return ok({ issuedAt: Math.floor(iat.value), expiresAt, ...(notBefore === undefined ? {} : { notBefore }) });
}

/** RFC 7519 §4.1.4: now must be before `exp`; §4.1.5: and not before `nbf`. */
function windowFailure(window: { starts: number; expiresAt: number }, options: TimeOptions): Failure | undefined {
  const { nowSeconds, skewSeconds } = options;
  if (window.expiresAt + skewSeconds <= nowSeconds) {
    return failure('token_expired', `"exp" was ${nowSeconds - window.expiresAt} s ago`);
  }
  if (window.starts > nowSeconds + skewSeconds) {
    return failure('token_not_yet_valid', `"iat" or "nbf" lies ${Math.ceil(window.starts) - nowSeconds} s ahead`);
  }
  return undefined;
}

function lifetimeFailure(seconds: number, max: number | undefined): Failure | undefined {
  if (max === undefined || seconds <= max) return undefined;
  return failure('token_lifetime_too_long', `the token lives ${seconds} s; at most ${max} s are allowed`);
}

/** 9999-12-31T23:59:59Z, the last date that RFC 3339 can write. */
const LAST_NUMERIC_DATE = 253_402_300_799;

function numericDate(claims: Claims, name: string): Result<number, Failure> {
  const value = ownMember(claims, name);
  if (value === undefined) return missing(name);
  if (typeof value === 'number' && Math.abs(value) <= LAST_NUMERIC_DATE) return ok(value);
  return malformed(name, value, 'a date in seconds');
}

/**
 * Gives the token's one audience when it is among `allowed`, compared byte for byte. One string or an array of one
 * string; a token for several parties is refused whoever is named first, whatever `azp` says.
 * Failures: `claim_missing`, `claim_malformed`, `audience_mismatch` (always when `allowed` is empty).
 */
export function checkAudience(claims: Claims, allowed: readonly string[]): Result<string, Failure> {
  const value = ownMember(claims, 'aud');
  if (value === undefined) return missing('aud');
  const audiences: readonly JsonValue[] = Array.isArray(value) ? value : [value];
  const [audience] = audiences;
  if (audiences.length > 1) {
    return err(failure('audience_mismatch', `the token names ${audiences.length} audiences; exactly one is taken`));
  }
  if (typeof audience !== 'string' || audience === '') return malformed('aud', value, 'one audience');
  if (allowed.includes(audience)) return ok(audience);
  return err(failure('audience_mismatch', `"aud" is ${quote(audience)}; wanted: ${allowed.map(quote).join(' or ')}`));
}

const missing = (name: string) => refuse('claim_missing', `the token has no "${name}"`);

const malformed = (name: string, value: JsonValue, wanted: string) =>
  refuse('claim_malformed', `"${name}" is ${quote(value)}, not ${wanted}`);

const refuse = (reason: Reason, detail: string) => err(failure(reason, detail));
