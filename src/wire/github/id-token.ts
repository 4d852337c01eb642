// GitHub's ID token request, both directions: the de-facto standard that @actions/core, npm, cosign, PyPI's client and
// the cloud actions speak. It knows nothing of jobs.
import { isJsonObject, type JsonValue, stringMember } from '../../base/core/json.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { Secret } from '../../base/core/secret.ts';
import { authorizationToken } from '../authorization.ts';
import { parseQuery } from '../query.ts';

/** What a request says. The audience is as asked; nothing about it is checked but that there is exactly one. */
export interface IdTokenRequest {
  readonly requestToken: Secret;
  readonly audience: string;
}

/**
 * The request URL of an endpoint without a query. It already carries a parameter with a non-empty value: @actions/core
 * appends `&audience=` without looking for a `?`, and Python's `id` drops parameters with empty values.
 */
export const idTokenRequestUrl = (endpoint: string): string => `${endpoint}?v=1`;

/**
 * Reads `GET <request URL>&audience=A` with `Authorization: Bearer <request token>`. Other parameters are ignored, as
 * GitHub does. Fails with `token_missing`, or `request_malformed` when the query is broken or does not name exactly
 * one audience.
 */
export function decodeIdTokenRequest(
  query: string,
  headers: Readonly<Record<string, string>>,
): Result<IdTokenRequest, Failure> {
  const requestToken = authorizationToken(headers.authorization, 'bearer');
  if (requestToken === undefined) return err(failure('token_missing', 'no Authorization: Bearer header'));
  const parameters = parseQuery(query);
  if (!parameters.ok) return parameters;
  const [audience, ...more] = parameters.value.get('audience') ?? [];
  if (audience === undefined || audience === '') {
    return err(failure('request_malformed', 'no audience was asked for; there is no default one'));
  }
  if (more.length > 0) return err(failure('request_malformed', 'a token has exactly one audience'));
  return ok({ requestToken, audience });
}

/** The answer's body; `value` is the ID token. */
export const encodeIdTokenResponse = (idToken: string): { readonly value: string } => ({ value: idToken });

/**
 * The client's side: what to send to the request URL that the environment gave. Precondition: the URL carries a query.
 */
export function encodeIdTokenRequest(
  requestUrl: string,
  request: IdTokenRequest,
): { readonly url: string; readonly headers: Readonly<Record<string, string>> } {
  return {
    url: `${requestUrl}&audience=${encodeURIComponent(request.audience)}`,
    headers: { authorization: `Bearer ${request.requestToken.reveal()}`, accept: 'application/json' },
  };
}

/** The client's side: the ID token in a 200 answer's parsed body; undefined when there is none. */
export function decodeIdTokenResponse(body: JsonValue): string | undefined {
  const value = isJsonObject(body) ? stringMember(body, 'value') : undefined;
  return value === '' ? undefined : value;
}
