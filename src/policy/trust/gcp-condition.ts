// Judges the attribute condition of a workload identity pool provider, and shows which part of it was false.
import type { ClauseTrace, NearMiss } from '../../base/core/decision.ts';
import { type Claims, isJsonObject, type JsonValue, ownMember } from '../../base/core/json.ts';
import type { Meter } from '../expression/cost.ts';
import { type Expression, evaluateExpression } from '../expression/expression.ts';
import type { GcpAttributes } from './gcp-mapping.ts';
import { nearEqual } from './near-text.ts';

export interface GcpCondition {
  readonly expression: Expression;
  /** The expressions that `&&` joins, for explanations only; empty when it joins none. */
  readonly parts: readonly Expression[];
  /** True when it names no claim and is not true: no token passes. */
  readonly isNever: boolean;
  readonly line: number;
}

/** The condition's clause; not reached without attributes. Only the expression as a whole decides, and only true is a yes. */
export function conditionClause(
  condition: GcpCondition,
  token: { readonly claims: Claims; readonly attributes: GcpAttributes | undefined; readonly meter: Meter },
): ClauseTrace {
  const unread = {
    subject: 'condition',
    operator: 'attributeCondition',
    wanted: [condition.expression.source],
    line: condition.line,
  };
  if (token.attributes === undefined) return { ...unread, outcome: 'not_reached' };
  const bindings = { assertion: token.claims, ...token.attributes };
  const result = evaluateExpression(condition.expression, bindings, token.meter);
  if (result.outcome === true) return { ...unread, outcome: 'held' };
  if (result.outcome === 'error') {
    const problem = `unauthorized_client: ${result.problem}`;
    return { ...unread, outcome: 'failed', problem };
  }
  return { ...unread, outcome: 'failed', ...explain(condition, bindings) };
}

type Variables = Readonly<Record<string, JsonValue>>;

/** The first part that is not true, and what the token has where it looks. */
function explain(
  { expression, parts }: GcpCondition,
  variables: Variables,
): Pick<ClauseTrace, 'problem' | 'presented' | 'nearMiss'> {
  const part = parts.find((one) => evaluateExpression(one, variables).outcome !== true);
  const { source } = part ?? expression;
  const presented = valuesNamed(source, variables);
  const nearMiss = nearMissOf(source, variables);
  return {
    problem:
      part === undefined
        ? 'unauthorized_client: rejected by the attribute condition'
        : `not so: ${source} (unauthorized_client)`,
    ...(presented === undefined ? {} : { presented }),
    ...(nearMiss === undefined ? {} : { nearMiss }),
  };
}

const NAMED = /\b(assertion|attribute|google)\.([A-Za-z_][A-Za-z0-9_]*)/g;
const QUOTED = /"[^"]*"|'[^']*'/g;

function valueNamed(root: string, name: string, variables: Variables): JsonValue | undefined {
  const map = variables[root];
  return isJsonObject(map) ? ownMember(map, name) : undefined;
}

/** The value of the one name that the text mentions, or each by its name; undefined when the token has none of them. */
function valuesNamed(source: string, variables: Variables): JsonValue | undefined {
  const found = new Map<string, JsonValue>();
  for (const [text, root = '', name = ''] of source.replace(QUOTED, '').matchAll(NAMED)) {
    const value = valueNamed(root, name, variables);
    if (value !== undefined) found.set(text, value);
  }
  return found.size > 1 ? Object.fromEntries(found) : [...found.values()][0];
}

/** `assertion.x == 'text'`, nothing else: what most conditions are made of. */
const EQUALITY = /^(assertion|attribute|google)\.([A-Za-z_][A-Za-z0-9_]*)\s*==\s*(?:'([^'\\]*)'|"([^"\\]*)")$/;

function nearMissOf(source: string, variables: Variables): NearMiss | undefined {
  const [, root, name, single, double] = EQUALITY.exec(source.trim()) ?? [];
  const wanted = single ?? double;
  if (root === undefined || name === undefined || wanted === undefined) return undefined;
  return nearEqual(valueNamed(root, name, variables), wanted);
}
