// What conditions are evaluated against: the request's keys and values, and which of them nobody here can know.
import type { JsonValue } from '../../base/core/json.ts';

/** A request as IAM conditions see it. Immutable; the functions are pure and never throw. */
export interface ConditionContext {
  /**
   * Values by key, the key in ASCII lower case (AWS compares names without regard to case). A list is a multi-valued key. A key
   * that is absent, null or an empty list is one that the request does not have: "missing" in the rules of AWS.
   */
  readonly values: { get(key: string): JsonValue | undefined };
  /**
   * Why the value of this key (lower case) cannot be known here; undefined when `values` tells the truth about it. A key that AWS
   * always has and this place does not is unknown, not missing: missing would satisfy `StringNotEquals`.
   */
  whyUnknown?(key: string): string | undefined;
  /**
   * What several values of one key mean to an operator without `ForAnyValue:` or `ForAllValues:`. AWS leaves it open; `any` is what
   * is observed there. `unknown` where the reader of the request may take another value than the one that was decided on.
   */
  readonly severalValues?: 'any' | 'unknown';
}

/** What is known of a comparison. `unknown`: the value has the wrong type or form, or is not known here. */
export type Truth = 'yes' | 'no' | 'unknown';

export const truthOf = (held: boolean): Truth => (held ? 'yes' : 'no');
export const negated = (truth: Truth): Truth => (truth === 'unknown' ? truth : truthOf(truth === 'no'));

/** Yes when one is; else unknown when one is; else no. The rest is not looked at after a yes. */
export function someTruth<T>(items: Iterable<T>, judge: (item: T) => Truth): Truth {
  let truth: Truth = 'no';
  for (const item of items) {
    const found = judge(item);
    if (found === 'yes') return 'yes';
    if (found === 'unknown') truth = 'unknown';
  }
  return truth;
}

/** Yes when all are; no when one is. */
export const everyTruth = <T>(items: Iterable<T>, judge: (item: T) => Truth): Truth =>
  negated(someTruth(items, (item) => negated(judge(item))));
