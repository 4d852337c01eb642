// The clauses of a trust entry in Jobpass's own dialect. How they are judged and traced is trust/jobpass.ts's business.
import type { JsonValue } from '../base/core/json.ts';
import type { Expression } from './expression/expression.ts';
import { matchesPattern, type Pattern } from './pattern.ts';

/** One claim and the values it may have; it holds when the claim is a string and any pattern matches it whole. */
export interface Clause {
  readonly claim: string;
  readonly wanted: readonly Pattern[];
  readonly line: number;
}

/** A condition in CEL over the variable `claims`. */
export interface WhenClause {
  readonly expression: Expression;
  readonly line: number;
}

/** Tokens of one issuer that satisfy every clause and the expression, if there is one. */
export interface TrustRule {
  readonly issuer: string;
  readonly clauses: readonly Clause[];
  readonly when?: WhenClause;
  readonly line: number;
}

/** Whether one of the wanted patterns matches: the claim must be a string, and all of it must match. */
export const clauseHolds = (clause: Clause, value: JsonValue | undefined): boolean =>
  typeof value === 'string' && clause.wanted.some((pattern) => matchesPattern(pattern, value));
