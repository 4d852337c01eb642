// Judges tokens by Azure federated identity credentials as Entra does (cloud-wire §3.3). Reading them is readers/azure.ts's.
import type { ClauseTrace, NearMiss, RuleTrace } from '../../base/core/decision.ts';
import { type Claims, type JsonValue, ownMember } from '../../base/core/json.ts';
import { checkAudience } from '../../base/jwt/claims.ts';
import { ANY, type Glob, matchesGlob, STAR } from '../iam/template.ts';
import { nearEqual, nearTextMiss } from './near-text.ts';
import type { Reach, TokenView, Trust, Verdict } from './trust.ts';

/** The operators of a flexible credential. */
export type AzureOperator = 'eq' | 'matches';

/** One claim against one literal. Without an operator it is the `subject` of an exact credential. */
export interface AzureComparison {
  readonly claim: string;
  readonly operator?: AzureOperator;
  readonly literal: string;
  readonly line: number;
}

/** One credential: everything in it must hold. `comparisons` is never empty. */
export interface AzureCredential {
  readonly issuer: string;
  readonly audience: string;
  readonly comparisons: readonly AzureComparison[];
  readonly line: number;
  readonly issuerLine: number;
  readonly audienceLine: number;
}

/**
 * The trust of one application: any credential suffices, and those after the first that holds are not looked at. Values are
 * compared exactly, case and trailing slashes included. Precondition: the reader accepted the credentials.
 */
export function azureTrust(credentials: readonly AzureCredential[], line: number): Trust {
  const judged = credentials.map(compiled);
  return {
    dialect: 'azure',
    line,
    issuers: [...new Set(credentials.map((credential) => credential.issuer))],
    judge: (token, reach = 'first_failure') => judge(judged, token, reach),
    satisfiable: (issuer) => satisfiableBy(credentials.filter((credential) => credential.issuer === issuer)),
  };
}

/** Longer claims are not compared, so that a match stays cheap whatever a token says. Azure's subjects end at 600. */
const MAX_CLAIM_CHARS = 2048;

interface Judged {
  readonly credential: AzureCredential;
  readonly clauses: readonly JudgedClause[];
}

interface JudgedClause {
  /** The clause as it is traced, but for what the token makes of it. */
  readonly unread: Pick<ClauseTrace, 'subject' | 'wanted' | 'operator' | 'line'>;
  presented(token: TokenView): JsonValue | undefined;
  holds(token: TokenView): boolean;
  nearMiss(token: TokenView): NearMiss | undefined;
  /** What Entra would answer. */
  problem(token: TokenView, nearMiss: NearMiss | undefined): string;
}

function compiled(credential: AzureCredential): Judged {
  const comparisons = credential.comparisons.map(comparisonClause);
  return { credential, clauses: [issuerClause(credential), audienceClause(credential), ...comparisons] };
}

function judge(credentials: readonly Judged[], token: TokenView, reach: Reach): Verdict {
  const rules: RuleTrace[] = [];
  for (const judged of credentials) {
    const rule = ruleOf(judged, token, reach);
    rules.push(rule);
    if (rule.held) return { held: true, rules };
  }
  return { held: false, rules };
}

function ruleOf({ credential, clauses }: Judged, token: TokenView, reach: Reach): RuleTrace {
  let held = true;
  const goesOn = reach === 'every_clause' && credential.issuer === token.issuer;
  const traces = clauses.map((clause): ClauseTrace => {
    if (!held && !goesOn) return { ...clause.unread, outcome: 'not_reached' };
    const isHeld = clause.holds(token);
    held &&= isHeld;
    const value = clause.presented(token);
    const seen = value === undefined ? clause.unread : { ...clause.unread, presented: value };
    if (isHeld) return { ...seen, outcome: 'held' };
    const nearMiss = clause.nearMiss(token);
    const problem = clause.problem(token, nearMiss);
    return { ...seen, outcome: 'failed', problem, ...(nearMiss === undefined ? {} : { nearMiss }) };
  });
  return { line: credential.line, held, clauses: traces };
}

function issuerClause({ issuer, issuerLine }: AzureCredential): JudgedClause {
  return {
    unread: { subject: 'issuer', wanted: [issuer], line: issuerLine },
    presented: (token) => token.issuer,
    holds: (token) => token.issuer === issuer,
    nearMiss: (token) => nearEqual(token.issuer, issuer),
    problem: (token) =>
      token.issuer === `${issuer}/` || issuer === `${token.issuer}/`
        ? 'AADSTS700211: no credential has the presented issuer; it differs only in a trailing slash, which Azure minds'
        : 'AADSTS700211: no credential has the presented issuer',
  };
}

