// Segment-safe patterns: `*` stays within a segment (not `:` or `/`), `**` crosses `/` but never `:`, `\*` is a star.

/** A compiled wanted value; `source` is what the policy says. */
export interface Pattern {
  readonly source: string;
  /** The literal it equals, or null when it has wildcards. */
  readonly literal: string | null;
  readonly tokens: readonly PatternToken[];
}

export type PatternToken = { readonly kind: 'literal'; readonly text: string } | { readonly kind: 'segment' | 'path' };
