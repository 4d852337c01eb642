// How a server says no on its OAuth routes (RFC 6749 §5.2). Which code a failure has at the token endpoint is that wire's business.
import { safeReason } from '../core/reasons.ts';
import { type HttpResponse, jsonResponse } from '../ports/http.ts';
import { type Refusal, refusalStatus, refusalText } from './refusal.ts';

/** RFC 6749 §5.2: what `error_description` may hold. Texts of ours quote values, so quotes are replaced rather than refused. */
const NOT_ALLOWED = /[^\x20-\x21\x23-\x5b\x5d-\x7e]/g;

/** `error` and `error_description`, the latter in the characters that clients are promised. */
export const describedError = (error: string, description: string) => ({
  error,
  error_description: description.replaceAll('"', "'").replaceAll('…', '...').replace(NOT_ALLOWED, '?'),
});

/** The refusal of a route that a client authenticates at: introspection (RFC 7662 §2.3) and revocation (RFC 7009 §2.2.1). */
export function encodeOauthRefusal(refusal: Refusal, decisionId: string): HttpResponse {
  const body = {
    ...describedError(oauthError(refusal), refusalText(refusal.reason, refusal.detail)),
    decision_id: decisionId,
  };
  const status = refusalStatus(refusal);
  return jsonResponse(status, body, headersOf(status));
}

function headersOf(status: number): Readonly<Record<string, string>> {
  if (status === 401) return { 'www-authenticate': 'Basic realm="jobpass"' };
  return status === 503 || status === 429 ? { 'retry-after': '1' } : {};
}

function oauthError(refusal: Refusal): string {
  switch (safeReason(refusal.reason)) {
    case 'client_invalid':
    case 'token_invalid':
    case 'token_expired':
      return 'invalid_client';
    case 'access_denied':
      return 'unauthorized_client';
    case 'limited':
    case 'unavailable':
      return 'temporarily_unavailable';
    case 'request_invalid':
    case 'not_found':
    case 'conflict':
      return 'invalid_request';
  }
}
