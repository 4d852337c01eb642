// The condition keys of permission statements, and their values for one request at a gateway.
import type { JsonValue } from '../../base/core/json.ts';
import type { ConditionBlock } from '../../base/core/permissions.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import type { DocumentPath } from '../../base/document/problem.ts';
import type { Report } from '../../base/document/read.ts';
import { type Condition, compileConditions } from './conditions.ts';
import type { ConditionContext } from './context.ts';
import { asciiLower, isClaimName } from './template.ts';

/** What a gateway knows of a request besides its action and resource. What is left out is unknown to conditions, not missing. */
export interface RequestFacts {
  /** The parameters of the query, decoded; a name that stands twice has two values. */
  readonly query?: ReadonlyMap<string, readonly string[]>;
  readonly sourceAddress?: string;
  readonly now?: EpochSeconds;
  /** Session tags of the credential. */
  readonly tags?: Readonly<Record<string, string>>;
}

const CLAIM_PREFIX = 'claims.';
const QUERY_PREFIX = 'http:query/';
const TAG_PREFIX = 'aws:principaltag/';
const SINGLE_KEYS: ReadonlySet<string> = new Set(['aws:sourceip', 'aws:currenttime', 'aws:epochtime']);

/** What is wrong with a condition key of a permission, for its author. */
function keyProblem(key: string): string | undefined {
  if (key.startsWith(CLAIM_PREFIX))
    return isClaimName(key.slice(CLAIM_PREFIX.length)) ? undefined : 'wanted claims.NAME';
  const lower = asciiLower(key);
  const isFamily = [QUERY_PREFIX, TAG_PREFIX].some(
    (prefix) => lower.startsWith(prefix) && lower.length > prefix.length,
  );
  if (isFamily || SINGLE_KEYS.has(lower)) return undefined;
  return 'unknown condition key; wanted http:Query/NAME, claims.NAME, aws:PrincipalTag/KEY, aws:SourceIp, aws:CurrentTime or aws:EpochTime';
}

/** Reads the conditions of a permission statement, in IAM's form and with policy variables; reports every problem under its place. */
export const compilePermissionConditions = (
  block: JsonValue,
  rules: { readonly report: Report; readonly at: DocumentPath; readonly line: number },
): readonly Condition[] =>
  compileConditions(block, {
    report: rules.report,
    at: rules.at,
    lineOf: () => rules.line,
    variables: true,
    refusal: '',
    keyProblem,
  });

/** The claims that conditions name, as keys and as variables. Precondition: the block compiles. */
export function claimsInConditions(block: ConditionBlock): readonly string[] {
  const names: string[] = [];
  for (const [key, values] of Object.values(block).flatMap((keys) => Object.entries(keys))) {
    if (key.startsWith(CLAIM_PREFIX)) names.push(key.slice(CLAIM_PREFIX.length));
    for (const value of Array.isArray(values) ? values : [values]) {
      for (const [, name] of String(value).matchAll(CLAIM_VARIABLE)) if (name !== undefined) names.push(name);
    }
  }
  return names;
}

const CLAIM_VARIABLE = /\$\{claims\.([^},]+)/g;

/** A request as conditions of permissions see it. */
export function permissionContext(claims: Readonly<Record<string, string>>, facts: RequestFacts): ConditionContext {
  const values = new Map<string, JsonValue>();
  const unknown = new Map<string, string>();
  for (const [name, value] of Object.entries(claims)) {
    const key = asciiLower(`${CLAIM_PREFIX}${name}`);
    // Keys ignore case and claims do not: two claims of one key are neither.
    if (values.has(key)) unknown.set(key, 'two claims whose names differ only in case');
    values.set(key, value);
  }
  for (const [name, texts] of facts.query ?? []) {
    const key = asciiLower(`http:query/${name}`);
    const known = values.get(key);
    values.set(key, [...(Array.isArray(known) ? known : []), ...texts]);
  }
  for (const [name, value] of Object.entries(facts.tags ?? {})) values.set(asciiLower(`${TAG_PREFIX}${name}`), value);
  if (facts.sourceAddress !== undefined) values.set('aws:sourceip', facts.sourceAddress);
  if (facts.now !== undefined) {
    values.set('aws:epochtime', facts.now);
    values.set('aws:currenttime', facts.now);
  }
  return {
    values,
    whyUnknown: (key) => unknown.get(key) ?? whyUntold(key, facts),
    // The resource behind the gateway takes whichever it likes.
    severalValues: 'unknown',
  };
}

function whyUntold(key: string, facts: RequestFacts): string | undefined {
  const untold = 'this gateway does not know the value of this key';
  if (key.startsWith(QUERY_PREFIX)) return facts.query === undefined ? untold : undefined;
  if (key.startsWith(TAG_PREFIX)) return facts.tags === undefined ? untold : undefined;
  if (key === 'aws:sourceip') return facts.sourceAddress === undefined ? untold : undefined;
  return SINGLE_KEYS.has(key) && facts.now === undefined ? untold : undefined;
}
