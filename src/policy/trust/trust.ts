// One trust entry of a role, whatever language it was written in: the common face of the four dialects.
import type { RuleTrace } from '../../base/core/decision.ts';
import type { Claims } from '../../base/core/json.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import type { Meter } from '../expression/cost.ts';

/** The language a trust entry was written in. */
export type Dialect = 'jobpass' | 'aws' | 'gcp' | 'azure';

/** A token as trust entries see it. Precondition: signature, audience and times were verified, unless this is a dry run. */
export interface TokenView {
  /** The verified `iss`. */
  readonly issuer: string;
  readonly claims: Claims;
  readonly now: EpochSeconds;
  /** Where the request came from; absent in tests without a server. */
  readonly sourceAddress?: string;
  /** What expressions may still cost in this decision, all entries together; absent: each has a budget of its own. */
  readonly meter?: Meter;
  /** What the caller asked to call its session; absent on wires that have none. */
  readonly sessionName?: string;
}

/** What a trust entry gives besides a yes. Empty on most wires. */
export interface SessionAttributes {
  /** AWS session tags of the token, by key. */
  readonly tags: Readonly<Record<string, string>>;
  readonly transitiveTagKeys: readonly string[];
  readonly sourceIdentity: string | null;
}

/** A trust entry's answer; `rules` holds every clause, also of those that were not reached. */
export interface Verdict {
  readonly held: boolean;
  readonly rules: readonly RuleTrace[];
  readonly attributes?: SessionAttributes;
}

/**
 * How far judging goes on after the first failure: the answer is the same, `every_clause` shows more of why. A dialect that
 * always evaluates everything need not look at it.
 */
export type Reach = 'first_failure' | 'every_clause';

/** The attributes of a trust entry that gives none. */
export const NO_ATTRIBUTES: SessionAttributes = { tags: {}, transitiveTagKeys: [], sourceIdentity: null };

/** A compiled trust entry. Immutable; judging is pure and never throws: what cannot be evaluated is a no. */
export interface Trust {
  readonly dialect: Dialect;
  /** Line in the policy file, from 1. */
  readonly line: number;
  /** Issuers whose tokens could pass, for ceilings and for finding near roles. */
  readonly issuers: readonly string[];
  judge(token: TokenView, reach?: Reach): Verdict;
  /** Whether any token of `issuer` could pass; `unknown` where expressions stand in the way. */
  satisfiable(issuer: string): 'yes' | 'no' | 'unknown';
}
