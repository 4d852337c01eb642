// The answers of an OAuth 2.0 Token Exchange (RFC 8693 §2.2), both directions. It decides nothing.
import { type JsonObject, stringMember } from '../../base/core/json.ts';
import { type Failure, failure, type Reason, type SafeReason, safeReason } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { type HttpResponse, jsonResponse } from '../../base/ports/http.ts';
import { ACCESS_TOKEN_URN } from './request.ts';

/** What a granted exchange hands out. */
export interface TokenResponse {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly sessionId: string;
  readonly decisionId: string;
}

/** What a refused caller learns. */
export interface TokenRefusal {
  /** An OAuth error code. */
  readonly error: string;
  readonly reason: string;
  /** Under which the operator finds the rest; null when there is none. */
  readonly decisionId: string | null;
}

/** RFC 6749 §5.1: neither may be missing from an answer that holds a token. */
const NEVER_KEPT = { 'cache-control': 'no-store', pragma: 'no-cache' } as const;
/** What is unavailable is retried at this pace. */
const RETRY_AFTER_SECONDS = '1';

/** RFC 8693 §2.2.1, and the ids of session and decision as members of our own (RFC 6749 §5.1 lets clients ignore them). */
export function encodeTokenResponse(response: TokenResponse): HttpResponse {
  const body = {
    access_token: response.accessToken,
    issued_token_type: ACCESS_TOKEN_URN,
    token_type: 'Bearer',
    expires_in: response.expiresInSeconds,
    session_id: response.sessionId,
    decision_id: response.decisionId,
  };
  return jsonResponse(200, body, NEVER_KEPT);
}

/** The client's side of a 200 answer. Errors: request_malformed. */
export function decodeTokenResponse(body: JsonObject): Result<TokenResponse, Failure> {
  const accessToken = stringMember(body, 'access_token');
  const sessionId = stringMember(body, 'session_id');
  const decisionId = stringMember(body, 'decision_id');
  const expiresInSeconds = body.expires_in;
  const isBearer = stringMember(body, 'token_type')?.toLowerCase() === 'bearer';
  if (!accessToken || !sessionId || !decisionId || typeof expiresInSeconds !== 'number' || !isBearer) {
    return err(failure('request_malformed', 'the answer is not a token response'));
  }
  return ok({ accessToken, expiresInSeconds, sessionId, decisionId });
}

interface WireError {
  readonly status: number;
  readonly error: string;
  readonly description: string;
}

/**
 * A refusal as RFC 8693 §2.2.2 wants it: a bad subject token is `invalid_request`, a bad target `invalid_target`. Unknown
 * role, other tenant and failed condition are one answer but for the id.
 */
export function encodeTokenRefusal(refusal: { readonly reason: Reason; readonly decisionId: string }): HttpResponse {
  const safe = safeReason(refusal.reason);
  const wire = wireErrorOf(refusal.reason, safe);
  const body = {
    error: wire.error,
    error_description: wire.description,
    decision_id: refusal.decisionId,
    reason: safe,
  };
  return jsonResponse(wire.status, body, { ...NEVER_KEPT, ...headersOf(safe) });
}

function headersOf(safe: SafeReason): Readonly<Record<string, string>> {
  if (safe === 'client_invalid') return { 'www-authenticate': 'Basic realm="jobpass"' };
  return safe === 'unavailable' || safe === 'limited' ? { 'retry-after': RETRY_AFTER_SECONDS } : {};
}

function wireErrorOf(reason: Reason, safe: SafeReason): WireError {
  if (reason === 'target_malformed') {
    return { status: 400, error: 'invalid_target', description: 'the audience does not name exactly one role' };
  }
  if (reason === 'grant_type_unsupported') {
    return { status: 400, error: 'unsupported_grant_type', description: 'only token exchange is served' };
  }
  switch (safe) {
    case 'request_invalid':
    case 'conflict':
      return { status: 400, error: 'invalid_request', description: 'the request is not what the protocol asks for' };
    case 'client_invalid':
      return { status: 401, error: 'invalid_client', description: 'client authentication failed' };
    case 'token_invalid':
      return { status: 400, error: 'invalid_request', description: 'the subject token is not acceptable' };
    case 'token_expired':
      return { status: 400, error: 'invalid_request', description: 'the subject token is past its expiry' };
    case 'access_denied':
    case 'not_found':
      return { status: 403, error: 'access_denied', description: 'access denied' };
    case 'limited':
      return { status: 429, error: 'temporarily_unavailable', description: 'too many requests' };
    case 'unavailable':
      return { status: 503, error: 'temporarily_unavailable', description: 'try again later' };
  }
}

/** The client's side of any other answer; undefined when it is no OAuth error. */
export function decodeTokenRefusal(body: JsonObject): TokenRefusal | undefined {
  const error = stringMember(body, 'error');
  if (error === undefined) return undefined;
  return {
    error,
    reason: stringMember(body, 'reason') ?? error,
    decisionId: stringMember(body, 'decision_id') ?? null,
  };
}
