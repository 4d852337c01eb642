// The condition operators of IAM: how each reads a wanted value and compares it with a presented one. How keys, lists and
// missing values are put together is conditions.ts's business.

import { isInRange, parseAddress, parseRange } from '../../base/address/address.ts';
import type { JsonValue } from '../../base/core/json.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { nearestName } from '../../base/document/nearest-name.ts';
import { type ConditionContext, everyTruth, type Truth, truthOf } from './context.ts';
import { asciiLower, type Glob, matchesGlob } from './template.ts';
import { compareDecimals, parseBinary, parseBool, parseDecimal, parseMoment } from './values.ts';
import {
  type ConditionText,
  conditionText,
  keysOfText,
  parseConditionText,
  resolveText,
  type TextRules,
} from './variables.ts';

/** One wanted value, compiled. */
export interface Operand {
  /** As the policy says it. */
  readonly source: string;
  match(value: JsonValue, context: ConditionContext): Truth;
  /** Of operators that compare text: the wanted text with its variables filled in. For explanations. */
  readonly text?: ConditionText;
  /** The keys, in lower case, that its variables name. */
  readonly keys: readonly string[];
}

type ReadOperand = (value: string | number | boolean, rules: OperandRules) => Result<Operand, string>;
type OperandRules = Omit<TextRules, 'wildcards'>;

interface Comparison {
  readonly negated: boolean;
  readonly read: ReadOperand;
}

/** An operator as a policy names it, taken apart. `comparison` is null for Null, which compares nothing. */
export interface Operator {
  readonly name: string;
  readonly set: 'any' | 'all' | null;
  readonly ifExists: boolean;
  readonly comparison: Comparison | null;
}

const isText = (value: JsonValue): value is string => typeof value === 'string';

/** Text operators compare text only: a JSON number or boolean is neither equal nor different, it is of another type. */
function textOperand(
  wildcards: boolean,
  matches: (value: string, glob: Glob, text: ConditionText) => Truth,
): ReadOperand {
  return (value, rules) => {
    const parsed = parseConditionText(String(value), { ...rules, wildcards });
    if (!parsed.ok) return parsed;
    const text = parsed.value;
    return ok({
      source: String(value),
      text,
      keys: keysOfText(text),
      match: (presented, context) => {
        if (!isText(presented)) return 'unknown';
        const glob = resolveText(text, context);
        return glob === undefined ? 'unknown' : matches(presented, glob, text);
      },
    });
  };
}

const equalText = textOperand(false, (value, glob, text) =>
  truthOf(text.literal === undefined ? matchesGlob(glob, value) : text.literal === value),
);
const likeText = textOperand(true, (value, glob) => truthOf(matchesGlob(glob, value)));

const equalTextIgnoringCase = textOperand(false, (value, glob) => {
  const wanted = String.fromCodePoint(...glob);
  if (asciiLower(wanted) === asciiLower(value)) return 'yes';
  // Beyond ASCII it depends on whose tables one asks (a Kelvin sign and a k): neither a yes nor a no may rest on it.
  const folded = [wanted, value].map((text) => text.toLowerCase().toUpperCase());
  return folded[0] === folded[1] ? 'unknown' : 'no';
});

/** An operator over values of one type: what cannot be read as that type is refused in a policy and unknown in a request. */
function typedOperand<T>(
  kind: string,
  parse: (value: JsonValue) => T | undefined,
  holds: (presented: T, wanted: T) => boolean,
): ReadOperand {
  return (value) => {
    const wanted = parse(value);
    if (wanted === undefined) return err(`wanted ${kind}`);
    const match = (presented: JsonValue): Truth => {
      const parsed = parse(presented);
      return parsed === undefined ? 'unknown' : truthOf(holds(parsed, wanted));
    };
    return ok({ source: String(value), keys: [], match });
  };
}

const numeric = (holds: (order: number) => boolean): ReadOperand =>
  typedOperand('a number', parseDecimal, (presented, wanted) => holds(compareDecimals(presented, wanted)));
const dated = (holds: (order: number) => boolean): ReadOperand =>
  typedOperand('a date such as 2026-11-23T00:00:00Z, or epoch seconds', parseMoment, (a, b) => holds(a - b));

const address: ReadOperand = (value) => {
  const range = isText(value) ? parseRange(value) : undefined;
  if (range === undefined) return err('wanted an IP address or a CIDR range');
  const match = (presented: JsonValue): Truth => {
    const parsed = isText(presented) ? parseAddress(presented) : undefined;
    return parsed === undefined ? 'unknown' : truthOf(isInRange(parsed, range));
  };
  return ok({ source: String(value), keys: [], match });
};

