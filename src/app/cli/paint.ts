// Colour for people: only on a terminal, and never the only carrier of meaning.

export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly strong: (text: string) => string;
}

const wrap =
  (code: number) =>
  (text: string): string =>
    `\u001b[${code}m${text}\u001b[0m`;
const plain = (text: string): string => text;

/** Paint for a stream; NO_COLOR (any value) switches it off. */
export function paintFor(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Paint {
  if (!isTerminal || (env.NO_COLOR ?? '') !== '') return { good: plain, bad: plain, faint: plain, strong: plain };
  return { good: wrap(32), bad: wrap(31), faint: wrap(2), strong: wrap(1) };
}

/** Text from tokens and files, safe to print: control and bidirectional characters are shown as escapes, long text is cut. */
export function printable(text: string, maxChars = 120): string {
  const escaped = text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return escaped.length > maxChars ? `${escaped.slice(0, maxChars)}…` : escaped;
}
