// Maps a token's claims to the attributes of a workload identity pool (cloud-wire §2.4). What is done with them is gcp.ts's.
import type { ClauseTrace } from '../../base/core/decision.ts';
import type { Claims, JsonObject, JsonValue } from '../../base/core/json.ts';
import { MAX_SHORT_SUBJECT_BYTES } from '../../base/core/limits.ts';
import type { Meter } from '../expression/cost.ts';
import { type Expression, evaluateToValue } from '../expression/expression.ts';

/** One attribute and the expression that gives its value. */
export interface GcpMapping {
  /** `google.subject`, `google.groups` or `attribute.NAME`. */
  readonly key: string;
  readonly expression: Expression;
  readonly line: number;
}

/** The attributes of one token, as conditions name them. `google.subject` is there and fits. */
export interface GcpAttributes {
  readonly google: JsonObject;
  readonly attribute: JsonObject;
}

/** Google's texts give 4, 8 or 16 KB, by their age. */
const MAX_MAPPED_BYTES = 8 * 1024;

/** The clause of each mapping, and the attributes when every one held. After a failure the rest is reached only on request. */
export function mapAttributes(
  mappings: readonly GcpMapping[],
  claims: Claims,
  options: { readonly meter: Meter; readonly goesOn: boolean },
): { readonly clauses: readonly ClauseTrace[]; readonly attributes?: GcpAttributes } {
  const clauses: ClauseTrace[] = [];
  const mapped: (readonly [string, JsonValue])[] = [];
  for (const mapping of mappings) {
    if (mapped.length < clauses.length && !options.goesOn) {
      clauses.push(unreachedMapping(mapping));
      continue;
    }
    const { clause, value } = mapOne(mapping, claims, options.meter);
    clauses.push(clause);
    if (value !== undefined) mapped.push([mapping.key, value]);
  }
  if (mapped.length < mappings.length) return { clauses };
  const size = mapped.reduce((sum, [key, value]) => sum + bytesOf(key) + bytesOf(value), 0);
  if (size > MAX_MAPPED_BYTES) return { clauses: [...clauses, sizeClause(size, mappings[0]?.line ?? 1)] };
  return { clauses, attributes: { google: membersOf('google.', mapped), attribute: membersOf('attribute.', mapped) } };
}

/** The clause of a mapping that nothing came to. */
export const unreachedMapping = (mapping: GcpMapping): ClauseTrace => ({ ...unread(mapping), outcome: 'not_reached' });

const unread = ({ key, expression, line }: GcpMapping): Omit<ClauseTrace, 'outcome'> => ({
  subject: key,
  operator: 'attributeMapping',
  wanted: [expression.source],
  line,
});

function mapOne(mapping: GcpMapping, claims: Claims, meter: Meter): { clause: ClauseTrace; value?: JsonValue } {
  const result = evaluateToValue(mapping.expression, { assertion: claims }, meter);
  if (result.outcome === 'error') {
    return { clause: { ...unread(mapping), outcome: 'failed', problem: `invalid_grant: ${result.problem}` } };
  }
  const { value } = result;
  const problem = valueProblem(mapping.key, value);
  if (problem !== undefined) {
    return {
      clause: { ...unread(mapping), ...presented(value), outcome: 'failed', problem: `invalid_grant: ${problem}` },
    };
  }
  return { clause: { ...unread(mapping), ...presented(value), outcome: 'held' }, value };
}

/** Longer than anything that may be mapped: traces are kept, and an expression can make a long value out of a short claim. */
const MAX_PRESENTED_CHARS = 1024;

const presented = (value: JsonValue): { presented?: JsonValue } =>
  JSON.stringify(value).length > MAX_PRESENTED_CHARS ? {} : { presented: value };

/** What Google says against a mapped value. */
function valueProblem(key: string, value: JsonValue): string | undefined {
  if (key === 'google.groups') {
    const isList = Array.isArray(value) && value.every((group) => typeof group === 'string');
    return isList ? undefined : `The mapped attribute '${key}' must be of type LIST of STRING.`;
  }
  if (typeof value !== 'string') return `The mapped attribute '${key}' must be of type STRING.`;
  if (key !== 'google.subject') return undefined;
  if (value === '') return 'The mapped attribute google.subject is empty.';
  return bytesOf(value) > MAX_SHORT_SUBJECT_BYTES
    ? `The size of mapped attribute ${key} exceeds the ${MAX_SHORT_SUBJECT_BYTES} bytes limit.`
    : undefined;
}

const sizeClause = (size: number, line: number): ClauseTrace => ({
  subject: 'attributeMapping',
  wanted: [`at most ${MAX_MAPPED_BYTES} bytes altogether`],
  presented: size,
  outcome: 'failed',
  problem: 'invalid_grant: The mapped attributes are too large.',
  line,
});

const bytesOf = (value: JsonValue): number =>
  Buffer.byteLength(Array.isArray(value) ? value.join('') : String(value), 'utf8');

const membersOf = (prefix: string, mapped: readonly (readonly [string, JsonValue])[]): JsonObject =>
  // fromEntries makes own members of every name, also of `__proto__`, which Google's rules for names allow.
  Object.fromEntries(
    mapped.filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]),
  );

/** A claim that may have any text; `iss` and `aud` may not, and the times are numbers. */
const PLAIN = /^assertion\.(?!(?:iss|aud|exp|nbf|iat)$)[A-Za-z_][A-Za-z0-9_]*$/;

/** Whether there surely is a token that every mapping takes: true only where each is the plain text of a claim. */
export const canAlwaysMap = (mappings: readonly GcpMapping[]): boolean =>
  mappings.every(({ key, expression }) => key !== 'google.groups' && PLAIN.test(expression.source.trim()));
