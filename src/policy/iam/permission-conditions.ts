// The conditions of permission statements, and the values of their keys for one request at a gateway.
import type { JsonValue } from '../../base/core/json.ts';
import type { ConditionBlock } from '../../base/core/permissions.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import type { DocumentPath } from '../../base/document/problem.ts';
import type { Report } from '../../base/document/read.ts';
import {
  CLAIM_PREFIX,
  keyProblem,
  QUERY_PREFIX,
  REQUEST_KEYS,
  SOURCE_IDENTITY_KEYS,
  TAG_PREFIX,
  TIME_KEYS,
} from './condition-keys.ts';
import { type Condition, compileConditions } from './conditions.ts';
import type { ConditionContext } from './context.ts';
import { asciiLower } from './template.ts';

/** What a gateway knows of a request besides its action and resource. What is left out is unknown to conditions, not missing. */
export interface RequestFacts {
  /** The parameters of the query, decoded; a name that stands twice has two values. */
  readonly query?: ReadonlyMap<string, readonly string[]>;
  readonly sourceAddress?: string;
  readonly now?: EpochSeconds;
  /** Session tags of the credential. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Of the credential; null: it has none. */
  readonly sourceIdentity?: string | null;
  /** Values of the keys that only some gateways know (REQUEST_KEYS), the key in ASCII lower case. Null: the request does not have it. */
  readonly keys?: ReadonlyMap<string, JsonValue>;
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
  for (const key of REQUEST_KEYS) {
    const value = facts.keys?.get(key);
    if (value !== undefined) values.set(key, value);
  }
  for (const key of SOURCE_IDENTITY_KEYS) values.set(key, facts.sourceIdentity ?? null);
  if (facts.sourceAddress !== undefined) values.set('aws:sourceip', facts.sourceAddress);
  if (facts.now !== undefined) {
    values.set('aws:epochtime', facts.now);
    values.set('aws:currenttime', facts.now);
  }
  return {
    values,
    whyUnknown: (key) => unknown.get(key) ?? whyUntold(key, { values, facts }),
    // The resource behind the gateway takes whichever it likes.
    severalValues: 'unknown',
  };
}

interface Told {
  readonly values: ReadonlyMap<string, JsonValue>;
  readonly facts: RequestFacts;
}

function whyUntold(key: string, { values, facts }: Told): string | undefined {
  const untold = 'this gateway does not know the value of this key';
  // The token may well have had it: a session carries those alone that its role's permissions mentioned when it was opened.
  if (key.startsWith(CLAIM_PREFIX)) return values.has(key) ? undefined : 'the session does not carry this claim';
  if (key.startsWith(QUERY_PREFIX)) return facts.query === undefined ? untold : undefined;
  if (key.startsWith(TAG_PREFIX)) return facts.tags === undefined ? untold : undefined;
  if (REQUEST_KEYS.has(key)) return facts.keys?.has(key) === true ? undefined : untold;
  if (SOURCE_IDENTITY_KEYS.has(key)) return facts.sourceIdentity === undefined ? untold : undefined;
  if (key === 'aws:sourceip') return facts.sourceAddress === undefined ? untold : undefined;
  return TIME_KEYS.has(key) && facts.now === undefined ? untold : undefined;
}
