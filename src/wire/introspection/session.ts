// RFC 7662 for sessions of the STS: what an active access token is. Whether it is active is the STS's business.
import type { JsonObject } from '../../base/core/json.ts';
import { accessTokenClaims } from '../../base/credential/access-token.ts';
import type { CarriedSession } from '../../base/credential/carried-session.ts';

/**
 * RFC 7662 §2.2, with the role as a member of our own. `scope` is what the session was narrowed to; undefined: it was
 * not. Null session: of a token that is not active nothing else is said, not even why.
 */
export function encodeSessionIntrospection(session: CarriedSession | null, scope: string | undefined): JsonObject {
  if (session === null) return { active: false };
  const { aud, client_id, exp, iat, iss, jti, role, sub } = accessTokenClaims(session);
  const told = { iss, sub, aud, client_id, exp, iat, jti, role };
  return {
    active: true,
    token_type: 'Bearer',
    ...Object.fromEntries(Object.entries(told).filter((entry) => entry[1] !== undefined)),
    ...(scope === undefined ? {} : { scope }),
  };
}
