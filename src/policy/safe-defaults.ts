// What every trust rule wants without saying so: jobs from forks and from a person's own machine get in by name only.
import type { ClauseTrace } from '../base/core/decision.ts';
import { type Claims, ownMember, stringMember } from '../base/core/json.ts';
import { clauseHolds, type TrustRule } from './clause.ts';
import { patternPrefix } from './pattern.ts';

/** An unwritten clause. It stands in a rule until the rule has a clause of its own on the same claim. */
export interface SafeDefault {
  readonly claim: 'fork' | 'runner_environment';
  /** As traces show it. */
  readonly wanted: readonly string[];
  holds(claims: Claims): boolean;
  /** Subjects that begin so are never let in while the default stands. */
  readonly subjectPrefix: string;
}

const hasSubject = (claims: Claims, prefix: string): boolean => (stringMember(claims, 'sub') ?? '').startsWith(prefix);

/** Code from outside the pipeline's repository is anyone's: a rule lets it in only where it names `fork`. */
const FORK: SafeDefault = {
  claim: 'fork',
  wanted: ['not from a fork, unless the rule names fork'],
  subjectPrefix: 'fork:',
  holds: (claims) => {
    const fork = ownMember(claims, 'fork');
    // Any spelling but a plain no ("True", 1, "yes", []) might mean yes.
    return (fork === undefined || fork === 'false' || fork === false) && !hasSubject(claims, 'fork:');
  },
};

/** A job that a person started on their own machine says of itself what it likes: only where `runner_environment` is named. */
export const LOCAL: SafeDefault = {
  claim: 'runner_environment',
  wanted: ['not local, unless the rule names runner_environment'],
  subjectPrefix: 'local:',
  holds: (claims) => {
    const runner = ownMember(claims, 'runner_environment');
    const isLocal = runner !== undefined && (typeof runner !== 'string' || runner.trim().toLowerCase() === 'local');
    return !isLocal && !hasSubject(claims, 'local:');
  },
};

const SAFE_DEFAULTS: readonly SafeDefault[] = [FORK, LOCAL];

/** The defaults that stand in `rule`. A wildcard names nobody: only a clause of plain values takes a default's place. */
export function defaultsOf(rule: TrustRule): readonly SafeDefault[] {
  const isNamed = (safe: SafeDefault): boolean =>
    rule.clauses.some(({ claim, wanted }) => claim === safe.claim && wanted.every(({ literal }) => literal !== null));
  return SAFE_DEFAULTS.some(isNamed) ? SAFE_DEFAULTS.filter((safe) => !isNamed(safe)) : SAFE_DEFAULTS;
}

/** Claims that are numbers in every token (RFC 7519 §4.1): a clause, which wants text, never holds on them. */
const NUMERIC: ReadonlySet<string> = new Set(['exp', 'nbf', 'iat']);

/** Whether some token of the rule's issuer could pass: false only when clauses contradict each other or the issuer. */
export function canHold(rule: TrustRule): boolean {
  const defaults = defaultsOf(rule);
  return rule.clauses.every((clause) => {
    if (NUMERIC.has(clause.claim)) return false;
    if (clause.claim === 'iss') return clauseHolds(clause, rule.issuer);
    if (clause.claim !== 'sub') return true;
    return clause.wanted.some(
      (pattern) => !defaults.some((safe) => patternPrefix(pattern).startsWith(safe.subjectPrefix)),
    );
  });
}

/** Whether a traced clause is one of the defaults, and stands in no file. */
export const isSafeDefault = (clause: ClauseTrace): boolean =>
  SAFE_DEFAULTS.some(({ wanted }) => wanted === clause.wanted);
