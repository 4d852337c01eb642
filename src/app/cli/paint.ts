// Colour for people: only on a terminal, and never the only carrier of meaning.
import { printableUpTo } from '../../base/core/printable.ts';

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

/** As in the base; a line of a terminal has room for more than a table of problems. */
export const printable = (text: string, maxChars = 120): string => printableUpTo(text, maxChars);
