// What every part of a plan is made with.
import type { ProblemList } from './problem-list.ts';
import type { SecretPlaces } from './secret-reference.ts';

export interface PlanContext {
  readonly places: SecretPlaces;
  readonly problems: ProblemList;
  readonly clockSkew?: string | undefined;
}