const COLON = ':'.charCodeAt(0);

/** ArnEquals and ArnLike alike: six parts, wildcards within a part only; the last part keeps its colons. */
const arn: ReadOperand = (value, rules) => {
  const parsed = isText(value) ? parseConditionText(value, { ...rules, wildcards: true }) : err('wanted an ARN');
  if (!parsed.ok) return parsed;
  // Cut before variables are filled in: a value with a colon must not move the parts.
  const parts = cutArn(parsed.value.symbols, COLON)?.map(conditionText);
  if (parts === undefined) return err('wanted an ARN: six parts with colons between them');
  const match = (presented: JsonValue, context: ConditionContext): Truth => {
    const given = isText(presented) && presented.startsWith('arn:') ? cutArn([...presented], ':') : undefined;
    if (given === undefined) return 'unknown';
    return everyTruth(parts.entries(), ([index, part]) => {
      const glob = resolveText(part, context);
      return glob === undefined ? 'unknown' : truthOf(matchesGlob(glob, (given[index] ?? []).join('')));
    });
  };
  return ok({ source: String(value), text: parsed.value, keys: keysOfText(parsed.value), match });
};

function cutArn<T>(symbols: readonly T[], colon: T): readonly (readonly T[])[] | undefined {
  const parts: T[][] = [[]];
  for (const symbol of symbols) {
    if (symbol === colon && parts.length < 6) parts.push([]);
    else parts.at(-1)?.push(symbol);
  }
  return parts.length === 6 ? parts : undefined;
}

const is = (read: ReadOperand): Comparison => ({ negated: false, read });
const isNot = (read: ReadOperand): Comparison => ({ negated: true, read });
const equalNumber = numeric((order) => order === 0);
const equalMoment = dated((order) => order === 0);

/** Every operator but Null, by its name without prefix and suffix. */
const COMPARISONS: ReadonlyMap<string, Comparison> = new Map([
  ['StringEquals', is(equalText)],
  ['StringNotEquals', isNot(equalText)],
  ['StringEqualsIgnoreCase', is(equalTextIgnoringCase)],
  ['StringNotEqualsIgnoreCase', isNot(equalTextIgnoringCase)],
  ['StringLike', is(likeText)],
  ['StringNotLike', isNot(likeText)],
  ['NumericEquals', is(equalNumber)],
  ['NumericNotEquals', isNot(equalNumber)],
  ['NumericLessThan', is(numeric((order) => order < 0))],
  ['NumericLessThanEquals', is(numeric((order) => order <= 0))],
  ['NumericGreaterThan', is(numeric((order) => order > 0))],
  ['NumericGreaterThanEquals', is(numeric((order) => order >= 0))],
  ['DateEquals', is(equalMoment)],
  ['DateNotEquals', isNot(equalMoment)],
  ['DateLessThan', is(dated((order) => order < 0))],
  ['DateLessThanEquals', is(dated((order) => order <= 0))],
  ['DateGreaterThan', is(dated((order) => order > 0))],
  ['DateGreaterThanEquals', is(dated((order) => order >= 0))],
  ['Bool', is(typedOperand('true or false', parseBool, (a, b) => a === b))],
  ['BinaryEquals', is(typedOperand('base64', parseBinary, (a, b) => a === b))],
  ['IpAddress', is(address)],
  ['NotIpAddress', isNot(address)],
  ['ArnEquals', is(arn)],
  ['ArnLike', is(arn)],
  ['ArnNotEquals', isNot(arn)],
  ['ArnNotLike', isNot(arn)],
]);

const OPERATOR = /^(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?$/;

/** Takes an operator's name apart, as it is spelt: case matters. The error carries the nearest name when one is near. */
export function parseOperator(name: string): Result<Operator, { readonly hint?: string }> {
  const [, prefix, base, suffix] = OPERATOR.exec(name) ?? [];
  const set = prefix === 'ForAnyValue' ? 'any' : prefix === 'ForAllValues' ? 'all' : null;
  const ifExists = suffix !== undefined;
  if (base === 'Null')
    return ifExists
      ? err({ hint: 'Null, which asks whether the key exists' })
      : ok({ name, set, ifExists, comparison: null });
  const comparison = COMPARISONS.get(base ?? '');
  if (comparison !== undefined) return ok({ name, set, ifExists, comparison });
  const nearest = nearestName(base ?? name, [...COMPARISONS.keys(), 'Null']);
  return err(nearest === undefined ? {} : { hint: name.replace(base ?? name, () => nearest) });
}
