// Strict JSON (RFC 8259, I-JSON of RFC 7493): bytes to values, refusing whatever two parsers could read in two ways;
// and values to their one canonical text. It knows nothing of tokens or documents.
import { isUtf8 } from 'node:buffer';
import { JobpassError } from '../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { MAX_JSON_DEPTH } from '../core/limits.ts';
import { err, ok, type Result } from '../core/result.ts';

/** Why a text is not strict JSON, and where: `offset` counts bytes from 0. `problem` repeats nothing of the input. */
export interface JsonProblem {
  readonly problem: string;
  readonly offset: number;
}

export interface JsonOptions {
  /** Nested arrays and objects allowed, the outermost counted. MAX_JSON_DEPTH when absent. */
  readonly maxDepth?: number;
}

/** Where the reader stands. A reading function that returns undefined has said why in `problem`. */
interface Cursor {
  readonly text: string;
  readonly maxDepth: number;
  /** Matches a number exactly at its `lastIndex`. */
  readonly number: RegExp;
  at: number;
  problem: string;
}

/**
 * Parses one JSON value with nothing but white space around it. Refused although `JSON.parse` takes it: duplicate
 * names (also when spelt with escapes; RFC 7515 §4, RFC 7519 §4), nesting deeper than `maxDepth`, numbers beyond the
 * double range, lone surrogates, broken UTF-8, a byte order mark. Nothing is accepted that `JSON.parse` refuses.
 * Time is linear in the input; the caller bounds its size.
 */
export function parseJson(bytes: Uint8Array, options: JsonOptions = {}): Result<JsonValue, JsonProblem> {
  if (!isUtf8(bytes)) return err({ problem: 'the text is not UTF-8', offset: invalidUtf8Offset(bytes) });
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const maxDepth = options.maxDepth ?? MAX_JSON_DEPTH;
  const plain = parsePlain(text, maxDepth);
  if (plain !== undefined) return ok(plain);
  const cursor: Cursor = {
    text,
    maxDepth,
    number: /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y,
    at: 0,
    problem: '',
  };
  skipSpace(cursor);
  const value = readValue(cursor, 1);
  if (value !== undefined) {
    skipSpace(cursor);
    if (cursor.at === cursor.text.length) return ok(value);
    cursor.problem = 'something follows the value';
  }
  return err({ problem: cursor.problem, offset: Buffer.byteLength(cursor.text.slice(0, cursor.at)) });
}

/**
 * The value of a text as our own issuer and most others write it, in a fraction of the time; undefined when it must be looked at
 * closely. A text that `JSON.stringify` gives back has every name once, nothing between its parts and no number that was rounded; it
 * cannot be nested more deeply than it has brackets. What it gives back although it is refused here, a lone surrogate, is an escape.
 */
function parsePlain(text: string, maxDepth: number): JsonValue | undefined {
  if (text.includes('\\u') || !hasFewBrackets(text, maxDepth)) return undefined;
  try {
    const value: JsonValue = JSON.parse(text);
    return JSON.stringify(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether no more than `most` brackets are opened, in strings or not. */
function hasFewBrackets(text: string, most: number): boolean {
  let count = 0;
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      count += 1;
      if (count > most) return false;
    }
  }
  return true;
}

/** As `parseJson`, for a text that must be an object. */
export function parseJsonObject(bytes: Uint8Array, options: JsonOptions = {}): Result<JsonObject, JsonProblem> {
  const parsed = parseJson(bytes, options);
  if (!parsed.ok) return parsed;
  return isJsonObject(parsed.value) ? ok(parsed.value) : err({ problem: 'the value is not an object', offset: 0 });
}

/**
 * The canonical text of a value (RFC 8785): names sorted by UTF-16 code units, no white space. Equal values have equal
 * texts, so its digest names the content. Throws ERR_NOT_JSON for what JSON cannot carry.
 */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (isJsonObject(value)) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
  }
  const scalar: unknown = value;
  const isScalar = scalar === null || ['string', 'boolean'].includes(typeof scalar) || Number.isFinite(scalar);
  if (!isScalar) throw new JobpassError('ERR_NOT_JSON', `a ${typeof scalar} has no canonical JSON`);
  return JSON.stringify(scalar);
}

function fail(cursor: Cursor, problem: string): undefined {
  cursor.problem = problem;
  return undefined;
}

