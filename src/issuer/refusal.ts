// How the issuer says no: one id for the caller and the operator, a bland text for the one and the evidence for the
// other.
import { ID_RANDOM_BYTES, newId } from '../base/core/ids.ts';
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

/** More of these lines in a minute are counted, not written: anyone can cause them. */
const MAX_ANONYMOUS_LINES_A_MINUTE = 20;
const MINUTE_MS = 60_000;

/** Gives each refusal its id and writes it down for the operator. */
export class RefusalDesk {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  #minuteStartedAt = Number.NEGATIVE_INFINITY;
  #anonymousLines = 0;
  #unwritten = 0;

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
    if (refusal.who === null && !this.#mayWriteAnonymous()) return decision;
    const { reason, detail, who } = refusal;
    const unwritten = this.#unwritten === 0 || who !== null ? {} : { unwritten_before: this.#takeUnwritten() };
    this.#log.warn({ decision, reason, who, route, detail, ...unwritten }, 'refused');
    return decision;
  }

  /** An unexpected failure. The cause is written whole; the caller learns only that it happened. */
  recordFailure(route: string, cause: unknown): { readonly refusal: Refusal; readonly decisionId: string } {
    const decisionId = newId('D', this.#random.bytes(ID_RANDOM_BYTES));
    this.#log.error({ decision: decisionId, reason: 'internal_failure', route, err: cause }, 'refused');
    return { decisionId, refusal: { reason: 'internal_failure', detail: 'unexpected failure', who: null } };
  }

  #mayWriteAnonymous(): boolean {
    const now = this.#clock.monotonicMs();
    if (now - this.#minuteStartedAt >= MINUTE_MS) {
      this.#minuteStartedAt = now;
      this.#anonymousLines = 0;
    }
    this.#anonymousLines += 1;
    if (this.#anonymousLines <= MAX_ANONYMOUS_LINES_A_MINUTE) return true;
    this.#unwritten += 1;
    return false;
  }

  #takeUnwritten(): number {
    const count = this.#unwritten;
    this.#unwritten = 0;
    return count;
  }
}
