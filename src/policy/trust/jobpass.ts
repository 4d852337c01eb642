// Judges a trust entry in Jobpass's own dialect: issuer, clauses, safe defaults, expression. Reading it is readers/jobpass.ts's business.
import type { ClauseTrace, NearMiss, RuleTrace } from '../../base/core/decision.ts';
import { type Claims, type JsonValue, ownMember, stringMember } from '../../base/core/json.ts';
import { type Clause, clauseHolds, type TrustRule, type WhenClause } from '../clause.ts';
import { evaluateExpression } from '../expression/expression.ts';
import { MAX_MATCHED_CHARS, matchesButForCase, type Pattern } from '../pattern.ts';
import { canHold, defaultsOf, type SafeDefault } from '../safe-defaults.ts';
import { attributeRule, readSessionAttributes } from './aws-session.ts';
import type { Reach, TokenView, Trust } from './trust.ts';

/**
 * The rule as a trust entry. It holds when its issuer, every clause, every safe default it does not name, and its expression
 * hold; after a failure the rest is not reached, unless every clause is asked for and the issuer is the right one. It gives the
 * session the tags and the source identity that the token asks for.
 */
export function jobpassTrust(rule: TrustRule): Trust {
  return {
    dialect: 'jobpass',
    line: rule.line,
    issuers: [rule.issuer],
    judge(token, reach = 'first_failure') {
      const trace = traceRule(rule, token, reach);
      if (!trace.held) return { held: false, rules: [trace] };
      // Whom the entry lets in, it takes at its word, tags included; ones that are broken must not become none.
      const attributes = readSessionAttributes(token.claims);
      if (attributes.ok) return { held: true, rules: [trace], attributes: attributes.value };
      return { held: false, rules: [trace, attributeRule(attributes.error, rule.line)] };
    },
    satisfiable(issuer) {
      if (rule.issuer !== issuer || !canHold(rule)) return 'no';
      // What an expression lets through is not worked out.
      return rule.when === undefined ? 'yes' : 'unknown';
    },
  };
}

function traceRule(rule: TrustRule, token: TokenView, reach: Reach): RuleTrace {
  const { claims } = token;
  const isIssuer = rule.issuer === token.issuer;
  const goesOn = isIssuer && reach === 'every_clause';
  const clauses: ClauseTrace[] = [issuerTrace(rule, token.issuer)];
  let held = isIssuer;
  const take = (trace: ClauseTrace): void => {
    held &&= trace.outcome === 'held';
    clauses.push(trace);
  };
  for (const clause of rule.clauses) take(held || goesOn ? writtenClause(clause, claims) : unreadWritten(clause));
  for (const safe of defaultsOf(rule))
    take(held || goesOn ? defaultClause(safe, rule, claims) : unreadDefault(safe, rule));
  // Last: it is the dearest.
  if (rule.when !== undefined) take(held || goesOn ? whenClause(rule.when, token) : unreadWhen(rule.when));
  return { line: rule.line, held, clauses };
}

const NOT_REACHED = 'not_reached';

const unreadWritten = ({ claim, wanted, line }: Clause): ClauseTrace => ({
  subject: claim,
  wanted: wanted.map(sourceOf),
  outcome: NOT_REACHED,
  line,
});

const unreadDefault = ({ claim, wanted }: SafeDefault, { line }: TrustRule): ClauseTrace => ({
  subject: claim,
  wanted,
  outcome: NOT_REACHED,
  line,
});

const unreadWhen = ({ expression, line }: WhenClause): ClauseTrace => ({
  subject: 'when',
  operator: 'when',
  wanted: [expression.source],
  outcome: NOT_REACHED,
  line,
});

const sourceOf = (pattern: Pattern): string => pattern.source;

function writtenClause(clause: Clause, claims: Claims): ClauseTrace {
  const value = ownMember(claims, clause.claim);
  const held = clauseHolds(clause, value);
  const wanted = clause.wanted.map(sourceOf);
  const trace = traced({ subject: clause.claim, wanted, line: clause.line, value, held }, () =>
    nearMissOf(clause, value),
  );
  const isTooLong = !held && typeof value === 'string' && value.length > MAX_MATCHED_CHARS;
  return isTooLong ? { ...trace, problem: `longer than ${MAX_MATCHED_CHARS} characters: matches no wildcard` } : trace;
}

function defaultClause(safe: SafeDefault, { line }: TrustRule, claims: Claims): ClauseTrace {
  const { claim: subject, wanted } = safe;
  const held = safe.holds(claims);
  const trace = traced({ subject, wanted, line, value: ownMember(claims, subject), held });
  const isBySubject = !held && stringMember(claims, 'sub')?.startsWith(safe.subjectPrefix);
  return isBySubject ? { ...trace, problem: `sub begins with ${safe.subjectPrefix}` } : trace;
}

function whenClause(when: WhenClause, { claims, meter }: TokenView): ClauseTrace {
  const result = evaluateExpression(when.expression, { claims }, meter);
  if (result.outcome === 'error') return { ...unreadWhen(when), outcome: 'failed', problem: result.problem };
  return { ...unreadWhen(when), outcome: result.outcome ? 'held' : 'failed' };
}

interface Read {
  readonly subject: string;
  readonly wanted: readonly string[];
  readonly line: number;
  readonly value: JsonValue | undefined;
  readonly held: boolean;
}

/** The trace of a clause that was reached. Written out: it is made many times for each request. */
function traced(read: Read, nearMissOf?: () => NearMiss | undefined): ClauseTrace {
  const { subject, wanted, line, value, held } = read;
  const outcome = held ? 'held' : 'failed';
  if (value === undefined) return { subject, wanted, outcome, line };
  const nearMiss = held ? undefined : nearMissOf?.();
  if (nearMiss === undefined) return { subject, wanted, presented: value, outcome, line };
  return { subject, wanted, presented: value, outcome, nearMiss, line };
}

function issuerTrace(rule: TrustRule, issuer: string): ClauseTrace {
  const held = rule.issuer === issuer;
  return traced({ subject: 'issuer', wanted: [rule.issuer], line: rule.line, value: issuer, held }, () =>
    textNearMiss(
      issuer,
      (text) => text.toLowerCase() === rule.issuer.toLowerCase(),
      (text) => text === rule.issuer,
    ),
  );
}

function nearMissOf(clause: Clause, value: JsonValue | undefined): NearMiss | undefined {
  if (value === undefined || value === null) return undefined;
  const matches = (text: string): boolean => clauseHolds(clause, text);
  if (typeof value !== 'string') return matches(asText(value)) ? 'type' : undefined;
  return textNearMiss(value, (text) => clause.wanted.some((pattern) => matchesButForCase(pattern, text)), matches);
}

/** What the value would be as text; a list of one stands for its entry. */
function asText(value: JsonValue): string {
  if (Array.isArray(value)) return value.length === 1 ? String(value[0]) : '';
  return typeof value === 'object' ? '' : String(value);
}

function textNearMiss(
  text: string,
  matchesFolded: (text: string) => boolean,
  matches: (text: string) => boolean,
): NearMiss | undefined {
  const trimmed = text.trim();
  if (trimmed !== text && matches(trimmed)) return 'space';
  return matchesFolded(text) ? 'case' : undefined;
}
