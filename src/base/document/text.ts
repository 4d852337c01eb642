// A document as text: what it must not hold, and where its lines begin.
import { MAX_POLICY_BYTES } from '../core/limits.ts';
import type { SyntaxProblem } from './source-node.ts';

/** How large a document may be unless its reader says otherwise. */
export const DEFAULT_MAX_BYTES = MAX_POLICY_BYTES;

// YAML 1.2.2 §5.1: printable characters, here without the byte order mark. U+FFFD is refused because it is what a decoder
// leaves of broken UTF-8; direction marks, because they let a reviewed file read otherwise than it parses (CVE-2021-42574);
// a lone carriage return, because editors and parsers disagree on whether it ends a line.
const UNWANTED =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\u202a-\u202e\u2066-\u2069\ufeff\ufffd-\uffff]|\r(?!\n)|\p{Surrogate}/u;

/** Refuses a text of more bytes in UTF-8. Cheap: it runs before any parser. */
export function findSizeProblem(text: string, maxBytes: number): SyntaxProblem | undefined {
  // No UTF-16 unit takes more than three bytes in UTF-8.
  const mayBeLarge = text.length * 3 > maxBytes;
  if (!mayBeLarge || (text.length <= maxBytes && new TextEncoder().encode(text).length <= maxBytes)) return undefined;
  return { offset: 0, path: [], message: `larger than ${maxBytes} bytes` };
}

/** The first character for which `text` is not a document at all. */
export function findUnwantedCharacter(text: string): SyntaxProblem | undefined {
  const unwanted = UNWANTED.exec(text);
  if (unwanted === null) return undefined;
  const code = (unwanted[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  const message =
    code === 'FEFF' && unwanted.index === 0
      ? 'begins with a byte order mark'
      : `holds a character that text must not hold (U+${code})`;
  return { offset: unwanted.index, path: [], message, hint: 'save the file as UTF-8 without a byte order mark' };
}

/** A place for people; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Turns offsets into lines and columns, by a search over the line starts. */
export function lineIndex(text: string): (offset: number) => Position {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
