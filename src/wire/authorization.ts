// The Authorization header: of requests that carry one opaque token, and of clients with a secret. Checking either is the route's business.
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

/**
 * The `Authorization` header of a client with a secret (client_secret_basic). RFC 6749 §2.3.1: both parts are form-encoded
 * before they are joined, so neither a colon nor a character beyond ASCII can be misread.
 */
export function basicAuthorization(client: string, secret: Secret): string {
  const encode = (part: string): string => new URLSearchParams([['', part]]).toString().slice(1);
  return `Basic ${btoa(`${encode(client)}:${encode(secret.reveal())}`)}`;
}
