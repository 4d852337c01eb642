// Tokens as people and files hand them over. It parses nothing.

const isWhiteSpace = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0a) || code === 0x0d;

/**
 * `token` without the spaces, tabs and line ends that files and shells leave behind it. Time is linear whatever it holds: an
 * expression that is not anchored at its beginning tries each of 100,000 spaces as the first one of the end.
 */
export function withoutTrailingSpace(token: string): string {
  let end = token.length;
  while (end > 0 && isWhiteSpace(token.charCodeAt(end - 1))) end -= 1;
  return token.slice(0, end);
}
