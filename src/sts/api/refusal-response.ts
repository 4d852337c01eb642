// Refusals on the STS's JSON routes: the safe reason and nothing else. /token has its own form (wire/rfc8693).
import { type Failure, REASONS, type SafeReason, safeReason } from '../../base/core/reasons.ts';
import { type HttpResponse, jsonResponse } from '../../base/ports/http.ts';

const STATUS: Readonly<Record<SafeReason, number>> = {
  request_invalid: 400,
  client_invalid: 401,
  token_invalid: 400,
  token_expired: 400,
  access_denied: 403,
  not_found: 404,
  conflict: 409,
  limited: 429,
  unavailable: 503,
};

const MESSAGES: Readonly<Record<SafeReason, string>> = {
  request_invalid: 'the request is not what the route asks for',
  client_invalid: 'client authentication failed',
  token_invalid: 'the token is not acceptable',
  token_expired: 'the token is past its expiry',
  access_denied: 'access denied',
  not_found: 'not found',
  conflict: 'conflict',
  limited: 'too many requests',
  unavailable: 'try again later',
};

/** `{"message", "reason"}` with the status of the safe reason; the failure's detail stays here. */
export function refusalResponse(refusal: Failure): HttpResponse {
  const safe = safeReason(refusal.reason);
  const headers: Record<string, string> = {};
  if (safe === 'client_invalid') headers['www-authenticate'] = 'Basic realm="jobpass"';
  if (safe === 'unavailable' || safe === 'limited') headers['retry-after'] = '1';
  return jsonResponse(STATUS[safe], { message: MESSAGES[safe], reason: safe }, headers);
}

/** As refusalResponse, for operators, who may read the whole reason: `{"message", "reason"}`. */
export function operatorRefusal(refusal: Failure): HttpResponse {
  const safe = safeReason(refusal.reason);
  if (safe === 'client_invalid') return refusalResponse(refusal);
  return jsonResponse(STATUS[safe], { message: `${REASONS[refusal.reason][1]}: ${refusal.detail}`, reason: safe });
}
