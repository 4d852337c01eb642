// Keeps one copy of each text and pattern while many roles are read, so that 100,000 of them stay small.
import type { Result } from '../../base/core/result.ts';
import { type CompiledCeiling, compileCeiling } from '../ceiling.ts';
import { compilePattern, type Pattern } from '../pattern.ts';
import type { Ceiling } from '../role.ts';

/** V8 copies shorter cuts of a text anyway (SlicedString::kMinLength). */
const LEAST_WINDOW_CHARS = 13;

/** The text by itself. A parser's longer texts are windows into the whole file; a copy lets go of the file. */
export const detached = (text: string): string =>
  text.length < LEAST_WINDOW_CHARS ? text : Buffer.from(text).toString();

/** Lives as long as one load of the policies; it grows with the different texts it sees. */
export class RolePool {
  readonly #texts = new Map<string, string>();
  readonly #patterns = new Map<string, Pattern>();
  readonly #ceilings = new Map<Ceiling, CompiledCeiling>();

  /** The same text, always the same copy of it. */
  text(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const copy = detached(text);
    this.#texts.set(copy, copy);
    return copy;
  }

  /** As `compileCeiling`, once for each. */
  ceiling(source: Ceiling): CompiledCeiling {
    const known = this.#ceilings.get(source) ?? compileCeiling(source);
    this.#ceilings.set(source, known);
    return known;
  }

  /** As `compilePattern`, with equal patterns shared. */
  pattern(source: string): Result<Pattern, string> {
    const known = this.#patterns.get(source);
    if (known !== undefined) return { ok: true, value: known };
    const compiled = compilePattern(detached(source));
    if (compiled.ok) this.#patterns.set(compiled.value.source, compiled.value);
    return compiled;
  }
}
