// Keeps one copy of each text and pattern while many roles are read, so that 100,000 of them stay small.
import { ok, type Result } from '../../base/core/result.ts';
import { type CompiledCeiling, compileCeiling } from '../ceiling.ts';
import { parseAction, parseResource } from '../iam/statements.ts';
import type { Template } from '../iam/template.ts';
import { compilePattern, type Pattern } from '../pattern.ts';
import type { Ceiling } from '../role.ts';

/** V8 copies shorter cuts of a text anyway (SlicedString::kMinLength). */
const LEAST_WINDOW_CHARS = 13;

/** The text by itself. A parser's longer texts are windows into the whole file; a copy lets go of the file. */
export const detached = (text: string): string =>
  text.length < LEAST_WINDOW_CHARS ? text : Buffer.from(text).toString();

/**
 * Lives as long as one load of the policies; it grows with the different texts it sees. Most lists of a role have one entry:
 * these are kept as lists, and shared too.
 */
export class RolePool {
  readonly #texts = new Map<string, readonly [string]>();
  readonly #patterns = new Map<string, readonly [Pattern]>();
  readonly #actions = new Map<string, Result<Template, string>>();
  readonly #resources = new Map<string, Result<Template, string>>();
  readonly #ceilings = new Map<Ceiling, CompiledCeiling>();

  /** The same text, always the same copy of it. */
  text(text: string): string {
    return this.#alone(text)[0];
  }

  texts(texts: readonly string[]): readonly string[] {
    const [first] = texts;
    return texts.length === 1 && first !== undefined ? this.#alone(first) : texts.map((text) => this.text(text));
  }

  #alone(text: string): readonly [string] {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const copy = detached(text);
    const alone = [copy] as const;
    this.#texts.set(copy, alone);
    return alone;
  }

  /** As `compileCeiling`, once for each. */
  ceiling(source: Ceiling): CompiledCeiling {
    const known = this.#ceilings.get(source) ?? compileCeiling(source);
    this.#ceilings.set(source, known);
    return known;
  }

  /** As `compilePattern`, with equal patterns shared. */
  pattern(source: string): Result<readonly [Pattern], string> {
    const known = this.#patterns.get(source);
    if (known !== undefined) return ok(known);
    const compiled = compilePattern(detached(source));
    if (!compiled.ok) return compiled;
    const alone = [compiled.value] as const;
    this.#patterns.set(compiled.value.source, alone);
    return ok(alone);
  }

  /** As `parseAction`, once for each. */
  readonly action = (text: string): Result<Template, string> => remembered(this.#actions, text, parseAction);

  /** As `parseResource`, once for each. */
  readonly resource = (text: string): Result<Template, string> => remembered(this.#resources, text, parseResource);
}

function remembered<T>(known: Map<string, T>, text: string, make: (text: string) => T): T {
  const found = known.get(text);
  if (found !== undefined) return found;
  const made = make(text);
  known.set(detached(text), made);
  return made;
}
