// IAM patterns: `*` is any run, `?` any one character, `${claims.NAME}` and `${aws:PrincipalTag/KEY}` a value taken literally,
// `${*}` `${?}` `${$}` those characters themselves. Parsing, filling in and matching; which statement applies is authorize.ts's business.
import { ownMember } from '../../base/core/json.ts';
import { err, ok, type Result } from '../../base/core/result.ts';

/** Any run of characters, `/` and `:` included. */
export const STAR = -1;
/** Any one code point. */
export const ANY = -2;

/** What a value stands for: a claim of the session, or a session tag, its key in ASCII lower case. */
type Hole = { readonly claim: string } | { readonly tag: string };
/** One symbol of a pattern: a code point, STAR, ANY, or a value. */
type TemplateSymbol = number | Hole;
export type Template = readonly TemplateSymbol[];
/** A pattern without values. */
export type Glob = readonly number[];

// Flat names only: `claims.a.b` is the claim called `a.b`. Foreign CIs put URLs and slashes into names.
const CLAIM = /^claims\.([A-Za-z_][A-Za-z0-9_.:/-]{0,127})$/;

const TAG_PREFIX = 'aws:principaltag/';
// AWS STS: tagKeyType. No brace: it would end the variable.
const TAG_KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;

function holeOf(name: string): Hole | undefined {
  const claim = CLAIM.exec(name)?.[1];
  if (claim !== undefined) return { claim };
  const key = asciiLower(name);
  const tag = key.startsWith(TAG_PREFIX) ? key.slice(TAG_PREFIX.length) : '';
  return TAG_KEY.test(tag) ? { tag } : undefined;
}

/** Whether `${claims.NAME}` can name it. */
export const isClaimName = (name: string): boolean => CLAIM.test(`claims.${name}`);

const ESCAPED: ReadonlySet<string> = new Set(['*', '?', '$']);

/** Parses a pattern. The error says what is wrong with it, for the author. */
export function parseTemplate(text: string): Result<Template, string> {
  const symbols: TemplateSymbol[] = [];
  let at = 0;
  while (at < text.length) {
    const code = text.codePointAt(at) ?? 0;
    if (code === DOLLAR_CODE && text.charCodeAt(at + 1) === BRACE_CODE) {
      const end = text.indexOf('}', at);
      const name = end === -1 ? '' : text.slice(at + 2, end);
      const hole = holeOf(name);
      if (hole !== undefined) symbols.push(hole);
      else if (ESCAPED.has(name)) symbols.push(name.charCodeAt(0));
      else return err(WANTED);
      at = end + 1;
      continue;
    }
    at += code > 0xffff ? 2 : 1;
    if (code !== STAR_CODE) symbols.push(code === ANY_CODE ? ANY : code);
    // Several stars in a row mean no more than one.
    else if (symbols.at(-1) !== STAR) symbols.push(STAR);
  }
  return ok(symbols);
}

const WANTED = `wanted \${claims.NAME}, \${aws:PrincipalTag/KEY}, \${*}, \${?} or \${$} where a dollar and a brace stand`;
const DOLLAR_CODE = '$'.charCodeAt(0);
const BRACE_CODE = '{'.charCodeAt(0);
const STAR_CODE = '*'.charCodeAt(0);
const ANY_CODE = '?'.charCodeAt(0);

/** The template as a glob when no value is missing from it. */
export const asGlob = (template: Template): Glob | undefined =>
  template.every((symbol) => typeof symbol === 'number') ? template : undefined;

/** The claims that the template mentions. */
export const claimsIn = (template: Template): readonly string[] =>
  template.flatMap((symbol) => (typeof symbol === 'number' || 'tag' in symbol ? [] : [symbol.claim]));

/**
 * A claim that can be filled in: own, a string, whole characters, not empty (an empty one would make `web-${claims.x}*` mean
 * `web-*`). Undefined for any other.
 */
export function usableClaim(claims: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = ownMember(claims, name);
  return typeof value === 'string' && value !== '' && value.isWellFormed() ? value : undefined;
}

/** What is filled into templates. */
export interface TemplateValues {
  readonly claims: Readonly<Record<string, string>>;
  /** Absent: not known. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

function fillingOf(hole: Hole, { claims, tags = {} }: TemplateValues): string | undefined {
  if ('claim' in hole) return usableClaim(claims, hole.claim);
  // Keys of tags differ by more than case: a token with two that do not is refused.
  const key = Object.keys(tags).find((name) => asciiLower(name) === hole.tag);
  return key === undefined ? undefined : usableClaim(tags, key);
}

/** Puts the values in, each character as itself. Undefined when one is missing or empty. */
export function fillIn(template: Template, values: TemplateValues): Glob | undefined {
  const glob: number[] = [];
  for (const symbol of template) {
    if (typeof symbol === 'number') {
      glob.push(symbol);
      continue;
    }
    const value = fillingOf(symbol, values);
    if (value === undefined) return undefined;
    for (const character of value) glob.push(character.codePointAt(0) ?? 0);
  }
  return glob;
}

/**
 * Whether the glob matches the whole text. One pointer in each, and one place to go back to: after a mismatch the last star
 * takes one character more, so the cost is at most the product of the lengths.
 */
export function matchesGlob(glob: Glob, text: string): boolean {
  let at = 0;
  let symbolAt = 0;
  let starAt = -1;
  let resumeAt = 0;
  while (at < text.length) {
    const symbol = glob[symbolAt];
    const code = text.codePointAt(at) ?? 0;
    if (symbol === STAR) {
      starAt = symbolAt++;
      resumeAt = at;
    } else if (symbol === ANY || symbol === code) {
      symbolAt += 1;
      at += code > 0xffff ? 2 : 1;
    } else if (starAt >= 0) {
      symbolAt = starAt + 1;
      resumeAt += (text.codePointAt(resumeAt) ?? 0) > 0xffff ? 2 : 1;
      at = resumeAt;
    } else return false;
  }
  while (glob[symbolAt] === STAR) symbolAt += 1;
  return symbolAt === glob.length;
}

/**
 * Whether everything that `inner` can match, whatever its values are, `outer` matches too. Sound, not complete: a star of
 * `inner` and a value that is not known are taken in by a star of `outer` only, `?` by `?` or a star.
 */
export function covers(outer: Glob, inner: Template): boolean {
  let at = 0;
  let symbolAt = 0;
  let starAt = -1;
  let resumeAt = 0;
  while (at < inner.length) {
    const symbol = outer[symbolAt];
    const wanted = inner[at];
    if (symbol === STAR) {
      starAt = symbolAt++;
      resumeAt = at;
    } else if (symbol !== undefined && (symbol === wanted || (symbol === ANY && isOneCharacter(wanted)))) {
      symbolAt += 1;
      at += 1;
    } else if (starAt >= 0) {
      symbolAt = starAt + 1;
      at = ++resumeAt;
    } else return false;
  }
  while (outer[symbolAt] === STAR) symbolAt += 1;
  return symbolAt === outer.length;
}

const isOneCharacter = (symbol: TemplateSymbol | undefined): boolean => typeof symbol === 'number' && symbol !== STAR;

/** ASCII letters in lower case, nothing else touched: Unicode folding would make a Kelvin sign a k. */
export const asciiLower = (text: string): string =>
  /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text;
