// The answers of Google's STS: OAuth's (RFC 6749 §5), with Google's codes for what is refused. It decides nothing.
import { type SafeReason, safeReason } from '../../base/core/reasons.ts';
import { type HttpResponse, jsonResponse, NEVER_KEPT } from '../../base/ports/http.ts';
import { retryHeaders } from '../../base/refusal/telling.ts';
import { ACCESS_TOKEN_URN } from '../rfc8693/request.ts';
import { type GcpRefusal, refusalText, safeOfStatus } from './refusal.ts';

/** What a granted exchange hands out. */
export interface GcpTokenResponse {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly decisionId: string;
}

/** The answer, with the decision's id as a member of our own (RFC 6749 §5.1 lets clients ignore it). */
export const encodeGcpToken = (response: GcpTokenResponse): HttpResponse =>
  jsonResponse(
    200,
    {
      access_token: response.accessToken,
      issued_token_type: ACCESS_TOKEN_URN,
      token_type: 'Bearer',
      expires_in: response.expiresInSeconds,
      decision_id: response.decisionId,
    },
    NEVER_KEPT,
  );

interface OAuthError {
  readonly status: number;
  readonly error: string;
  readonly description: string;
}

/**
 * A refusal with the code that Google gives it. Unknown provider, other tenant and failed condition are one answer but for the id.
 * Clients print the description, and ask again only after a 5xx or 429: then the same token may be good a moment later.
 */
export function encodeOAuthRefusal(refusal: GcpRefusal): HttpResponse {
  const safe = safeReason(refusal.reason);
  const { status, error, description } =
    refusal.reason === 'grant_type_unsupported'
      ? { status: 400, error: 'unsupported_grant_type', description: 'Only token exchange is served' }
      : oauthErrorOf(safe);
  const body = { error, error_description: refusalText(description, refusal), decision_id: refusal.decisionId };
  return jsonResponse(status, body, { ...NEVER_KEPT, ...retryHeaders(safe) });
}

/** A refusal of a request that never reached the exchange; `message` is for the caller. */
export function encodeUnreachedOAuth(status: number, message: string): HttpResponse {
  const safe = safeOfStatus(status);
  const body = { error: oauthErrorOf(safe).error, error_description: message };
  return jsonResponse(status, body, { ...NEVER_KEPT, ...retryHeaders(safe) });
}

function oauthErrorOf(safe: SafeReason): OAuthError {
  switch (safe) {
    case 'request_invalid':
    case 'conflict':
      return { status: 400, error: 'invalid_request', description: 'The request is not what the protocol asks for' };
    case 'client_invalid':
      return { status: 401, error: 'invalid_client', description: 'The client is not known' };
    case 'token_invalid':
      return { status: 400, error: 'invalid_grant', description: 'The subject token is not acceptable here' };
    case 'token_expired':
      return { status: 400, error: 'invalid_grant', description: 'The subject token is past its expiry' };
    case 'access_denied':
    case 'not_found':
      return {
        status: 400,
        error: 'unauthorized_client',
        description: 'The given credential is not accepted for this provider, or there is no such provider',
      };
    case 'limited':
      return { status: 429, error: 'temporarily_unavailable', description: 'There are too many requests' };
    case 'unavailable':
      return { status: 503, error: 'temporarily_unavailable', description: 'Try again in a moment' };
  }
}
