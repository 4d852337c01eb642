// Texts of IAM conditions: policy variables `${key}` and `${key, 'default'}`, escapes `${*}` `${?}` `${$}`, wildcards. A
// variable's value is always taken literally. Which operators allow what is operators.ts's business.
import type { JsonValue } from '../../base/core/json.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { ConditionContext } from './context.ts';
import { ANY, asciiLower, type Glob, STAR } from './template.ts';

/** A policy variable; `key` in lower case. */
interface Variable {
  readonly key: string;
  readonly fallback: string | undefined;
}

/** A wanted text, parsed once. */
export interface ConditionText {
  readonly symbols: readonly (number | Variable)[];
  /** There when it has no variables. */
  readonly glob: Glob | undefined;
  /** There when it has neither variables nor wildcards: plain equality decides. */
  readonly literal: string | undefined;
}

export interface TextRules {
  /** `*` and `?` are wildcards: the Like operators. */
  readonly wildcards: boolean;
  /** `${…}` is a variable or an escape: Version 2012-10-17. Before it, a dollar and a brace are themselves. */
  readonly variables: boolean;
  /** What is wrong with a key that is named, for the author. */
  readonly keyProblem?: ((key: string) => string | undefined) | undefined;
}

// No spaces but the one after the comma, and no quotes or braces inside: what AWS's own validation asks for.
const VARIABLE = /^([^\s,'"{}$*?]+)(?:, ?'([^'{}]*)')?$/;
const ESCAPED: ReadonlySet<string> = new Set(['*', '?', '$']);
const WILDCARDS: ReadonlyMap<number, number> = new Map([
  ['*'.charCodeAt(0), STAR],
  ['?'.charCodeAt(0), ANY],
]);
/** Longer than any claim of a token (16 KiB); a text that names one variable many times must not grow without bound. */
const MAX_RESOLVED_CHARS = 16_384;

/** Parses a wanted text. The error says what is wrong with it, for the author. */
export function parseConditionText(text: string, rules: TextRules): Result<ConditionText, string> {
  const symbols: (number | Variable)[] = [];
  let at = 0;
  while (at < text.length) {
    if (rules.variables && text.startsWith('${', at)) {
      const end = text.indexOf('}', at);
      const symbol = parseVariable(end === -1 ? '' : text.slice(at + 2, end), rules);
      if (!symbol.ok) return symbol;
      symbols.push(symbol.value);
      at = end + 1;
      continue;
    }
    const code = text.codePointAt(at) ?? 0;
    at += code > 0xffff ? 2 : 1;
    const symbol = rules.wildcards ? (WILDCARDS.get(code) ?? code) : code;
    // Several stars in a row mean no more than one.
    if (symbol !== STAR || symbols.at(-1) !== STAR) symbols.push(symbol);
  }
  return ok(conditionText(symbols));
}

/** What stands between `${` and `}`. */
function parseVariable(inner: string, rules: TextRules): Result<number | Variable, string> {
  if (ESCAPED.has(inner)) return ok(inner.charCodeAt(0));
  const match = VARIABLE.exec(inner);
  const name = match?.[1];
  if (name === undefined)
    return err(`wanted \${key}, \${key, 'default'}, \${*}, \${?} or \${$} after a dollar and a brace`);
  const problem = rules.keyProblem?.(name);
  return problem === undefined ? ok({ key: asciiLower(name), fallback: match?.[2] }) : err(problem);
}

/** A text from its symbols, for parts of a parsed one. */
export function conditionText(symbols: readonly (number | Variable)[]): ConditionText {
  const glob = symbols.every((symbol) => typeof symbol === 'number') ? symbols : undefined;
  return { symbols, glob, literal: glob?.every((code) => code >= 0) ? String.fromCodePoint(...glob) : undefined };
}

/** The keys, in lower case, that the text's variables name. */
export const keysOfText = (text: ConditionText): readonly string[] =>
  text.symbols.flatMap((symbol) => (typeof symbol === 'number' ? [] : [symbol.key]));

/** The text with its variables filled in; undefined when one has no value and no default, or when it gets too long. */
export function resolveText(text: ConditionText, context: ConditionContext): Glob | undefined {
  if (text.glob !== undefined) return text.glob;
  const glob: number[] = [];
  for (const symbol of text.symbols) {
    if (typeof symbol === 'number') {
      glob.push(symbol);
      continue;
    }
    const value = variableValue(symbol, context);
    if (value === undefined) return undefined;
    if (glob.length + value.length > MAX_RESOLVED_CHARS) return undefined;
    for (const character of value) glob.push(character.codePointAt(0) ?? 0);
  }
  return glob;
}

function variableValue(variable: Variable, context: ConditionContext): string | undefined {
  if (context.whyUnknown?.(variable.key) !== undefined) return undefined;
  const value = context.values.get(variable.key);
  const isMissing = value === undefined || value === null || (Array.isArray(value) && value.length === 0);
  if (isMissing) return variable.fallback;
  // AWS: multi-valued keys are no variables.
  return scalarText(Array.isArray(value) && value.length === 1 ? value[0] : value);
}

/** An empty value is none: it would turn `web-${x}*` into `web-*`. */
function scalarText(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value !== '' && value.isWellFormed() ? value : undefined;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  return typeof value === 'boolean' ? String(value) : undefined;
}
