// JSON (RFC 8259) to nodes with positions, for documents that people edit. Tokens and protocol bodies go through base/json.
import { MAX_JSON_DEPTH } from '../core/limits.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { DocumentPath } from './problem.ts';
import { listNode, mapNode, type SourceMember, type SourceNode, type SyntaxProblem } from './source-node.ts';
import { TOO_DEEP } from './yaml-marks.ts';

const SPACE = /[ \t\r\n]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;

/** Parses one value. Precondition: `findUnwantedCharacter` found nothing. Never throws. Duplicate names are all reported. */
export function parseJsonDocument(text: string): Result<SourceNode, readonly SyntaxProblem[]> {
  const reader = new Reader(text);
  const root = reader.value([]);
  if (root !== undefined && !reader.atEnd()) reader.refuse('something follows the end of the document');
  return root === undefined || reader.problems.length > 0 ? err(reader.problems) : ok(root);
}

/** One pass over the text. A method that returns undefined has refused, and so do its callers. */
class Reader {
  readonly problems: SyntaxProblem[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  refuse(message: string, path: DocumentPath = [], offset = this.#at): undefined {
    this.problems.push({ offset, path, message });
    return undefined;
  }

  atEnd(): boolean {
    this.#take(SPACE);
    return this.#at === this.#text.length;
  }

  value(path: DocumentPath): SourceNode | undefined {
    this.#take(SPACE);
    const offset = this.#at;
    if (path.length > MAX_JSON_DEPTH) return this.refuse(TOO_DEEP, path);
    if (this.#text[offset] === '{') return this.#map(path);
    if (this.#text[offset] === '[') return this.#list(path);
    if (this.#text[offset] === '"') {
      const value = this.#string(path);
      return value === undefined ? undefined : { kind: 'scalar', offset, value, source: value };
    }
    const source = this.#take(NUMBER) ?? this.#take(WORD);
    if (source === undefined) return this.refuse('wanted a JSON value', path);
    const value: number | boolean | null = JSON.parse(source);
    if (typeof value === 'number' && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
      this.refuse('a number out of range', path, offset);
    }
    return { kind: 'scalar', offset, value, source };
  }

  #map(path: DocumentPath): SourceNode | undefined {
    const offset = this.#at;
    const members = new Map<string, SourceMember>();
    const complete = this.#entries('}', () => {
      const keyOffset = this.#at;
      const name =
        this.#text[keyOffset] === '"' ? this.#string(path) : this.refuse('wanted a name in double quotes', path);
      if (name === undefined) return false;
      // See yaml.ts on `__proto__`.
      if (name === '__proto__') this.refuse('this name is refused', [...path, name], keyOffset);
      if (members.has(name)) this.refuse('duplicate key', [...path, name], keyOffset);
      if (!this.#symbol(':')) return this.refuse('wanted a colon', path) ?? false;
      const node = this.value([...path, name]);
      if (node !== undefined && name !== '__proto__') members.set(name, { keyOffset, node });
      return node !== undefined;
    });
    return complete ? mapNode(offset, members) : undefined;
  }

  #list(path: DocumentPath): SourceNode | undefined {
    const offset = this.#at;
    const items: SourceNode[] = [];
    const complete = this.#entries(']', () => {
      const item = this.value([...path, items.length]);
      if (item !== undefined) items.push(item);
      return item !== undefined;
    });
    return complete ? listNode(offset, items) : undefined;
  }

  /** Reads the entries between the bracket that stands here and `close`; false when one was refused. */
  #entries(close: string, entry: () => boolean): boolean {
    this.#at += 1;
    if (this.#symbol(close)) return true;
    while (entry()) {
      if (this.#symbol(close)) return true;
      if (!this.#symbol(',')) return this.refuse(`wanted a comma or ${close}`) ?? false;
    }
    return false;
  }

  #string(path: DocumentPath): string | undefined {
    const offset = this.#at;
    const source = this.#take(STRING);
    if (source === undefined) return this.refuse('a text with a wrong escape or without its closing quote', path);
    const value: string = JSON.parse(source);
    if (!value.isWellFormed()) this.refuse('half of a surrogate pair', path, offset);
    return value;
  }

  /** Skips space, then takes `symbol` and the space behind it if it stands there. */
  #symbol(symbol: string): boolean {
    this.#take(SPACE);
    if (this.#text[this.#at] !== symbol) return false;
    this.#at += 1;
    this.#take(SPACE);
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.#text)?.[0];
    this.#at += taken?.length ?? 0;
    return taken;
  }
}
