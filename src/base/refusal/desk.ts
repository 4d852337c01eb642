// Gives each refusal its id and writes it down for the operator, as often as its cause deserves.
import { ID_RANDOM_BYTES, newId } from '../core/ids.ts';
import { LineBudget } from '../core/line-budget.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Random } from '../ports/random.ts';
import type { Refusal } from './refusal.ts';

/** One per server. */
export class RefusalDesk {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #anonymous = new LineBudget();
  readonly #failures = new LineBudget();

  constructor(dependencies: { readonly clock: Clock; readonly random: Random; readonly log: Log }) {
    this.#clock = dependencies.clock;
    this.#random = dependencies.random;
    this.#log = dependencies.log;
  }

  /**
   * One line for each refusal of a verified caller, a bounded number of lines for all others. Returns the decision id.
   */
  record(route: string, refusal: Refusal): string {
    const decision = this.#newDecision();
    const { reason, detail, who } = refusal;
    const extra = who === null ? this.#anonymous.take(this.#clock.monotonicMs()) : {};
    if (extra !== undefined) this.#log.warn({ decision, reason, who, route, detail, ...extra }, 'refused');
    return decision;
  }

  /** An unexpected failure. The cause is written whole; the caller learns only that it happened. */
  recordFailure(route: string, cause: unknown): { readonly refusal: Refusal; readonly decisionId: string } {
    const decisionId = this.#newDecision();
    const extra = this.#failures.take(this.#clock.monotonicMs());
    if (extra !== undefined) {
      this.#log.error({ decision: decisionId, reason: 'internal_failure', route, err: cause, ...extra }, 'refused');
    }
    return { decisionId, refusal: { reason: 'internal_failure', detail: 'unexpected failure', who: null } };
  }

  #newDecision(): string {
    return newId('D', this.#random.bytes(ID_RANDOM_BYTES));
  }
}
