// Whether any token of an issuer could pass an AWS trust policy. `no` and `yes` are proved; everything else is `unknown`.
import type { JsonValue } from '../../base/core/json.ts';
import { type Condition, evaluateCondition } from '../iam/conditions.ts';
import type { ConditionContext } from '../iam/context.ts';
import { ANY, asciiLower, STAR } from '../iam/template.ts';
import { isOnlyAtAws, providerOf } from './aws-keys.ts';
import { type AwsStatement, WEB_IDENTITY_ACTION } from './aws-statement.ts';

type Possible = 'yes' | 'no' | 'unknown';

/** Claims that are one text in every token: two demands on one of them can contradict each other. */
const SINGLE_TEXT: ReadonlySet<string> = new Set(
  `sub aud iss repository repository_id repository_owner repository_owner_id ref environment event_name actor actor_id workflow
  workflow_ref job_workflow_ref project_path project_id namespace_path namespace_id ref_type ref_protected`.split(
    /\s+/,
  ),
);
/** Claims that a verified token always carries. */
const ALWAYS_THERE: ReadonlySet<string> = new Set(['sub', 'aud', 'iss']);

/** Whether any token of `issuer` could be let in. */
export function awsSatisfiable(statements: readonly AwsStatement[], issuer: string): Possible {
  const names = (one: AwsStatement): boolean => one.providers.some((provider) => provider.issuers.includes(issuer));
  const concerning = statements.filter(
    (one) => one.covers.has(WEB_IDENTITY_ACTION) && (names(one) || one.deniesEveryone),
  );
  const denials = concerning.filter((one) => one.effect === 'deny');
  if (denials.some((one) => one.conditions.length === 0)) return 'no';
  const answers = concerning.filter((one) => one.effect === 'allow').map((one) => canHold(one, issuer));
  if (answers.includes('yes')) return denials.length === 0 ? 'yes' : 'unknown';
  return answers.includes('unknown') ? 'unknown' : 'no';
}

/** Every key by itself: demands on different claims are taken to be independent. */
function canHold(statement: AwsStatement, issuer: string): Possible {
  const groups = Map.groupBy(statement.conditions, (condition) => condition.lookup);
  const answers = [...groups].map(([key, conditions]) => canBe(key, conditions, { statement, issuer }));
  if (answers.includes('no')) return 'no';
  return answers.includes('unknown') ? 'unknown' : 'yes';
}

interface Asked {
  readonly statement: AwsStatement;
  readonly issuer: string;
}

/** Whether some value of one key satisfies all conditions on it. */
function canBe(key: string, conditions: readonly Condition[], { statement, issuer }: Asked): Possible {
  const holdsWith = (value: JsonValue): boolean => conditions.every((one) => truthWith(one, value) === 'yes');
  const proved = (held: boolean): Possible => (held ? 'yes' : 'no');
  // What a variable stands for is the token's to say, even where the key's own value is known.
  const provedFor = (held: boolean): Possible => (!held && hasVariables(conditions) ? 'unknown' : proved(held));
  if (isOnlyAtAws(key) || conditions.some((one) => one.broken !== null)) return 'no';
  if (key === 'aws:federatedprovider') {
    const known = statement.providers.filter((one) => one.issuers.includes(issuer));
    return provedFor(known.some((one) => holdsWith(one.principal)));
  }
  const prefix = `${asciiLower(providerOf(issuer))}:`;
  if (key === `${prefix}iss`) return provedFor(holdsWith(issuer));
  if (key.startsWith(prefix)) return claimCanBe(key.slice(prefix.length), conditions, holdsWith);
  // A key of another provider is never there.
  return /^(?:aws|sts):/.test(key) ? 'unknown' : proved(holdsWith(null));
}

function claimCanBe(
  claim: string,
  conditions: readonly Condition[],
  holdsWith: (value: JsonValue) => boolean,
): Possible {
  if (!ALWAYS_THERE.has(claim) && holdsWith(null)) return 'yes';
  if (hasVariables(conditions)) return 'unknown';
  const literals = wantedLiterals(conditions);
  const samples = literals ?? conditions.flatMap(sampleTexts);
  if (samples.some(holdsWith)) return 'yes';
  // Whoever equals one of the literals must be one of them.
  return literals !== undefined && SINGLE_TEXT.has(claim) ? 'no' : 'unknown';
}

const hasVariables = (conditions: readonly Condition[]): boolean =>
  conditions.some((one) => one.operands.some((operand) => operand.keys.length > 0));

const truthWith = (condition: Condition, value: JsonValue) => {
  const context: ConditionContext = { values: new Map([[condition.lookup, value]]) };
  return evaluateCondition(condition, context).truth;
};

/** The values of a condition that only they can satisfy; undefined when there is none such. */
function wantedLiterals(conditions: readonly Condition[]): readonly string[] | undefined {
  const exact = conditions.find(
    ({ operator }) => operator.comparison?.negated === false && /StringEquals(?:IfExists)?$/.test(operator.name),
  );
  return exact?.operands.map((operand) => operand.text?.literal ?? operand.source);
}

/** Some text that the wanted values describe, and one that nobody names. */
function sampleTexts(condition: Condition): readonly string[] {
  const described = condition.operands.flatMap(({ text }) => {
    if (text?.glob === undefined) return [];
    return [String.fromCodePoint(...text.glob.map((symbol) => (symbol === ANY || symbol === STAR ? LETTER : symbol)))];
  });
  return [...described, 'unlike-any-other'];
}

const LETTER = 'x'.charCodeAt(0);
