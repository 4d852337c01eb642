// One clause against one claim. Rules, traces and defaults are put together elsewhere.
import type { Claims, JsonValue } from '../base/core/json.ts';
import { matchesPattern } from './pattern.ts';
import type { Clause } from './role.ts';

/** The claim's own value; undefined when the token does not carry it. */
export const claimOf = (claims: Claims, name: string): JsonValue | undefined =>
  Object.hasOwn(claims, name) ? claims[name] : undefined;

/** Whether one of the wanted patterns matches: the claim must be a string, and all of it must match. */
export const clauseHolds = (clause: Clause, value: JsonValue | undefined): boolean =>
  typeof value === 'string' && clause.wanted.some((pattern) => matchesPattern(pattern, value));
