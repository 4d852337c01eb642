// `matches()`: regular expressions in RE2's dialect, in time linear in the text, and charged for. No native RegExp sees a
// pattern or a text of an author or a token.
import { RE2JS } from 're2js';
import { err, ok, type Result } from '../../base/core/result.ts';
import { charge, type Meter } from './cost.ts';
import { fault, type Value } from './value.ts';

/** A compiled pattern. `spent` is the work since its caches were dropped. */
export interface Pattern {
  readonly regex: RE2JS;
  /** Instructions: the work for one character, at worst. */
  readonly size: number;
  spent: number;
}

/** An evaluation as far as patterns are concerned. */
export interface PatternRun extends Meter {
  /** Patterns that came out of the evaluation itself, compiled already. */
  readonly patterns: Map<string, Pattern>;
}

/** A pattern that a person can read. It bounds the time to compile it as well. */
const MAX_PATTERN_CHARS = 512;
/** A class such as `\pL` takes 70 µs to compile. */
const MAX_UNICODE_CLASSES = 8;
/** `(a{1,30}){1,30}` is short to write and long to run. */
const MAX_PATTERN_SIZE = 1000;

/** Compiles a pattern, or says why not. Counted repetition beyond 1000 is refused by RE2 itself. */
export function compilePattern(source: string): Result<Pattern, string> {
  if (source.length > MAX_PATTERN_CHARS) return err(`the pattern is longer than ${MAX_PATTERN_CHARS} characters`);
  if (source.split(/\\[pP]/).length - 1 > MAX_UNICODE_CLASSES) {
    return err(`the pattern has more than ${MAX_UNICODE_CLASSES} Unicode classes`);
  }
  let regex: RE2JS;
  try {
    regex = RE2JS.compile(source);
  } catch (error) {
    // The library throws for every pattern it refuses, also for features that RE2 leaves out, as backreferences.
    return err(`the pattern is no RE2 pattern: ${(error instanceof Error ? error.message : '').slice(0, 120)}`);
  }
  const size = regex.programSize();
  return size > MAX_PATTERN_SIZE ? err('the pattern is too complex') : ok({ regex, size, spent: 0 });
}

/** Units for one instruction at one character: an NFA step takes about 100 ns at worst. */
const STEP_COST = 4;
/** Work after which the caches of a pattern are dropped: they grow with what they see, up to 8 MB each. */
const CACHE_WORK = 200_000;

/** Whether the pattern is found anywhere in the text. */
export function isFound(run: Meter, pattern: Pattern, text: string): boolean {
  const work = pattern.size * (text.length + 1);
  charge(run, work * STEP_COST);
  pattern.spent += work;
  if (pattern.spent > CACHE_WORK) {
    pattern.regex.reset();
    pattern.spent = work;
  }
  return pattern.regex.test(text);
}

/** Compiling takes up to some milliseconds; a pattern of a policy is compiled when it is loaded instead. */
const COMPILE_COST = 150_000;

/** `matches()` with a pattern that the expression computes. */
export function isFoundDynamic(run: PatternRun, text: string, source: string): Value {
  let pattern = run.patterns.get(source);
  if (pattern === undefined) {
    charge(run, COMPILE_COST);
    const compiled = compilePattern(source);
    // Its own message would repeat the pattern, and with it claims.
    if (!compiled.ok) return fault('the pattern is no pattern of RE2');
    pattern = compiled.value;
    run.patterns.set(source, pattern);
  }
  return isFound(run, pattern, text);
}
