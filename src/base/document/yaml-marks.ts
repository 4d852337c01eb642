// Refuses, from the lexemes alone, what a reviewed file must not use. It runs before the YAML composer, so that nothing
// hostile (alias bombs, 30,000 open brackets) reaches it.
import { CST, Lexer } from 'yaml';
import { MAX_JSON_DEPTH } from '../core/limits.ts';
import type { SyntaxProblem } from './source-node.ts';

const FORBIDDEN: Readonly<Record<string, { message: string; hint: string }>> = {
  anchor: { message: 'anchors are refused', hint: 'write the value out; quote a text that begins with &' },
  alias: { message: 'aliases are refused', hint: 'write the value out; quote a text that begins with *' },
  tag: { message: 'tags are refused', hint: 'quote a text that begins with !' },
  'directive-line': { message: 'directives are refused', hint: 'this is read as YAML 1.2' },
};

const BLOCK_INDICATORS: ReadonlySet<string> = new Set(['seq-item-ind', 'explicit-key-ind', 'map-value-ind']);
const OPENING: ReadonlySet<string> = new Set(['flow-map-start', 'flow-seq-start']);
const CLOSING: ReadonlySet<string> = new Set(['flow-map-end', 'flow-seq-end']);

export const TOO_DEEP = `nested deeper than ${MAX_JSON_DEPTH} levels`;

/** Lexemes that are not yet part of a document's content. */
const BEFORE_CONTENT: ReadonlySet<string> = new Set([
  ...['newline', 'space', 'comment', 'directive-line', 'doc-start', 'doc-end', 'end'],
]);

/** Every forbidden mark in order. The scan stops at what no composer should be given: too deep, unbalanced, several documents. */
export function findForbiddenMarks(text: string): readonly SyntaxProblem[] {
  const problems: SyntaxProblem[] = [];
  const scan = new Scan();
  for (const { type, offset } of lexemes(text)) {
    const forbidden = FORBIDDEN[type];
    if (forbidden !== undefined) problems.push({ offset, path: [], ...forbidden });
    const fatal = scan.take(type, offset);
    if (fatal === undefined) continue;
    problems.push({ path: [], ...fatal });
    break;
  }
  return problems;
}

interface Fatal {
  readonly offset: number;
  readonly message: string;
}

/** Counts what is open. Block indentation needs no count: n levels of it take n² characters, and the size is bounded. */
class Scan {
  /** Offsets of the brackets that are open. */
  readonly #open: number[] = [];
  #hasContent = false;
  #hasEnded = false;
  #hasStarted = false;
  /** `- - - -`: each indicator on one line opens another level without any indentation. */
  #indicatorsOnLine = 0;

  take(type: string, offset: number): Fatal | undefined {
    if (type === 'newline') this.#indicatorsOnLine = 0;
    if (BLOCK_INDICATORS.has(type) && this.#open.length === 0) this.#indicatorsOnLine += 1;
    if (this.#open.length > MAX_JSON_DEPTH || this.#indicatorsOnLine > MAX_JSON_DEPTH) {
      return { offset, message: TOO_DEEP };
    }
    return this.#takeBracket(type, offset) ?? this.#takeDocument(type, offset);
  }

  #takeBracket(type: string, offset: number): Fatal | undefined {
    if (OPENING.has(type)) this.#open.push(offset);
    if (CLOSING.has(type) && this.#open.pop() === undefined) {
      return { offset, message: 'a bracket is closed that was never opened' };
    }
    const unclosed = type === 'flow-error-end' || type === 'end' ? this.#open.at(-1) : undefined;
    return unclosed === undefined ? undefined : { offset: unclosed, message: 'a bracket is opened and never closed' };
  }

  #takeDocument(type: string, offset: number): Fatal | undefined {
    const isContent = !BEFORE_CONTENT.has(type);
    const isSecond = isContent ? this.#hasEnded : type === 'doc-start' && (this.#hasStarted || this.#hasContent);
    this.#hasContent ||= isContent;
    this.#hasStarted ||= type === 'doc-start';
    this.#hasEnded ||= type === 'doc-end' && (this.#hasContent || this.#hasStarted);
    return isSecond ? { offset, message: 'a second document is refused' } : undefined;
  }
}

/** The lexer's tokens with their offsets; of its control marks, which stand for no text, only the one after a bracket left open. */
function* lexemes(text: string): Generator<{ type: string; offset: number }> {
  let offset = 0;
  let scalarNext = false;
  for (const source of new Lexer().lex(text)) {
    const type: string = scalarNext ? 'scalar-text' : (CST.tokenType(source) ?? 'unknown');
    scalarNext = type === 'scalar';
    if (scalarNext || type === 'doc-mode') continue;
    yield { type, offset };
    if (type !== 'flow-error-end') offset += source.length;
  }
  yield { type: 'end', offset };
}
