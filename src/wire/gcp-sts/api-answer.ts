// The answers of Google's IAM Credentials API: its token, and the error form of every Google API. It decides nothing.
import { type SafeReason, safeReason } from '../../base/core/reasons.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import { type HttpResponse, jsonResponse, NEVER_KEPT } from '../../base/ports/http.ts';
import { retryHeaders } from '../../base/refusal/telling.ts';
import { type GcpRefusal, refusalText, safeOfStatus } from './refusal.ts';

/** A token for a service account. */
export const encodeGeneratedToken = (token: {
  readonly accessToken: string;
  readonly expiresAt: EpochSeconds;
}): HttpResponse =>
  jsonResponse(200, { accessToken: token.accessToken, expireTime: formatTime(token.expiresAt) }, NEVER_KEPT);

/** RFC 3339 without fractions, in UTC. */
const formatTime = (at: EpochSeconds): string => new Date(at * 1000).toISOString().replace('.000Z', 'Z');

interface ApiError {
  readonly code: number;
  /** A name of google.rpc.Code. */
  readonly status: string;
  readonly message: string;
}

/**
 * A refusal in the form of Google's APIs. An unknown account, one that another provider's identities may take on, and a failed
 * condition are one answer but for the id.
 */
export function encodeApiRefusal(refusal: GcpRefusal): HttpResponse {
  const safe = safeReason(refusal.reason);
  const { message, ...error } =
    refusal.reason === 'grant_type_unsupported'
      ? { code: 501, status: 'UNIMPLEMENTED', message: 'The call is not served' }
      : apiErrorOf(safe);
  const details = [{ '@type': 'type.googleapis.com/google.rpc.RequestInfo', requestId: refusal.decisionId }];
  return errorResponse(safe, { ...error, message: refusalText(message, refusal), details });
}

/** A refusal of a request that never reached the call; `message` is for the caller. */
export function encodeUnreachedApi(code: number, message: string): HttpResponse {
  const safe = safeOfStatus(code);
  return errorResponse(safe, { ...apiErrorOf(safe), code, message });
}

function errorResponse(safe: SafeReason, error: ApiError & { readonly details?: readonly unknown[] }): HttpResponse {
  const { code, message, status, details } = error;
  const body = { error: { code, message, status, ...(details === undefined ? {} : { details }) } };
  // RFC 6750 §3.
  const challenge = code === 401 ? { 'www-authenticate': 'Bearer realm="jobpass", error="invalid_token"' } : {};
  return jsonResponse(code, body, { ...NEVER_KEPT, ...retryHeaders(safe), ...challenge });
}

function apiErrorOf(safe: SafeReason): ApiError {
  switch (safe) {
    case 'request_invalid':
    case 'conflict':
      return { code: 400, status: 'INVALID_ARGUMENT', message: 'The request is not what the call asks for' };
    case 'client_invalid':
    case 'token_invalid':
    case 'token_expired':
      return {
        code: 401,
        status: 'UNAUTHENTICATED',
        message: 'The request has no credential that may take on a service account',
      };
    case 'access_denied':
    case 'not_found':
      return {
        code: 403,
        status: 'PERMISSION_DENIED',
        message: "Permission 'iam.serviceAccounts.getAccessToken' denied on the resource, or it does not exist",
      };
    case 'limited':
      return { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'There are too many requests' };
    case 'unavailable':
      return { code: 503, status: 'UNAVAILABLE', message: 'Try again in a moment' };
  }
}
