// Percent escapes by AWS's UriEncode rule: unreserved characters (RFC 3986 §2.3) as they are, every other byte as %XY.
// It knows bytes only; whether they are UTF-8 is for those who read names out of them.

/**
 * What may be recoded: printable ASCII, and whole escapes in upper case. A lower-case escape is legal (RFC 3986 §2.1) but
 * would be a second spelling with the same signature; no AWS client sends one.
 */
const WELL_FORMED = /^(?:[\x20-\x24\x26-\x7e]|%[0-9A-F]{2})*$/;
const PRINTABLE = /^[\x20-\x7e]*$/;
const PLAIN = /^[A-Za-z0-9\-._~]*$/;
const ESCAPE_OR_RESERVED = /%[0-9A-F]{2}|[^A-Za-z0-9\-._~]/g;
const RESERVED = /[^A-Za-z0-9\-._~]/g;

const escapeOf = (code: number): string => `%${code.toString(16).toUpperCase().padStart(2, '0')}`;

/** By byte: how UriEncode spells it. */
const SPELLING: readonly string[] = Array.from({ length: 256 }, (_, code) => {
  const character = String.fromCharCode(code);
  return PLAIN.test(character) ? character : escapeOf(code);
});
const spell = (code: number): string => SPELLING[code] ?? '';

/**
 * The canonical spelling of what `text` stands for: every byte in its one form. "+" is a plus, never a space (S3's rule
 * that a space is "%20" and not "+"; RFC 3986 knows no other reading). Undefined when `text` is not well-formed: a "%"
 * without two upper-case hexadecimal digits, or a character outside printable ASCII.
 */
export function recode(text: string): string | undefined {
  if (PLAIN.test(text)) return text;
  if (!WELL_FORMED.test(text)) return undefined;
  return text.replace(ESCAPE_OR_RESERVED, (found) =>
    spell(found.length === 3 ? Number.parseInt(found.slice(1), 16) : found.charCodeAt(0)),
  );
}

/** `text` encoded once, its "%" included. Undefined when it has a character outside printable ASCII. */
export function encode(text: string): string | undefined {
  if (PLAIN.test(text)) return text;
  if (!PRINTABLE.test(text)) return undefined;
  return text.replace(RESERVED, (found) => spell(found.charCodeAt(0)));
}

/** The UTF-8 text that a canonical spelling stands for; undefined when its bytes are not UTF-8. */
export function decode(canonical: string): string | undefined {
  if (!canonical.includes('%')) return canonical;
  try {
    return decodeURIComponent(canonical);
  } catch {
    return undefined;
  }
}
