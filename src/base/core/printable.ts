// Foreign texts made safe to show. Secrets and tokens are not shown at all: that is the caller's business.

/** What a terminal obeys or hides: controls, marks of direction and width, line separators, halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** `text` for a table of problems: at most 60 characters. */
export const printable = (text: string): string => printableUpTo(text, 60);

/** `text` on one line for a terminal or a log: cut at `maxChars`, what a terminal obeys or hides shown as `\u{1b}`. */
export function printableUpTo(text: string, maxChars: number): string {
  const cut = text.length > maxChars ? `${text.slice(0, maxChars - 1).toWellFormed()}…` : text;
  return cut.replace(UNPRINTABLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
