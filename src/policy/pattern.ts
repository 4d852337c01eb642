// Segment-safe patterns: `*` stays within a segment (not `:` or `/`), `**` crosses `/` but never `:`, `\*` is a star.
// No regular expressions: a pattern is matched in time proportional to its length times the value's, whatever they hold.
import { err, ok, type Result } from '../base/core/result.ts';

/** A compiled wanted value; `source` is what the policy says. */
export interface Pattern {
  readonly source: string;
  /** The literal it equals, or null when it has wildcards. */
  readonly literal: string | null;
  /** Empty when it is a literal. */
  readonly tokens: readonly PatternToken[];
}

type PatternToken = { readonly kind: 'literal'; readonly text: string } | { readonly kind: 'segment' | 'path' };

/** Longer than any subject (255) or reference; it bounds the cost of a match. */
const MAX_PATTERN_CHARS = 1024;

/** Longer claims match no wildcard: whatever a token says, a role with 1,000 patterns is decided on in well under a second. */
export const MAX_MATCHED_CHARS = 2048;
const SEGMENT: PatternToken = { kind: 'segment' };
const PATH: PatternToken = { kind: 'path' };
const NO_TOKENS: readonly PatternToken[] = [];

/** Compiles a wanted value. The error says what is wrong with it, for the author. */
export function compilePattern(source: string): Result<Pattern, string> {
  if (source === '') return err('wanted text that is not empty');
  if (source.length > MAX_PATTERN_CHARS) return err(`wanted at most ${MAX_PATTERN_CHARS} characters`);
  if (!SIGN.test(source)) return ok({ source, literal: source, tokens: NO_TOKENS });
  return compileTokens(source);
}

/** What makes a pattern more than its own text. */
const SIGN = /[*\\]/;

function compileTokens(source: string): Result<Pattern, string> {
  const tokens: PatternToken[] = [];
  let literal = '';
  const closeLiteral = (): void => {
    if (literal !== '') tokens.push({ kind: 'literal', text: literal });
    literal = '';
  };
  for (const [piece] of source.matchAll(PIECE)) {
    if (piece.length > 2 && piece.startsWith('**')) return err('wanted at most two stars in a row');
    if (piece === '\\*' || piece === '\\\\') literal += piece.slice(1);
    else if (piece.startsWith('\\')) return err('wanted \\* or \\\\ after a backslash');
    else if (piece.startsWith('*')) {
      closeLiteral();
      tokens.push(piece === '**' ? PATH : SEGMENT);
    } else literal += piece;
  }
  if (tokens.length === 0) return ok({ source, literal: literal === source ? source : literal, tokens: NO_TOKENS });
  closeLiteral();
  return ok({ source, literal: null, tokens });
}

/** Cuts a pattern into stars, escapes and plain text; each character is looked at once. */
const PIECE = /\*+|\\.?|[^*\\]+/gs;

/** Whether the pattern matches the whole value, byte for byte: no case folding, no normalisation. */
export function matchesPattern(pattern: Pattern, value: string): boolean {
  if (pattern.literal !== null) return pattern.literal === value;
  if (value.length > MAX_MATCHED_CHARS) return false;
  const [first, second, third] = pattern.tokens;
  const prefix = first?.kind === 'literal' ? first.text : '';
  if (!value.startsWith(prefix)) return false;
  // `release-*` and `refs/heads/**/x` alike: one wildcard between two literals, either of which may be absent.
  const wildcard = first?.kind === 'literal' ? second : first;
  const last = first?.kind === 'literal' ? third : second;
  const hasOneWildcard = pattern.tokens.length === (prefix === '' ? 1 : 2) + (last === undefined ? 0 : 1);
  if (!hasOneWildcard || wildcard === undefined || (last !== undefined && last.kind !== 'literal')) {
    return matchesTokens(pattern.tokens, value);
  }
  const end = value.length - (last?.text.length ?? 0);
  return end >= prefix.length && value.endsWith(last?.text ?? '') && isRun(wildcard.kind, value, prefix.length, end);
}

const SLASH = '/'.charCodeAt(0);
const COLON = ':'.charCodeAt(0);

const mayStandFor = (kind: PatternToken['kind'], code: number): boolean =>
  code !== COLON && (kind === 'path' || code !== SLASH);

function isRun(kind: PatternToken['kind'], value: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (!mayStandFor(kind, value.charCodeAt(at))) return false;
  return true;
}

/** Follows every way to match at once: after each token, the set of offsets up to which the value is accounted for. */
function matchesTokens(tokens: readonly PatternToken[], value: string): boolean {
  let reached = new Uint8Array(value.length + 1);
  reached[0] = 1;
  for (const token of tokens)
    reached = token.kind === 'literal' ? shift(reached, token.text, value) : spread(reached, token.kind, value);
  return reached[value.length] === 1;
}

function shift(reached: Uint8Array<ArrayBuffer>, text: string, value: string): Uint8Array<ArrayBuffer> {
  const next = new Uint8Array(reached.length);
  for (let at = reached.indexOf(1); at !== -1; at = reached.indexOf(1, at + 1)) {
    if (value.startsWith(text, at)) next[at + text.length] = 1;
  }
  return next;
}

function spread(reached: Uint8Array<ArrayBuffer>, kind: PatternToken['kind'], value: string): Uint8Array<ArrayBuffer> {
  for (let at = 1; at < reached.length; at++) {
    if (reached[at - 1] === 1 && mayStandFor(kind, value.charCodeAt(at - 1))) reached[at] = 1;
  }
  return reached;
}

/** True when nothing but wildcards and separators stands in it: it names nobody. */
export const isWildcardOnly = (pattern: Pattern): boolean =>
  pattern.literal === null && pattern.tokens.every((token) => token.kind !== 'literal' || /^[:/]*$/.test(token.text));

/** How many wildcards it has: what a match costs grows with them. */
export const countWildcards = (pattern: Pattern): number =>
  pattern.tokens.reduce((count, token) => count + (token.kind === 'literal' ? 0 : 1), 0);

/** What every matching value begins with. */
export function patternPrefix(pattern: Pattern): string {
  const first = pattern.tokens[0];
  return pattern.literal ?? (first?.kind === 'literal' ? first.text : '');
}

/** Whether only letter case keeps the pattern from matching. For explanations; it never decides. */
export function matchesButForCase(pattern: Pattern, value: string): boolean {
  const tokens = pattern.tokens.map((token) =>
    token.kind === 'literal' ? { kind: token.kind, text: token.text.toLowerCase() } : token,
  );
  const folded = { source: pattern.source, literal: pattern.literal?.toLowerCase() ?? null, tokens };
  return matchesPattern(folded, value.toLowerCase());
}
