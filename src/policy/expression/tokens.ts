// Looks over the text of an expression before it is parsed, so that a mistake is found where it was made. It bounds the
// nesting, because the parser behind it recurses. It accepts more than CEL; the parser decides.
import { err, ok, type Result } from '../../base/core/result.ts';

/** What is wrong with the text of an expression; `offset` counts UTF-16 units from 0. */
export interface ExpressionProblem {
  readonly problem: string;
  readonly offset: number;
}

/** Twice what CEL asks of an implementation (12, langdef "Syntax"), and far below where the parser's stack ends. */
const MAX_NESTING = 32;

/**
 * White space, comments, strings, bytes, names, numbers, then whatever one character is left. A comment ends where every
 * editor ends a line; what only some take for its end is refused, for it could hide a condition from its reader.
 */
const TOKEN = new RegExp(
  [
    String.raw`(?<space>(?:[\t\n\f ]|\r\n)+|//[^\n\r\x85\u2028\u2029]*)`,
    String.raw`(?<raw>(?:[rR][bB]?|[bB][rR])(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"(?!"")[^"\r\n]*"|'(?!'')[^'\r\n]*'))`,
    String.raw`(?<string>[bB]?(?:"""(?:[^\\]|\\[\s\S])*?"""|'''(?:[^\\]|\\[\s\S])*?'''|"(?!"")(?:[^"\\\r\n]|\\.)*"|'(?!'')(?:[^'\\\r\n]|\\.)*'))`,
    '(?<word>[A-Za-z_][A-Za-z0-9_]*)',
    String.raw`(?<number>(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)[uU]?)`,
    String.raw`(?<mark>&&|\|\||==|!=|<=|>=|[-+*/%!<>?:.,()[\]{}])`,
    String.raw`(?<stray>[\s\S])`,
  ].join('|'),
  'gy',
);

// Maps, because an object would answer for `constructor` too.
const CLOSES: ReadonlyMap<string, string> = new Map([
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
]);

interface Opened {
  readonly mark: string;
  readonly offset: number;
}

/** Where the scan stands: what is open, and whether a value must come next. */
interface Scan {
  readonly opened: Opened[];
  wantsValue: boolean;
  last: string;
}

/**
 * The text with every comment blanked out, or the first thing that is wrong. Time is linear in the text. The parser would
 * refuse most of the same texts, but at a place where no author would look for the mistake.
 */
export function scanTokens(source: string): Result<string, ExpressionProblem> {
  const scan: Scan = { opened: [], wantsValue: true, last: '' };
  let cleaned = '';
  for (const match of source.matchAll(TOKEN)) {
    const [token] = match;
    const { space, stray } = match.groups ?? {};
    const offset = match.index;
    cleaned += space?.startsWith('//') === true ? ' '.repeat(space.length) : token;
    if (space !== undefined) continue;
    if (stray !== undefined) return err({ problem: strayProblem(stray), offset });
    const order = orderProblem(scan, match);
    if (order !== undefined) return err({ problem: order, offset });
    const problem = nestingProblem(scan.opened, { mark: token, offset }) ?? escapeProblem(match);
    if (problem !== undefined) return err(problem);
    scan.last = token;
  }
  const open = scan.opened.at(-1);
  if (open !== undefined) return err({ problem: `this ${open.mark} is never closed`, offset: open.offset });
  return scan.wantsValue ? err({ problem: 'the expression ends too early', offset: source.length }) : ok(cleaned);
}

/** Values and operators must take turns. What may stand between brackets and commas is left to the parser. */
function orderProblem(scan: Scan, match: RegExpExecArray): string | undefined {
  const [token] = match;
  const { mark, word } = match.groups ?? {};
  if (scan.last === '.') {
    scan.wantsValue = false;
    return word === undefined ? `wanted a name after the dot, got ${token}` : undefined;
  }
  const isValue = mark === undefined && word !== 'in';
  const { wantsValue } = scan;
  if (isValue) {
    scan.wantsValue = false;
    return wantsValue ? undefined : `wanted an operator before ${token.slice(0, 40)}`;
  }
  if (CLOSING.has(token)) {
    scan.wantsValue = false;
    return undefined;
  }
  scan.wantsValue = token !== '.';
  if (!wantsValue) return token === '!' ? 'wanted an operator before !' : undefined;
  if (token === '.') return 'a name cannot begin with a dot here: write it without';
  return !CLOSES.has(token) && token !== '-' && token !== '!' ? `wanted a value before ${token}` : undefined;
}

const CLOSING: ReadonlySet<string> = new Set(CLOSES.values());

/** Keeps `opened` as the brackets that still wait for their end. */
function nestingProblem(opened: Opened[], token: Opened): ExpressionProblem | undefined {
  const { mark, offset } = token;
  if (CLOSES.has(mark)) {
    opened.push(token);
    return opened.length > MAX_NESTING ? { problem: `brackets nest deeper than ${MAX_NESTING}`, offset } : undefined;
  }
  if (!CLOSING.has(mark)) return undefined;
  const last = opened.pop();
  if (last === undefined) return { problem: `this ${mark} closes nothing`, offset };
  const wanted = CLOSES.get(last.mark);
  return wanted === mark ? undefined : { problem: `wanted ${wanted} to close the ${last.mark}, got ${mark}`, offset };
}

/** The escapes of CEL. The parser takes any other for its two characters, which the standard refuses. */
const ESCAPE =
  /\\(?:[abfnrtv\\?"'`]|[xX][0-9a-fA-F]{2}|[0-3][0-7]{2}|(?<code>u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})|(?<bad>[\s\S]))/g;

function escapeProblem(match: RegExpExecArray): ExpressionProblem | undefined {
  const { string } = match.groups ?? {};
  const isBytes = /^[bB]/.test(string ?? '');
  for (const found of (string ?? '').matchAll(ESCAPE)) {
    const { code, bad } = found.groups ?? {};
    const offset = match.index + found.index;
    if (bad !== undefined) return { problem: `there is no escape \\${bad}: write \\\\${bad}, or r"…"`, offset };
    if (isBytes && code !== undefined) return { problem: 'bytes have no escapes of code points', offset };
  }
  return undefined;
}

const STRAY_PROBLEMS: ReadonlyMap<string, string> = new Map([
  ['"', 'this string is never closed'],
  ["'", 'this string is never closed'],
  ['=', 'wanted == to compare'],
  ['&', 'wanted && for "and"'],
  ['|', 'wanted || for "or"'],
  ['`', 'fields in backquotes are not supported: use ["name"]'],
]);

const strayProblem = (stray: string): string => STRAY_PROBLEMS.get(stray) ?? 'CEL has no such character here';
