// The Authorization header of requests that carry one opaque token. Checking the token is the route's business.
import { Secret } from '../base/core/secret.ts';

/** RFC 9110 §11.4 token68; anything else in the header is refused rather than trimmed into shape. */
const CREDENTIALS = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+) +([A-Za-z0-9._~+/-]+=*)$/;

/**
 * The token of an `Authorization` header with this scheme, compared without regard to case (RFC 9110 §11.1: real
 * clients send `Bearer` and `bearer`). Undefined when the header is absent, malformed, or of another scheme.
 */
export function authorizationToken(header: string | undefined, scheme: string): Secret | undefined {
  const match = header === undefined ? null : CREDENTIALS.exec(header);
  if (match === null || match[1]?.toLowerCase() !== scheme.toLowerCase()) return undefined;
  return new Secret(match[2] ?? '');
}
