// How a server says no on its JSON routes: a bland text for the caller, the evidence for the operator, one id for both.
import { type Failure, type Reason, type SafeReason, safeReason } from '../core/reasons.ts';
import { type HttpResponse, jsonResponse } from '../ports/http.ts';
import { retryHeaders } from './telling.ts';

/** A refusal and who was refused. */
export interface Refusal extends Failure {
  /** `client:<name>`, `gateway:<name>` or `job:<id>` once verified; null while nobody knows who asks. */
  readonly who: string | null;
  /** Only where the protocol wants another status than the reason's own. */
  readonly status?: number;
}

/** A failure as the refusal of `who`. */
export const refuse = (failed: Failure, who: string | null, status?: number): Refusal =>
  status === undefined ? { ...failed, who } : { ...failed, who, status };

/**
 * The HTTP status of a refusal. 503 for anything transient: clients of GitHub's wire do not try again after 500 or 429.
 */
export function refusalStatus(refusal: Refusal): number {
  return refusal.status ?? STATUS[safeReason(refusal.reason)];
}

const STATUS: Readonly<Record<SafeReason, number>> = {
  request_invalid: 400,
  client_invalid: 401,
  token_invalid: 401,
  token_expired: 401,
  access_denied: 403,
  not_found: 404,
  conflict: 409,
  limited: 429,
  unavailable: 503,
};

const BLAND: Readonly<Record<Exclude<SafeReason, 'request_invalid'>, string>> = {
  client_invalid: 'the client is not known here',
  token_invalid: 'the token is not valid here',
  token_expired: 'the token is past its expiry',
  access_denied: 'this is not permitted',
  not_found: 'there is no such thing here',
  conflict: 'the request conflicts with an earlier one',
  limited: 'there are too many of these; try again later',
  unavailable: 'this cannot be answered at the moment; try again',
};

/**
 * What the caller reads. Only of its own malformed request does it read the evidence: that is made of its own words.
 */
export function refusalText(reason: Reason, detail: string): string {
  const safe = safeReason(reason);
  return safe === 'request_invalid' ? detail : BLAND[safe];
}

/**
 * The body of a refusal on the JSON routes of every server: `{"message", "reason", "decision_id"}`. Clients of GitHub's and
 * Buildkite's wires read `message`; there is no `value`. `message` is what the caller may read.
 */
export function encodeRefusal(
  refusal: Refusal,
  decisionId: string,
  message: string = refusalText(refusal.reason, refusal.detail),
): HttpResponse {
  const reason = safeReason(refusal.reason);
  const status = refusalStatus(refusal);
  return jsonResponse(status, { message, reason, decision_id: decisionId }, headersOf(reason, status));
}

function headersOf(reason: SafeReason, status: number): Readonly<Record<string, string>> {
  // RFC 9110 §11.6.1: 401 says how it could have been done; clients know Basic best, jobs have nothing but a bearer
  // token.
  if (status === 401) return { 'www-authenticate': reason === 'client_invalid' ? 'Basic realm="jobpass"' : 'Bearer' };
  return retryHeaders(reason);
}
