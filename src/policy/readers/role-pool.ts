// Keeps one copy of each text and pattern while many roles are read, so that 100,000 of them stay small.
import type { Result } from '../../base/core/result.ts';
import { ceilingGlob } from '../ceiling.ts';
import type { Glob } from '../iam/template.ts';
import { compilePattern, type Pattern } from '../pattern.ts';

/** V8 copies shorter cuts of a text anyway (SlicedString::kMinLength). */
const LEAST_WINDOW_CHARS = 13;

/** Lives as long as one load of the policies; it grows with the different texts it sees. */
export class RolePool {
  readonly #texts = new Map<string, string>();
  readonly #patterns = new Map<string, Pattern>();
  readonly #globs = new Map<string, Glob | undefined>();

  /** The same text, always the same copy of it. */
  text(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    // A parser's longer texts are windows into the whole file; a copy lets go of the file.
    const copy = text.length < LEAST_WINDOW_CHARS ? text : Buffer.from(text).toString();
    this.#texts.set(copy, copy);
    return copy;
  }

  /** As `ceilingGlob`, with what was compiled kept. */
  readonly glob = (text: string): Glob | undefined => {
    if (!this.#globs.has(text)) this.#globs.set(text, ceilingGlob(text));
    return this.#globs.get(text);
  };

  /** As `compilePattern`, with equal patterns shared. */
  pattern(source: string): Result<Pattern, string> {
    const known = this.#patterns.get(source);
    if (known !== undefined) return { ok: true, value: known };
    const compiled = compilePattern(this.text(source));
    if (compiled.ok) this.#patterns.set(compiled.value.source, compiled.value);
    return compiled;
  }
}
