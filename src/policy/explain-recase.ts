// Spells a wanted text in the letter case of a presented one. For suggestions; nothing is decided by it.

/** Wildcards of every dialect; what stands between them is compared. */
const WILDCARDS = /(\*+|\?)/;

/**
 * `wanted` with its letters in the case that `presented` has where they match; undefined when they differ in more than case,
 * or not at all. Wildcards stay as they are.
 */
export function recased(wanted: string, presented: string): string | undefined {
  const parts = wanted.split(WILDCARDS);
  const last = parts.length - 1;
  const folded = presented.toLowerCase();
  // Some letters change their length with their case; offsets would then lie.
  if (folded.length !== presented.length) return undefined;
  let at = 0;
  const written: string[] = [];
  for (const [index, part] of parts.entries()) {
    if (index % 2 === 1 || part === '') {
      written.push(part);
      continue;
    }
    const text = part.toLowerCase();
    const found = index === last ? folded.length - text.length : folded.indexOf(text, at);
    const isPlaced = found >= at && folded.startsWith(text, found) && (index > 0 || found === 0);
    if (!isPlaced || (last === 0 && text.length !== folded.length)) return undefined;
    written.push(presented.slice(found, found + part.length));
    at = found + part.length;
  }
  const all = written.join('');
  return all === wanted ? undefined : all;
}

/**
 * The expression with the one place where `presented` stands in it in another letter case spelt as presented; undefined when
 * there is no such place, or several.
 */
export function recasedWithin(expression: string, presented: string): string | undefined {
  const folded = expression.toLowerCase();
  const text = presented.toLowerCase();
  if (text === '' || folded.length !== expression.length || text.length !== presented.length) return undefined;
  const at = folded.indexOf(text);
  if (at === -1 || folded.indexOf(text, at + 1) !== -1) return undefined;
  const write = expression.slice(0, at) + presented + expression.slice(at + text.length);
  return write === expression ? undefined : write;
}
