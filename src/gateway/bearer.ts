// The decision about an HTTP request with a bearer token: what guard and check ask. What the token's session may do is
// authorize.ts's business.
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import { parseQuery } from '../wire/query.ts';
import { type Authority, type Permit, permit, type Refusal } from './authorize.ts';
import { openBearer } from './credential.ts';

/** One request as it is decided on. */
export interface AccessRequest {
  /** Every Authorization header of the request. */
  readonly authorization: readonly string[];
  readonly method: string;
  readonly pathForPolicy: string;
  /** The raw query without `?`, for the condition keys `http:Query/<name>`. */
  readonly query: string;
}

/**
 * Allows a request, or says why not, in this order: exactly one bearer credential; something known to check it with; a valid
 * access token of this STS for this group; then what `permit` checks, for `http:<METHOD>` on
 * `arn:jobpass:http:::<gateway>/<path>`. Reasons: credential_missing, token_*, key_*, group_mismatch and the like from opening,
 * and those of `permit`.
 */
export async function authorizeRequest(a: Authority, request: AccessRequest): Promise<Result<Permit, Refusal>> {
  const token = bearerToken(request.authorization);
  const credential = token.ok ? await openBearer(token.value, a) : token;
  if (!credential.ok) return credential;
  const query = parseQuery(request.query);
  const ask = {
    action: `http:${request.method}`,
    resource: `arn:jobpass:http:::${a.gateway}/${request.pathForPolicy}`,
    facts: query.ok ? { query: query.value } : {},
  };
  return permit(credential.value, [ask], a.knowledge);
}

/**
 * The one bearer credential of a request (RFC 6750 §2.1; the scheme's name in any case, RFC 9110 §11.1). Query parameters,
 * forms and cookies are never looked at.
 */
export function bearerToken(authorization: readonly string[]): Result<string, Failure> {
  const [header, ...others] = authorization;
  if (header === undefined) return err(failure('credential_missing', 'no Authorization header'));
  if (others.length > 0) return err(failure('token_malformed', 'several Authorization headers'));
  const match = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(header);
  const credential = match?.[1];
  return credential === undefined ? err(failure('credential_missing', 'no bearer credential')) : ok(credential);
}
