// The plain part of YAML that policy files are mostly written in, read in one pass. What is not plain beyond doubt is left to
// yaml.ts; what is accepted here becomes the very nodes that yaml.ts would make (held by a property).
import {
  endOfBlockText,
  endOfFlowText,
  endOfKey,
  endOfLineRest,
  endOfQuoted,
  endOfSpaces,
  isKeyColon,
  nextContentLine,
} from './plain-text.ts';
import { listNode, mapNode, type SourceMember, type SourceNode } from './source-node.ts';

// Printable ASCII and line feeds: no tabs, no carriage returns, nothing that folds, joins or hides.
const NOT_PLAIN = /[^\n\x20-\x7e]/;
const DURATION = /[0-9]+[smhd](?=[\n ,\]}]|$)/y;
/** Of a key, its quotes and its colon: far below the 1,024 where YAML ends. */
const MAX_KEY_CHARS = 256;
const DASH = '-'.charCodeAt(0);
const SPACE = ' '.charCodeAt(0);
const DOUBLE_QUOTE = '"'.charCodeAt(0);
const SINGLE_QUOTE = "'".charCodeAt(0);
const OPEN_BRACKET = '['.charCodeAt(0);
const OPEN_BRACE = '{'.charCodeAt(0);
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);
/** Words that YAML 1.2 core reads as something else than text, and some more spellings of them. */
const SPECIAL_WORD = /^(?:true|false|null)$/i;
const isSpecial = (word: string): boolean => word.length <= 'false'.length && SPECIAL_WORD.test(word);
/** Far below where the design's bound begins. */
const MAX_DEPTH = 8;

/** The nodes of a plain document; undefined when any of it is not plain, whether or not it is good YAML. Never throws. */
export function parsePlainYaml(text: string): SourceNode | undefined {
  if (NOT_PLAIN.test(text)) return undefined;
  const reader = new PlainReader(text);
  const root = reader.block(0, 0);
  return root !== undefined && reader.isAtEnd() ? root : undefined;
}

/** False when the member is not the first of its name. */
function addMember(members: Map<string, SourceMember>, name: string, member: SourceMember): boolean {
  const { size } = members;
  return members.set(name, member).size > size;
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
      const name = this.#key();
      if (name === undefined) return undefined;
      const node = this.#memberValue(indent, depth + 1);
      if (node === undefined) return undefined;
      if (!addMember(members, name, { keyOffset, node })) return undefined;
    }
    return members.size > 0 && this.#indent <= indent ? mapNode(offset, members) : undefined;
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
      const isMap = this.#keyEnd() !== -1;
      if (isMap) this.#indent = inner;
      const node = isMap ? this.#blockMap(inner, depth + 1) : this.#lineValue(indent, depth + 1);
      if (node === undefined) return undefined;
      items.push(node);
    }
    return this.#indent <= indent ? listNode(offset, items) : undefined;
  }

  /** A scalar or brackets, then the end of the line and nothing that could carry it on. */
  #lineValue(indent: number, depth: number): SourceNode | undefined {
    this.#passSpaces();
    const node = this.#inline(endOfBlockText, depth);
    return node !== undefined && this.#endLine() && this.#indent <= indent ? node : undefined;
  }

  #inline(endOfText: (text: string, at: number) => number, depth: number): SourceNode | undefined {
    const offset = this.#at;
    const first = this.#text.charCodeAt(offset);
    if (first === OPEN_BRACKET) return this.#flowList(depth);
    if (first === OPEN_BRACE) return this.#flowMap(depth);
    if (first === DOUBLE_QUOTE || first === SINGLE_QUOTE) {
      const end = endOfQuoted(this.#text, offset);
      if (end === -1) return undefined;
      this.#at = end;
      const value = this.#text.slice(offset + 1, end - 1);
      return { kind: 'scalar', offset, value, source: value };
    }
    const end = endOfText(this.#text, offset);
    const source = end === -1 ? this.#duration() : this.#text.slice(offset, end);
    if (source === undefined) return undefined;
    const value = isSpecial(source) ? BOOLEANS.get(source) : source;
    if (value === undefined) return undefined;
    this.#at = offset + source.length;
    return { kind: 'scalar', offset, value, source };
  }

  #duration(): string | undefined {
    DURATION.lastIndex = this.#at;
    return DURATION.exec(this.#text)?.[0];
  }

  #flowList(depth: number): SourceNode | undefined {
    const offset = this.#at;
    if (!this.#open(depth)) return undefined;
    const items: SourceNode[] = [];
    while (!this.#skip(']')) {
      if (items.length > 0 && !this.#comma()) return undefined;
      const node = this.#inline(endOfFlowText, depth + 1);
      if (node === undefined) return undefined;
      items.push(node);
      this.#passSpaces();
    }
    return listNode(offset, items);
  }

  #flowMap(depth: number): SourceNode | undefined {
    const offset = this.#at;
    if (!this.#open(depth)) return undefined;
    const members = new Map<string, SourceMember>();
    while (!this.#skip('}')) {
      if (members.size > 0 && !this.#comma()) return undefined;
      const keyOffset = this.#at;
      const name = this.#key();
      if (name === undefined) return undefined;
      this.#passSpaces();
      const node = this.#inline(endOfFlowText, depth + 1);
      if (node === undefined) return undefined;
      if (!addMember(members, name, { keyOffset, node })) return undefined;
      this.#passSpaces();
    }
    return mapNode(offset, members);
  }

  /** Goes over the bracket that stands here. What it holds stands on one line, without a comma at the end. */
  #open(depth: number): boolean {
    if (depth > MAX_DEPTH) return false;
    this.#at += 1;
    this.#passSpaces();
    return true;
  }

  #comma(): boolean {
    if (!this.#skip(',')) return false;
    this.#passSpaces();
    return true;
  }

  /** A key and its colon; undefined for one that is no plain text. */
  #key(): string | undefined {
    const start = this.#at;
    const end = this.#keyEnd();
    if (end === -1 || end + 1 - start > MAX_KEY_CHARS) return undefined;
    const isQuoted = this.#text.charCodeAt(start) === DOUBLE_QUOTE;
    const name = isQuoted ? this.#text.slice(start + 1, end - 1) : this.#text.slice(start, end);
    if (name === '__proto__' || (!isQuoted && isSpecial(name))) return undefined;
    this.#at = end + 1;
    return name;
  }

  /** Where the colon of the key stands that begins here; -1 when none begins here. */
  #keyEnd(): number {
    const isQuoted = this.#text.charCodeAt(this.#at) === DOUBLE_QUOTE;
    const end = isQuoted ? endOfQuoted(this.#text, this.#at) : endOfKey(this.#text, this.#at);
    return end !== -1 && isKeyColon(this.#text, end) ? end : -1;
  }

  #isItem(): boolean {
    return this.#text.charCodeAt(this.#at) === DASH && this.#text.charCodeAt(this.#at + 1) === SPACE;
  }

  /** Takes the rest of a line that holds nothing more, and goes to the next content. */
  #endLine(): boolean {
    const end = endOfLineRest(this.#text, this.#at);
    if (end === -1) return false;
    this.#at = end;
    this.#nextLine();
    return true;
  }

  #nextLine(): void {
    const start = nextContentLine(this.#text, this.#at);
    this.#at = endOfSpaces(this.#text, start);
    this.#indent = this.#at === this.#text.length ? -1 : this.#at - start;
  }

  #skip(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }

  #passSpaces(): void {
    this.#at = endOfSpaces(this.#text, this.#at);
  }
}
