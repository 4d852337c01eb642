// An AWS trust policy, judged as AWS STS judges it (cloud-wire §1.4, §1.5): statements, principals, actions, conditions, and
// the actions that session tags and a source identity need. Reading documents is readers/aws.ts's business.
import type { ClauseTrace, RuleTrace } from '../../base/core/decision.ts';
import { type Condition, evaluateCondition } from '../iam/conditions.ts';
import type { ConditionContext } from '../iam/context.ts';
import { nearMissOf } from '../iam/near-miss.ts';
import { asciiLower } from '../iam/template.ts';
import { contextOf, providerOf } from './aws-keys.ts';
import { awsSatisfiable } from './aws-satisfiable.ts';
import { attributeRule, readSessionAttributes, SOURCE_IDENTITY_CLAIM, TAGS_CLAIM } from './aws-session.ts';
import { type AwsStatement, SOURCE_IDENTITY_ACTION, TAG_SESSION_ACTION, WEB_IDENTITY_ACTION } from './aws-statement.ts';
import { NO_ATTRIBUTES, type SessionAttributes, type TokenView, type Trust, type Verdict } from './trust.ts';

/** The trust entry of a compiled document. Precondition: its reader found no problem in it. */
export function awsTrust(statements: readonly AwsStatement[], line: number): Trust {
  const admitting = statements.filter((one) => one.effect === 'allow' && one.covers.has(WEB_IDENTITY_ACTION));
  const issuers = admitting.flatMap((one) => one.providers.flatMap((provider) => provider.issuers));
  return {
    dialect: 'aws',
    line,
    issuers: [...new Set(issuers)],
    judge: (token) => judge(statements, token, line),
    satisfiable: (issuer) => awsSatisfiable(statements, issuer),
  };
}

/** Deny beats Allow; each action that the request needs must be allowed, by whichever statement; nothing else lets anyone in. */
function judge(statements: readonly AwsStatement[], token: TokenView, line: number): Verdict {
  const read = readSessionAttributes(token.claims);
  const session = read.ok ? read.value : NO_ATTRIBUTES;
  const needed = neededActions(session);
  const traces = statements.map((statement) => traceStatement(statement, needed, token, session));
  const holds = (effect: AwsStatement['effect'], action: string): boolean =>
    statements.some((one, at) => one.effect === effect && traces[at]?.held === true && one.covers.has(action));
  const denied = needed.some((action) => holds('deny', action));
  const missing = needed.filter((action) => !holds('allow', action));
  const rules = [
    ...traces,
    ...(read.ok ? [] : [attributeRule(read.error, line)]),
    // A refused web identity explains itself in its statements; a refused tag has no statement to be explained in.
    ...missing.filter((action) => action !== WEB_IDENTITY_ACTION).map((action) => missingActionRule(action, line)),
  ];
  const held = read.ok && !denied && missing.length === 0;
  return held ? { held, rules, attributes: session } : { held, rules };
}

const neededActions = (session: SessionAttributes): readonly string[] => [
  WEB_IDENTITY_ACTION,
  ...(Object.keys(session.tags).length > 0 ? [TAG_SESSION_ACTION] : []),
  ...(session.sourceIdentity === null ? [] : [SOURCE_IDENTITY_ACTION]),
];

function traceStatement(
  statement: AwsStatement,
  needed: readonly string[],
  token: TokenView,
  session: SessionAttributes,
): RuleTrace {
  const provider = statement.providers.find((one) => one.issuers.includes(token.issuer));
  const principalHeld = provider !== undefined || statement.deniesEveryone;
  const covered = needed.filter((action) => statement.covers.has(action));
  const clauses: ClauseTrace[] = [
    issuerClause(statement, token.issuer, principalHeld),
    actionClause(statement, needed, principalHeld),
  ];
  let held = principalHeld && covered.length > 0;
  const context = held ? contextOf(token, session, provider?.principal) : undefined;
  for (const condition of statement.conditions) {
    const clause = conditionClause(condition, context, statement.effect);
    clauses.push(clause);
    held &&= clause.outcome === 'held';
  }
  return { effect: statement.effect, line: statement.line, held, clauses };
}

function issuerClause(statement: AwsStatement, issuer: string, held: boolean): ClauseTrace {
  const folded = asciiLower(providerOf(issuer));
  const isCase = statement.providers.some((one) =>
    one.issuers.some((known) => asciiLower(providerOf(known)) === folded),
  );
  return {
    subject: 'issuer',
    operator: 'Principal',
    wanted: statement.principals,
    presented: issuer,
    outcome: held ? 'held' : 'failed',
    ...(!held && isCase ? { nearMiss: 'case' } : {}),
    line: statement.principalLine,
  };
}

function actionClause(statement: AwsStatement, needed: readonly string[], reached: boolean): ClauseTrace {
  const clause = { subject: 'Action', wanted: statement.actionNames, line: statement.actionLine };
  if (!reached) return { ...clause, outcome: 'not_reached' };
  const [only, ...others] = needed;
  const presented = others.length === 0 && only !== undefined ? only : needed;
  const held = needed.some((action) => statement.covers.has(action));
  return { ...clause, presented, outcome: held ? 'held' : 'failed' };
}

/** Without a context it was not reached. What cannot be evaluated fails in an Allow and holds in a Deny: both refuse. */
function conditionClause(
  condition: Condition,
  context: ConditionContext | undefined,
  effect: AwsStatement['effect'],
): ClauseTrace {
  const wanted = condition.operands.map((operand) => operand.source);
  const clause = { subject: condition.key, operator: condition.operator.name, wanted, line: condition.line };
  if (context === undefined) return { ...clause, outcome: 'not_reached' };
  const { truth, problem, presented } = evaluateCondition(condition, context);
  const held = truth === 'yes' || (truth === 'unknown' && effect === 'deny');
  const nearMiss = truth === 'yes' ? undefined : nearMissOf(condition, context);
  return {
    ...clause,
    ...(presented === undefined ? {} : { presented }),
    outcome: held ? 'held' : 'failed',
    ...(nearMiss === undefined ? {} : { nearMiss }),
    ...(problem === undefined ? {} : { problem }),
  };
}

/** AWS refuses the whole request when the token asks for an attribute that no statement lets it set. */
const missingActionRule = (action: string, line: number): RuleTrace => ({
  effect: 'allow',
  line,
  held: false,
  clauses: [
    {
      subject: 'Action',
      wanted: [action],
      outcome: 'failed',
      problem: `no statement allows ${action}, which the claim ${action === TAG_SESSION_ACTION ? TAGS_CLAIM : SOURCE_IDENTITY_CLAIM} needs`,
      line,
    },
  ],
});
