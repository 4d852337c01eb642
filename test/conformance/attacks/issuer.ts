// The issuer that is attacked: its keys, and what a verifier of its tokens says.
import type { JsonObject, JsonValue } from '../../../src/base/core/json.ts';
import { ALGORITHMS_OF, ISSUER_ALGORITHMS } from '../../../src/base/jwt/algorithms.ts';
import { importKeySet } from '../../../src/base/jwt/jwk.ts';
import { parseJws } from '../../../src/base/jwt/jws.ts';
import { verifyJws } from '../../../src/base/jwt/verify.ts';
import { newTestKey, tokenOf } from '../signing.ts';

export const es = newTestKey('ES256', 'es');
export const rs = newTestKey('RS256', 'rs');
export const ISSUER: JsonValue = { keys: [es.publicJwk, rs.publicJwk] };
/** Shared-secret algorithms too, so that something else than the allow-list must refuse them. */
export const EVERYTHING: readonly string[] = Object.values(ALGORITHMS_OF).flat();

/** ACCEPTED, or the reason of the refusal: parsed, and verified against the keys. */
export async function attempt(
  token: string,
  jwks: JsonValue = ISSUER,
  algorithms: readonly string[] = ISSUER_ALGORITHMS,
): Promise<string> {
  const set = importKeySet(jwks);
  const parsed = parseJws(token);
  if (!set.ok || !parsed.ok) return parsed.ok ? 'key_unusable' : parsed.error.reason;
  const verified = await verifyJws(parsed.value, set.value.keys, { algorithms });
  return verified.ok ? 'ACCEPTED' : verified.error.reason;
}

export const without = (jwk: JsonObject, ...names: string[]): JsonObject =>
  Object.fromEntries(Object.entries(jwk).filter(([name]) => !names.includes(name)));

/** A token of `es` whose parts are replaced by the given texts. */
export function withParts(parts: { header?: string; payload?: string; signature?: string }): string {
  const [header = '', payload = '', signature = ''] = tokenOf(es).split('.');
  return [parts.header ?? header, parts.payload ?? payload, parts.signature ?? signature].join('.');
}
