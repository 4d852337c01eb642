// How far the words of plain YAML reach: from an offset to the offset behind, or -1 where none stands. Looks at each character
// once. Precondition everywhere: the text is printable ASCII and line feeds. What the words mean is yaml-plain.ts's business.

const KEY_START = 1;
const KEY_PART = 2;
const TEXT_START = 4;
const FLOW_PART = 8;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';

/** What each character may be, as the sum of the numbers above. */
const KINDS = new Uint8Array(128);
for (const [kind, characters] of [
  [KEY_START, `${LETTERS}_`],
  [KEY_PART, `${LETTERS}${DIGITS}_./-`],
  [TEXT_START, `${LETTERS}_/$`],
  [FLOW_PART, `${LETTERS}${DIGITS}_/$.@+*-`],
] as const) {
  for (let at = 0; at < characters.length; at += 1) {
    const code = characters.charCodeAt(at);
    KINDS[code] = (KINDS[code] ?? 0) | kind;
  }
}

const codeOf = (character: string): number => character.charCodeAt(0);
const SPACE = codeOf(' ');
const LINE_FEED = codeOf('\n');
const HASH = codeOf('#');
const COLON = codeOf(':');
const BACKSLASH = codeOf('\\');
const DOUBLE_QUOTE = codeOf('"');
const SINGLE_QUOTE = codeOf("'");

const is = (kind: number, text: string, at: number): boolean =>
  at < text.length && ((KINDS[text.charCodeAt(at)] ?? 0) & kind) !== 0;

/** Whether a line or the text ends here, or a space stands here. */
const isGap = (text: string, at: number): boolean => {
  if (at >= text.length) return true;
  const code = text.charCodeAt(at);
  return code === SPACE || code === LINE_FEED;
};

export function endOfSpaces(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) === SPACE) at += 1;
  return at;
}

/** A key without quotes; its colon, and what must follow that, come behind. */
export function endOfKey(text: string, start: number): number {
  if (!is(KEY_START, text, start)) return -1;
  let at = start + 1;
  while (is(KEY_PART, text, at)) at += 1;
  return at;
}

/** Whether the colon behind a key stands here. */
export const isKeyColon = (text: string, at: number): boolean =>
  at < text.length && text.charCodeAt(at) === COLON && isGap(text, at + 1);

/** A text in quotes of either kind, on one line and without escapes. */
export function endOfQuoted(text: string, start: number): number {
  const quote = text.charCodeAt(start);
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) return quote === SINGLE_QUOTE && text.charCodeAt(at + 1) === SINGLE_QUOTE ? -1 : at + 1;
    if (code === LINE_FEED || (code === BACKSLASH && quote === DOUBLE_QUOTE)) return -1;
  }
  return -1;
}

/** A text in a block: to the end of the line, without `: `, ` #`, spaces at its end and a colon at its end. */
export function endOfBlockText(text: string, start: number): number {
  if (!is(TEXT_START, text, start)) return -1;
  let end = start + 1;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    if (code === LINE_FEED || (code === COLON && isGap(text, end + 1))) return end;
    if (code !== SPACE) end += 1;
    else {
      const next = endOfSpaces(text, end);
      if (next === text.length || text.charCodeAt(next) === LINE_FEED || text.charCodeAt(next) === HASH) return end;
      end = next;
    }
  }
  return end;
}

/** A text in brackets: words that hold none of their signs. */
export function endOfFlowText(text: string, start: number): number {
  if (!is(TEXT_START, text, start)) return -1;
  let at = start + 1;
  for (;;) {
    const isColon = at < text.length && text.charCodeAt(at) === COLON;
    if (isColon ? !is(FLOW_PART, text, at + 1) && text.charCodeAt(at + 1) !== COLON : !is(FLOW_PART, text, at))
      return at;
    at += 1;
  }
}

const endOfLine = (text: string, at: number): number => {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
};

/** The rest of a line that holds nothing more than spaces and a comment; behind its line feed. */
export function endOfLineRest(text: string, start: number): number {
  let at = endOfSpaces(text, start);
  if (at > start && text.charCodeAt(at) === HASH) at = endOfLine(text, at);
  if (at === text.length) return at;
  return text.charCodeAt(at) === LINE_FEED ? at + 1 : -1;
}

/** From the start of a line over empty lines and comments: the start of the next line that holds more, or the end of the text. */
export function nextContentLine(text: string, start: number): number {
  let line = start;
  for (;;) {
    let at = endOfSpaces(text, line);
    if (at < text.length && text.charCodeAt(at) === HASH) at = endOfLine(text, at);
    if (at === text.length) return at;
    if (text.charCodeAt(at) !== LINE_FEED) return line;
    line = at + 1;
  }
}
