// How the issuer says no: one id for the caller and the operator, a bland text for the one and the evidence for the
// other.
import { ID_RANDOM_BYTES, newId } from '../base/core/ids.ts';
import { LineBudget } from '../base/core/line-budget.ts';
import { type Failure, type Reason, type SafeReason, safeReason } from '../base/core/reasons.ts';
import type { Clock } from '../base/ports/clock.ts';
import { type HttpResponse, jsonResponse } from '../base/ports/http.ts';
import type { Log } from '../base/ports/log.ts';
import type { Random } from '../base/ports/random.ts';

/** A refusal and who was refused. */
export interface Refusal extends Failure {
  /** `client:<name>` or `job:<id>` once verified; null while nobody knows who asks. */
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
  limited: 'there are too many of these already',
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
 * The body of a refusal on the JSON routes. Clients of GitHub's and Buildkite's wires read `message`; there is no
 * `value`.
 */
export function encodeRefusal(refusal: Refusal, decisionId: string): HttpResponse {
  const reason = safeReason(refusal.reason);
  const body = { message: refusalText(refusal.reason, refusal.detail), reason, decision_id: decisionId };
  const status = refusalStatus(refusal);
  // RFC 9110 §11.6.1: 401 says how it could have been done; clients know Basic best, jobs have nothing but a bearer
  // token.
  const challenge = reason === 'client_invalid' ? 'Basic realm="jobpass"' : 'Bearer';
  return jsonResponse(status, body, status === 401 ? { 'www-authenticate': challenge } : {});
}

/** Gives each refusal its id and writes it down for the operator. */
export class RefusalDesk {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #anonymous = new LineBudget();

  constructor(dependencies: { readonly clock: Clock; readonly random: Random; readonly log: Log }) {
    this.#clock = dependencies.clock;
    this.#random = dependencies.random;
    this.#log = dependencies.log;
  }

  /**
   * One line for each refusal of a verified caller, a bounded number of lines for all others. Returns the decision id.
   */
  record(route: string, refusal: Refusal): string {
    const decision = newId('D', this.#random.bytes(ID_RANDOM_BYTES));
    const { reason, detail, who } = refusal;
    const budget = who === null ? this.#anonymous.take(this.#clock.monotonicMs()) : {};
    if (budget !== undefined) this.#log.warn({ decision, reason, who, route, detail, ...budget }, 'refused');
    return decision;
  }

  /** An unexpected failure. The cause is written whole; the caller learns only that it happened. */
  recordFailure(route: string, cause: unknown): { readonly refusal: Refusal; readonly decisionId: string } {
    const decisionId = newId('D', this.#random.bytes(ID_RANDOM_BYTES));
    this.#log.error({ decision: decisionId, reason: 'internal_failure', route, err: cause }, 'refused');
    return { decisionId, refusal: { reason: 'internal_failure', detail: 'unexpected failure', who: null } };
  }
}