function audienceClause({ audience, audienceLine }: AzureCredential): JudgedClause {
  return {
    unread: { subject: 'aud', wanted: [audience], line: audienceLine },
    presented: ({ claims }) => ownMember(claims, 'aud'),
    holds: ({ claims }) => checkAudience(claims, [audience]).ok,
    nearMiss: ({ claims }) => nearEqual(ownMember(claims, 'aud'), audience),
    problem: () => 'AADSTS700212: no credential has the presented audience',
  };
}

function comparisonClause(comparison: AzureComparison): JudgedClause {
  const { claim, operator, literal, line } = comparison;
  const holdsOn = matcherOf(comparison);
  const holdsFolded = (text: string): boolean => matcherOf({ ...comparison, literal: literal.toLowerCase() })(text);
  return {
    unread: { subject: claim, wanted: [literal], line, ...(operator === undefined ? {} : { operator }) },
    presented: ({ claims }) => ownMember(claims, claim),
    holds: ({ claims }) => holdsOnClaim(claims, claim, holdsOn),
    nearMiss: ({ claims }) => nearTextMiss(ownMember(claims, claim), { holds: holdsOn, holdsFolded }),
    problem: ({ claims }, nearMiss) => comparisonProblem(comparison, ownMember(claims, claim), nearMiss),
  };
}

function matcherOf({ operator, literal }: AzureComparison): (text: string) => boolean {
  if (operator !== 'matches') return (text) => text === literal;
  const glob = wildcardsOf(literal);
  return (text) => text.length <= MAX_CLAIM_CHARS && text.isWellFormed() && matchesGlob(glob, text);
}

const holdsOnClaim = (claims: Claims, name: string, holds: (text: string) => boolean): boolean => {
  const value = ownMember(claims, name);
  return typeof value === 'string' && holds(value);
};

function comparisonProblem(
  { operator }: AzureComparison,
  value: JsonValue | undefined,
  nearMiss: NearMiss | undefined,
): string {
  if (value === undefined) return 'AADSTS700213: the token does not carry the claim';
  if (typeof value !== 'string') return 'AADSTS700213: the claim is not text';
  if (nearMiss === 'case') return 'AADSTS7002138: the presented value differs only in case, which Azure minds';
  if (operator === 'matches' && value.length > MAX_CLAIM_CHARS) {
    return `AADSTS700213: no pattern is compared with more than ${MAX_CLAIM_CHARS} characters`;
  }
  return 'AADSTS700213: no credential has the presented subject';
}

/** `*` is any run of characters and `?` any one; there is no way to write either literally. */
function wildcardsOf(literal: string): Glob {
  const glob: number[] = [];
  for (const character of literal) {
    if (character === '?') glob.push(ANY);
    else if (character !== '*') glob.push(character.codePointAt(0) ?? 0);
    // Several stars in a row mean no more than one.
    else if (glob.at(-1) !== STAR) glob.push(STAR);
  }
  return glob;
}

const hasWildcard = ({ operator, literal }: AzureComparison): boolean => operator === 'matches' && /[*?]/.test(literal);

function satisfiableBy(credentials: readonly AzureCredential[]): 'yes' | 'no' | 'unknown' {
  const answers = credentials.map(canHold);
  if (answers.includes('yes')) return 'yes';
  return answers.includes('unknown') ? 'unknown' : 'no';
}

/** Whether some token passes: comparisons of one claim can contradict each other. */
function canHold(credential: AzureCredential): 'yes' | 'no' | 'unknown' {
  const answers = new Set<'yes' | 'no' | 'unknown'>();
  for (const claim of new Set(credential.comparisons.map((comparison) => comparison.claim))) {
    const onClaim = credential.comparisons.filter((comparison) => comparison.claim === claim);
    const literal = onClaim.find((comparison) => !hasWildcard(comparison))?.literal;
    if (literal !== undefined) answers.add(onClaim.every((one) => matcherOf(one)(literal)) ? 'yes' : 'no');
    // Whether several patterns have a text in common is not worth finding out here.
    else answers.add(onClaim.length === 1 ? 'yes' : 'unknown');
  }
  if (answers.has('no')) return 'no';
  return answers.has('unknown') ? 'unknown' : 'yes';
}
