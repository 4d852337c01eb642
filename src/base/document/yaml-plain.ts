// The plain part of YAML that policy files are mostly written in, read in one pass. What is not plain beyond doubt is left to
// yaml.ts; what is accepted here becomes the very nodes that yaml.ts would make (held by a property).
import type { SourceMember, SourceNode } from './source-node.ts';

// Printable ASCII and line feeds: no tabs, no carriage returns, nothing that folds, joins or hides.
const NOT_PLAIN = /[^\n\x20-\x7e]/;
const KEY = /(?:([A-Za-z_][A-Za-z0-9_./-]*)|"([^"\\\n]*)"):(?= |\n|$)/y;
/** In a block: to the end of the line, without `: `, ` #` and a colon at the end. */
const BLOCK_TEXT = /[A-Za-z_/$](?:[^\n: #]|:(?=[^\n ])| +(?=[^\n #])|(?<! )#)*/y;
/** In brackets: words that hold none of their signs. */
const FLOW_TEXT = /[A-Za-z_/$](?:[A-Za-z0-9_/$.@+*-]|:(?=[A-Za-z0-9_/$.@+*:-]))*/y;
const DURATION = /[0-9]+[smhd](?=[\n ,\]}]|$)/y;
const QUOTED = /"([^"\\\n]*)"|'([^'\n]*)'(?!')/y;
const SPACE = ' '.charCodeAt(0);
const LINE_REST = / *(?: #[^\n]*)?(?:\n|$)/y;
const SKIPPED_LINES = /(?: *(?:#[^\n]*)?\n)*(?: *(?:#[^\n]*)?$)?/y;
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);
/** Words that YAML 1.2 core reads as something else than text; `true` and `false` are handled before. */
const SPECIAL_WORD = /^(?:true|false|null)$/i;
/** Far below where the design's bound begins. */
const MAX_DEPTH = 8;

/** The nodes of a plain document; undefined when any of it is not plain, whether or not it is good YAML. Never throws. */
export function parsePlainYaml(text: string): SourceNode | undefined {
  if (NOT_PLAIN.test(text)) return undefined;
  const reader = new PlainReader(text);
  const root = reader.block(0, 0);
  return root !== undefined && reader.isAtEnd() ? root : undefined;
}

/** One pass over the text; a method that gives undefined has met something that is not plain. */
class PlainReader {
  readonly #text: string;
  #at = 0;
  /** Columns before the next content; -1 at the end. */
  #indent = -1;

  constructor(text: string) {
    this.#text = text;
    this.#nextLine();
  }

  isAtEnd(): boolean {
    return this.#indent === -1;
  }

  /** A mapping or a list that begins where the reader stands, `indent` columns in. */
  block(indent: number, depth: number): SourceNode | undefined {
    if (this.#indent !== indent || depth > MAX_DEPTH) return undefined;
    return this.#isItem() ? this.#blockList(indent, depth) : this.#blockMap(indent, depth);
  }

  #blockMap(indent: number, depth: number): SourceNode | undefined {
    const offset = this.#at;
    const members = new Map<string, SourceMember>();
    while (this.#indent === indent && !this.#isItem()) {
      const keyOffset = this.#at;
      const name = this.#key(members);
      if (name === undefined) return undefined;
      const node = this.#memberValue(indent, depth + 1);
      if (node === undefined) return undefined;
      members.set(name, { keyOffset, node });
    }
    return members.size > 0 && this.#indent <= indent ? { kind: 'map', offset, members } : undefined;
  }

  /** What stands behind a key: on its line, or as a block below it. */
  #memberValue(indent: number, depth: number): SourceNode | undefined {
    if (!this.#endLine()) return this.#lineValue(indent, depth);
    // A list may stand right below its key, not further in.
    if (this.#indent === indent && this.#isItem()) return this.#blockList(indent, depth);
    return this.#indent > indent ? this.block(this.#indent, depth) : undefined;
  }

  #blockList(indent: number, depth: number): SourceNode | undefined {
    if (depth > MAX_DEPTH) return undefined;
    const offset = this.#at;
    const items: SourceNode[] = [];
    while (this.#indent === indent && this.#isItem()) {
      const start = this.#at;
      this.#at += 1;
      this.#passSpaces();
      const inner = indent + this.#at - start;
      KEY.lastIndex = this.#at;
      const isMap = KEY.test(this.#text);
      if (isMap) this.#indent = inner;
      const node = isMap ? this.#blockMap(inner, depth + 1) : this.#lineValue(indent, depth + 1);
      if (node === undefined) return undefined;
      items.push(node);
    }
    return this.#indent <= indent ? { kind: 'list', offset, items } : undefined;
  }

  /** A scalar or brackets, then the end of the line and nothing that could carry it on. */
  #lineValue(indent: number, depth: number): SourceNode | undefined {
    this.#passSpaces();
    const node = this.#inline(BLOCK_TEXT, depth);
    return node !== undefined && this.#endLine() && this.#indent <= indent ? node : undefined;
  }

  #inline(words: RegExp, depth: number): SourceNode | undefined {
    const offset = this.#at;
    const first = this.#text[offset];
    if (first === '[') return this.#flowList(depth);
    if (first === '{') return this.#flowMap(depth);
    if (first === '"' || first === "'") {
      QUOTED.lastIndex = offset;
      const match = QUOTED.exec(this.#text);
      if (match === null) return undefined;
      this.#at = QUOTED.lastIndex;
      const value = match[1] ?? match[2] ?? '';
      return { kind: 'scalar', offset, value, source: value };
    }
    const source = this.#take(words) ?? this.#take(DURATION);
    if (source === undefined) return undefined;
    const value = BOOLEANS.get(source);
    if (value === undefined && SPECIAL_WORD.test(source)) return undefined;
    return { kind: 'scalar', offset, value: value ?? source, source };
  }

  #flowList(depth: number): SourceNode | undefined {
    const offset = this.#at;
    const items: SourceNode[] = [];
    const isWhole = this.#flowParts(']', depth, () => {
      const node = this.#inline(FLOW_TEXT, depth + 1);
      if (node !== undefined) items.push(node);
      return node !== undefined;
    });
    return isWhole ? { kind: 'list', offset, items } : undefined;
  }

  #flowMap(depth: number): SourceNode | undefined {
    const offset = this.#at;
    const members = new Map<string, SourceMember>();
    const isWhole = this.#flowParts('}', depth, () => {
      const keyOffset = this.#at;
      const name = this.#key(members);
      if (name === undefined) return false;
      this.#passSpaces();
      const node = this.#inline(FLOW_TEXT, depth + 1);
      if (node !== undefined) members.set(name, { keyOffset, node });
      return node !== undefined;
    });
    return isWhole ? { kind: 'map', offset, members } : undefined;
  }

  /** What stands in brackets, on one line, without a comma at the end. */
  #flowParts(close: string, depth: number, part: () => boolean): boolean {
    if (depth > MAX_DEPTH) return false;
    this.#at += 1;
    this.#passSpaces();
    if (this.#skip(close)) return true;
    for (;;) {
      if (!part()) return false;
      this.#passSpaces();
      if (this.#skip(close)) return true;
      if (!this.#skip(',')) return false;
      this.#passSpaces();
    }
  }

  /** A key and its colon; undefined for one that is no plain text, or not the first of its name. */
  #key(members: ReadonlyMap<string, SourceMember>): string | undefined {
    KEY.lastIndex = this.#at;
    const match = KEY.exec(this.#text);
    if (match === null) return undefined;
    const [all, plain, quoted] = match;
    const name = plain ?? quoted ?? '';
    if (name === '__proto__' || members.has(name) || all.length > 256) return undefined;
    if (plain !== undefined && SPECIAL_WORD.test(plain)) return undefined;
    this.#at = KEY.lastIndex;
    return name;
  }

  #isItem(): boolean {
    return this.#text[this.#at] === '-' && this.#text[this.#at + 1] === ' ';
  }

  /** Takes the rest of a line that holds nothing more, and goes to the next content. */
  #endLine(): boolean {
    if (!this.#pass(LINE_REST)) return false;
    this.#nextLine();
    return true;
  }

  #nextLine(): void {
    this.#pass(SKIPPED_LINES);
    const start = this.#at;
    this.#passSpaces();
    this.#indent = this.#at === this.#text.length ? -1 : this.#at - start;
  }

  #skip(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }

  /** Goes over what the pattern matches here; false when it matches nothing. */
  #pass(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    const start = this.#at;
    return this.#pass(pattern) ? this.#text.slice(start, this.#at) : undefined;
  }

  #passSpaces(): void {
    while (this.#text.charCodeAt(this.#at) === SPACE) this.#at += 1;
  }
}
