// Looks once more at every ID token before it is signed. What it finds is a mistake of ours, never of the caller's.
import { JobpassError } from '../base/core/errors.ts';
import type { Claims, JsonValue } from '../base/core/json.ts';
import { isJsonObject } from '../base/core/json.ts';
import { MAX_SUBJECT_CHARS } from '../base/core/limits.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import { AWS_TAGS_CLAIM } from '../base/identity/profile.ts';

const NUMERIC_DATES: ReadonlySet<string> = new Set(['iat', 'nbf', 'exp']);

/** What the token must be, said apart from how it was made. */
export interface IdTokenBounds {
  readonly issuer: string;
  readonly audience: string;
  readonly nowSeconds: EpochSeconds;
  readonly deadline: EpochSeconds;
  readonly maxLifetimeSeconds: number;
}

/**
 * Throws ERR_ID_TOKEN_UNSOUND unless the claims are what an ID token of this issuer may say; then nothing is signed.
 */
export function lintIdToken(claims: Claims, bounds: IdTokenBounds): void {
  const { iss, aud, sub, jti, iat, nbf, exp } = claims;
  const problems: string[] = [];
  const hold = (condition: boolean, problem: string): void => {
    if (!condition) problems.push(problem);
  };
  hold(iss === bounds.issuer, 'iss is not the issuer');
  hold(aud === bounds.audience && bounds.audience !== '', 'aud is not the audience');
  hold(typeof sub === 'string' && /^[\x21-\x7e]+$/.test(sub) && sub.length <= MAX_SUBJECT_CHARS, 'sub is out of form');
  hold(typeof jti === 'string' && jti.length >= 22, 'jti is too short to be unique');
  hold(iat === bounds.nowSeconds && nbf === bounds.nowSeconds, 'iat or nbf is not now');
  const expiry = typeof exp === 'number' && Number.isSafeInteger(exp) ? exp : Number.POSITIVE_INFINITY;
  hold(expiry > bounds.nowSeconds, 'exp is not in the future');
  hold(expiry <= bounds.nowSeconds + bounds.maxLifetimeSeconds, 'exp is beyond the lifetime');
  hold(expiry <= bounds.deadline, 'exp is beyond the deadline');
  for (const [name, value] of Object.entries(claims)) {
    if (NUMERIC_DATES.has(name)) continue;
    hold(name === AWS_TAGS_CLAIM ? isTags(value) : typeof value === 'string', `${name} is not a string`);
  }
  if (problems.length > 0) throw new JobpassError('ERR_ID_TOKEN_UNSOUND', problems.join('; '));
}

/** `{principal_tags: {name: [value]}}` and nothing else. */
function isTags(value: JsonValue): boolean {
  if (!isJsonObject(value)) return false;
  const { principal_tags: tags, ...rest } = value;
  if (Object.keys(rest).length > 0 || tags === undefined || !isJsonObject(tags)) return false;
  return Object.values(tags).every(
    (values) => Array.isArray(values) && values.length === 1 && typeof values[0] === 'string',
  );
}