function skipSpace(cursor: Cursor): void {
  for (;;) {
    const code = cursor.text.charCodeAt(cursor.at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    cursor.at += 1;
  }
}

/** Takes `mark` and the white space around it, or leaves the cursor behind the white space. */
function take(cursor: Cursor, mark: string): boolean {
  skipSpace(cursor);
  if (cursor.text[cursor.at] !== mark) return false;
  cursor.at += 1;
  skipSpace(cursor);
  return true;
}

function readValue(cursor: Cursor, depth: number): JsonValue | undefined {
  const first = cursor.text[cursor.at];
  if (first === '"') return readString(cursor);
  if (first === '{' || first === '[') {
    if (depth > cursor.maxDepth) return fail(cursor, `nested deeper than ${cursor.maxDepth} levels`);
    return first === '{' ? readObject(cursor, depth) : readArray(cursor, depth);
  }
  if (first === 't') return readWord(cursor, 'true', true);
  if (first === 'f') return readWord(cursor, 'false', false);
  if (first === 'n') return readWord(cursor, 'null', null);
  return readNumber(cursor);
}

function readWord<T extends boolean | null>(cursor: Cursor, word: string, value: T): T | undefined {
  if (!cursor.text.startsWith(word, cursor.at)) return fail(cursor, 'a value was expected');
  cursor.at += word.length;
  return value;
}

function readNumber(cursor: Cursor): number | undefined {
  cursor.number.lastIndex = cursor.at;
  const text = cursor.number.exec(cursor.text)?.[0];
  if (text === undefined) return fail(cursor, 'a value was expected');
  const value = Number(text);
  if (!Number.isFinite(value)) return fail(cursor, 'a number beyond the range of a double');
  cursor.at += text.length;
  return value;
}

function readArray(cursor: Cursor, depth: number): JsonValue[] | undefined {
  const items: JsonValue[] = [];
  take(cursor, '[');
  if (take(cursor, ']')) return items;
  for (;;) {
    const item = readValue(cursor, depth + 1);
    if (item === undefined) return undefined;
    items.push(item);
    if (take(cursor, ',')) continue;
    return take(cursor, ']') ? items : fail(cursor, 'a comma or "]" was expected');
  }
}

function readObject(cursor: Cursor, depth: number): JsonObject | undefined {
  const members: Record<string, JsonValue> = {};
  take(cursor, '{');
  if (take(cursor, '}')) return members;
  for (;;) {
    if (cursor.text[cursor.at] !== '"') return fail(cursor, 'a name in double quotes was expected');
    const start = cursor.at;
    const name = readString(cursor);
    if (name === undefined) return undefined;
    if (Object.hasOwn(members, name)) {
      cursor.at = start;
      return fail(cursor, 'a name stands twice in one object');
    }
    if (!take(cursor, ':')) return fail(cursor, 'a colon was expected');
    const value = readValue(cursor, depth + 1);
    if (value === undefined) return undefined;
    setMember(members, name, value);
    if (take(cursor, ',')) continue;
    return take(cursor, '}') ? members : fail(cursor, 'a comma or "}" was expected');
  }
}

/** As `JSON.parse` does: a member called `__proto__` is a member, never the prototype. */
function setMember(members: Record<string, JsonValue>, name: string, value: JsonValue): void {
  if (name !== '__proto__') members[name] = value;
  else Object.defineProperty(members, name, { value, enumerable: true, configurable: true, writable: true });
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

function readString(cursor: Cursor): string | undefined {
  const { text } = cursor;
  let value = '';
  let plainFrom = cursor.at + 1;
  for (let at = plainFrom; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      value += text.slice(plainFrom, at);
      // Only escapes can make a lone surrogate here: the bytes were valid UTF-8.
      if (!value.isWellFormed()) return fail(cursor, 'a lone surrogate');
      cursor.at = at + 1;
      return value;
    }
    if (code < 0x20) return failAt(cursor, at, 'a control character inside a string');
    if (code !== 0x5c) continue;
    const escaped = readEscape(text, at + 1);
    if (escaped === undefined) return failAt(cursor, at, 'an unknown escape');
    value += text.slice(plainFrom, at) + escaped.char;
    at += escaped.length;
    plainFrom = at + 1;
  }
  return failAt(cursor, text.length, 'a string without an end');
}

function failAt(cursor: Cursor, at: number, problem: string): undefined {
  cursor.at = at;
  return fail(cursor, problem);
}

/** The escape whose first character after the backslash stands at `at`, and how many characters it has from there. */
function readEscape(text: string, at: number): { readonly char: string; readonly length: number } | undefined {
  const letter = text[at];
  if (letter === undefined) return undefined;
  if (letter === 'u') {
    const digits = text.slice(at + 1, at + 5);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) return undefined;
    return { char: String.fromCharCode(Number.parseInt(digits, 16)), length: 5 };
  }
  const char = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
  return char === undefined ? undefined : { char, length: 1 };
}

/** Byte offset of the first sequence that is not UTF-8: the first replacement that was not in the input. */
function invalidUtf8Offset(bytes: Uint8Array): number {
  const lossy = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  let offset = 0;
  for (const char of lossy) {
    if (char === '\ufffd' && !(bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd)) {
      return offset;
    }
    offset += Buffer.byteLength(char);
  }
  return offset;
}
