// Client assertions (`private_key_jwt`, RFC 7523 §3): the checks of one, and the memory that lets each be used once.
import { type Claims, stringMember } from '../core/json.ts';
import { DEFAULT_CLOCK_SKEW_SECONDS } from '../core/limits.ts';
import type { EpochSeconds } from '../core/time.ts';

/** RS256 as every library knows it, and the two curves that we sign with ourselves. */
export const ASSERTION_ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const;

/** An assertion is made for one request; five minutes cover a slow one. */
export const MAX_ASSERTION_SECONDS = 300;
const MAX_JTI_CHARS = 255;
/** For each client: 30 assertions a second, each as long-lived as allowed. Beyond it assertions are refused, not forgotten. */
const MAX_USED_ASSERTIONS = 10_000;

/** RFC 7519 §4.1: what an assertion says of itself once its signature holds. */
export interface AssertionUse {
  readonly jti: string;
  readonly expiresAt: EpochSeconds;
}

/** The client that an assertion claims to be by (RFC 7523 §3, 1 and 2: `iss` and `sub` are both its name). */
export function claimedClient(claims: Claims): string | undefined {
  const name = stringMember(claims, 'iss');
  return name !== undefined && name === stringMember(claims, 'sub') ? name : undefined;
}

function timeProblem(claims: Claims, now: EpochSeconds): string | undefined {
  const { exp, nbf, iat } = claims;
  if (typeof exp !== 'number') return 'it has no expiry';
  if (exp + DEFAULT_CLOCK_SKEW_SECONDS <= now) return `it expired ${Math.floor(now - exp)} s ago`;
  if (exp - now > MAX_ASSERTION_SECONDS) return `it lives for more than ${MAX_ASSERTION_SECONDS} s`;
  for (const start of [nbf, iat]) {
    if (start === undefined) continue;
    if (typeof start !== 'number') return 'a time of it is not a number';
    if (start > now + DEFAULT_CLOCK_SKEW_SECONDS) return 'it starts in the future';
  }
  return undefined;
}

/**
 * What is wrong with the claims of an assertion for the operator, or how it may be used. `audience` is the server's URL,
 * compared byte for byte, and the only one. RFC 7523 leaves `iat` and `nbf` optional; `jti` is required here, because
 * without it a copied assertion would be good until it expires.
 * Precondition: the signature was verified with a key of the client that the assertion names.
 */
export function readAssertion(claims: Claims, audience: string, now: EpochSeconds): AssertionUse | string {
  const { aud, exp } = claims;
  const only = Array.isArray(aud) && aud.length === 1 ? aud[0] : aud;
  if (only !== audience) return 'its audience is not this server alone';
  const problem = timeProblem(claims, now);
  if (problem !== undefined) return problem;
  const jti = stringMember(claims, 'jti') ?? '';
  if (jti === '' || jti.length > MAX_JTI_CHARS) return `it has no jti of 1 to ${MAX_JTI_CHARS} characters`;
  return { jti, expiresAt: Math.ceil(Number(exp)) };
}

/** Which assertions each client has used. In memory: a restart forgets, but no assertion outlives it by five minutes. */
export class UsedAssertions {
  readonly #byClient = new Map<string, Map<string, EpochSeconds>>();

  /** True once for each (client, jti) until it has expired; false for a repetition, and while the client's memory is full. */
  take(client: string, use: AssertionUse, now: EpochSeconds): boolean {
    const used = this.#byClient.get(client) ?? new Map<string, EpochSeconds>();
    this.#byClient.set(client, used);
    if (used.has(use.jti)) return false;
    if (used.size >= MAX_USED_ASSERTIONS) forgetExpired(used, now);
    if (used.size >= MAX_USED_ASSERTIONS) return false;
    used.set(use.jti, use.expiresAt + DEFAULT_CLOCK_SKEW_SECONDS);
    return true;
  }
}

function forgetExpired(used: Map<string, EpochSeconds>, now: EpochSeconds): void {
  for (const [jti, until] of used) if (until <= now) used.delete(jti);
}
