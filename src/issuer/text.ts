// What a fact of a job may look like. Nothing is trimmed or repaired: a value that could be read in two ways is
// refused.

/** OIDC Core §2 gives `sub` 255 characters; no part of it needs more. */
export const MAX_FACT_CHARS = 255;

/** Controls, and the separators that other programs take for the end of a line. */
const BREAKS_LINES = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** Why `value` cannot be a fact; undefined when it can. The text never repeats the value. */
export function textProblem(value: string): string | undefined {
  if (value === '') return 'must not be empty';
  if (value.length > MAX_FACT_CHARS) return `has more than ${MAX_FACT_CHARS} characters`;
  if (!value.isWellFormed()) return 'holds half a surrogate pair';
  if (BREAKS_LINES.test(value)) return 'holds a control character or line separator';
  if (value.trim() !== value) return 'begins or ends with white space';
  return undefined;
}

/** Why `value` cannot be an audience of this issuer's tokens; undefined when it can. */
export function audienceProblem(value: string, issuerUrl: string): string | undefined {
  const problem = textProblem(value);
  if (problem !== undefined) return problem;
  if (/^[*?]+$/.test(value)) return 'is only a wildcard; an audience is one relying party';
  // Whoever accepts its own issuer's name as audience could be given a token meant for the issuer itself.
  if (value.replace(/\/+$/, '') === issuerUrl) return 'is the issuer itself';
  return undefined;
}
