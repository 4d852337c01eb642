// The state of one evaluation. It evaluates nothing.
import type { JsonValue } from '../../base/core/json.ts';
import type { PatternRun } from './pattern-match.ts';
import type { List, Value } from './value.ts';

export interface Run extends PatternRun {
  readonly bindings: Readonly<Record<string, JsonValue>>;
  /** The variables of macros, by the number that each got when the expression was compiled. */
  readonly slots: Value[];
  /** JSON arrays that were converted already. */
  readonly lists: Map<readonly JsonValue[], List>;
}
