// The refusals of the token endpoint (RFC 6749 §5.2, RFC 8693 §2.2.2, RFC 7523 §3.1), both directions. It decides nothing.
import { type JsonObject, stringMember } from '../../base/core/json.ts';
import { type Reason, type SafeReason, safeReason } from '../../base/core/reasons.ts';
import { type HttpResponse, jsonResponse, NEVER_KEPT } from '../../base/ports/http.ts';
import { describedError } from '../../base/refusal/oauth.ts';
import { retryHeaders } from '../../base/refusal/telling.ts';
import type { TokenGrant } from './request.ts';

/** What a refused caller learns. */
interface TokenRefusal {
  /** An OAuth error code. */
  readonly error: string;
  readonly reason: string;
  /** Under which the operator finds the rest; null when there is none. */
  readonly decisionId: string | null;
}

/** A refusal as it is to be told. */
export interface Told {
  readonly reason: Reason;
  readonly decisionId: string;
  /** The grant that was asked for, as far as it is known. */
  readonly grant?: TokenGrant | undefined;
  /** What is wrong with the caller's own request. Told only when the request is malformed; it holds no token. */
  readonly detail?: string;
}

interface WireError {
  readonly status: number;
  readonly error: string;
  readonly description: string;
}

/**
 * A refusal as RFC 8693 §2.2.2 wants it: a bad subject token is `invalid_request`, a target that no token is given for
 * `invalid_target`. Unknown role, other tenant and failed condition are one answer but for the id.
 */
export function encodeTokenRefusal(refusal: Told): HttpResponse {
  const safe = safeReason(refusal.reason);
  const wire = wireErrorOf(refusal, safe);
  const isOwnFault = safe === 'request_invalid' && refusal.detail !== undefined;
  const body = {
    ...describedError(wire.error, isOwnFault ? (refusal.detail ?? '') : wire.description),
    decision_id: refusal.decisionId,
    reason: safe,
  };
  return jsonResponse(wire.status, body, { ...NEVER_KEPT, ...headersOf(safe) });
}

/** A refusal of a request that never reached the exchange; `message` is for the caller. */
export function encodeUnreachedToken(status: number, message: string): HttpResponse {
  const safe = status === 429 ? 'limited' : status >= 500 ? 'unavailable' : 'request_invalid';
  const error = safe === 'request_invalid' ? 'invalid_request' : 'temporarily_unavailable';
  const body = { ...describedError(error, message), reason: safe };
  return jsonResponse(status, body, { ...NEVER_KEPT, ...headersOf(safe) });
}

const headersOf = (safe: SafeReason): Readonly<Record<string, string>> =>
  safe === 'client_invalid' ? { 'www-authenticate': 'Basic realm="jobpass"' } : retryHeaders(safe);

/** Where the standards have a code of their own for a reason. */
const OWN_CODES: Readonly<Partial<Record<Reason, readonly [error: string, description: string]>>> = {
  target_malformed: ['invalid_target', 'the target does not name exactly one role'],
  grant_type_unsupported: ['unsupported_grant_type', 'only token exchange and JWT bearer are served'],
  scope_malformed: ['invalid_scope', 'a scope is not an action, or an action and a resource'],
  scope_exceeded: ['invalid_scope', 'the role gives nothing of the asked scope'],
};

function wireErrorOf({ grant, reason }: Told, safe: SafeReason): WireError {
  const own = OWN_CODES[reason];
  if (own !== undefined) return { status: 400, error: own[0], description: own[1] };
  // RFC 7523 §3.1 has a code for a bad assertion, RFC 8693 §2.2.2 none of its own for a bad subject token.
  const badToken = grant === 'jwt_bearer' ? 'invalid_grant' : 'invalid_request';
  switch (safe) {
    case 'request_invalid':
    case 'conflict':
      return { status: 400, error: 'invalid_request', description: 'the request is not what the protocol asks for' };
    case 'client_invalid':
      return { status: 401, error: 'invalid_client', description: 'client authentication failed' };
    case 'token_invalid':
      return { status: 400, error: badToken, description: 'the token is not acceptable' };
    case 'token_expired':
      return { status: 400, error: badToken, description: 'the token is past its expiry' };
    case 'access_denied':
    case 'not_found':
      return { status: 400, error: 'invalid_target', description: 'access denied' };
    case 'limited':
      return { status: 429, error: 'temporarily_unavailable', description: 'too many requests' };
    case 'unavailable':
      return { status: 503, error: 'temporarily_unavailable', description: 'try again later' };
  }
}

/** The client's side; undefined when it is no OAuth error. */
export function decodeTokenRefusal(body: JsonObject): TokenRefusal | undefined {
  const error = stringMember(body, 'error');
  if (error === undefined) return undefined;
  return {
    error,
    reason: stringMember(body, 'reason') ?? error,
    decisionId: stringMember(body, 'decision_id') ?? null,
  };
}
