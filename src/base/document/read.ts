// A file's text and a schema in; a value with positions, or every problem at once, out. It touches no file system.
import type * as z from 'zod';
import type { JsonValue } from '../core/json.ts';
import { printable } from '../core/printable.ts';
import { err, ok, type Result } from '../core/result.ts';
import { describeIssue, flattenIssues, type SchemaIssue } from './issues.ts';
import { parseJsonDocument } from './json.ts';
import { nearestName } from './nearest-name.ts';
import { type DocumentPath, formatPath, type Problem } from './problem.ts';
import { assertClosed, knownNames } from './schema-shape.ts';
import { type Place, placeOf, type SourceNode, type SyntaxProblem } from './source-node.ts';
import { DEFAULT_MAX_BYTES, findSizeProblem, findUnwantedCharacter, lineIndex, type Position } from './text.ts';
import { parseYaml } from './yaml.ts';
import { parsePlainYaml } from './yaml-plain.ts';

/** A file as it was read: its name for people (`.json` is read as JSON, anything else as YAML) and its decoded text. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

/** Adds a problem at the value that stands at `path`, or at the nearest thing around it. */
export type Report = (path: DocumentPath, message: string, hint?: string) => void;

export interface ReadOptions {
  /** Bound of the text in UTF-8; MAX_POLICY_BYTES unless given. */
  readonly maxBytes?: number;
  /**
   * Rules that no schema can say (a name that must equal another's). It runs on the bare value even when the schema refused
   * parts of it, so that all problems come at once: it looks only at what has the form it needs. `lineOf` gives the line of
   * the key that ends a path, from 1.
   */
  readonly check?: (value: JsonValue, report: Report, lineOf: (path: DocumentPath) => number) => void;
}

/** A document that its schema accepted. */
export interface ReadDocument<T> {
  readonly value: T;
  /** Where the value at `path` stands; of a path that leads nowhere, the nearest thing around it. */
  positionOf(path: DocumentPath): Position;
  /** Where the key that ends `path` stands; of an entry of a list, the entry. */
  keyPositionOf(path: DocumentPath): Position;
  /** A problem found later, at the value at `path`. */
  problemAt(path: DocumentPath, message: string, hint?: string): Problem;
}

/**
 * Reads YAML 1.2 (core schema) or JSON. Refused: anchors, aliases, tags, directives, merge keys, duplicate keys, several
 * documents, a byte order mark, control and direction characters, more than 16 levels, and what the schema does not know.
 * The error lists all problems of the text; when it has none, all of the schema and of `check`; ordered by position.
 * Never throws for any text; throws ERR_SCHEMA_OPEN for a schema that would ignore unknown keys.
 */
export const readDocument = <T>(
  source: SourceText,
  schema: z.ZodType<T>,
  options: ReadOptions = {},
): Result<ReadDocument<T>, readonly Problem[]> => documentReader(schema)(source, options);

/** `readDocument` for many documents of one schema, which is looked through once. Throws ERR_SCHEMA_OPEN likewise. */
export function documentReader<T>(
  schema: z.ZodType<T>,
): (source: SourceText, options: ReadOptions) => Result<ReadDocument<T>, readonly Problem[]> {
  assertClosed(schema);
  return (source, options) => {
    const parsed = parseText(source, options.maxBytes ?? DEFAULT_MAX_BYTES);
    const problems = new Problems(source);
    if (!parsed.ok) return err(problems.ofSyntax(parsed.error));
    return check({ root: parsed.value, problems }, schema, options);
  };
}

function check<T>(
  { root, problems }: { readonly root: SourceNode; readonly problems: Problems },
  schema: z.ZodType<T>,
  options: ReadOptions,
): Result<ReadDocument<T>, readonly Problem[]> {
  const { value } = root;
  const outcome = schema.safeParse(value, { error: describeIssue });
  if (!outcome.success) {
    for (const issue of flattenIssues(outcome.error.issues)) problems.addIssue(root, issue, schema);
  }
  options.check?.(
    value,
    (path, message, hint) => problems.add(root, path, message, hint),
    (path) => problems.positionOf(placeOf(root, path).keyOffset).line,
  );
  if (!outcome.success || problems.any()) return err(problems.sorted());
  return ok({
    value: outcome.data,
    positionOf: (path) => problems.positionOf(placeOf(root, path).valueOffset),
    keyPositionOf: (path) => problems.positionOf(placeOf(root, path).keyOffset),
    problemAt: (path, message, hint) => problems.at(root, path, message, hint),
  });
}

function parseText(source: SourceText, maxBytes: number): Result<SourceNode, readonly SyntaxProblem[]> {
  const isJson = source.file.endsWith('.json');
  const tooLarge = findSizeProblem(source.text, maxBytes);
  // Plain YAML holds no character that text must not hold.
  const plain = isJson || tooLarge !== undefined ? undefined : parsePlainYaml(source.text);
  if (plain !== undefined) return ok(plain);
  const problem = tooLarge ?? findUnwantedCharacter(source.text);
  if (problem !== undefined) return err([problem]);
  return isJson ? parseJsonDocument(source.text) : parseYaml(source.text);
}

/** Values under such names are not repeated in messages. */
const SECRET_NAME = /secret|password|passphrase|token|private|credential/i;

/** Collects the problems of one file. */
class Problems {
  readonly positionOf: (offset: number) => Position;
  readonly #file: string;
  readonly #problems: Problem[] = [];

  constructor(source: SourceText) {
    this.#file = source.file;
    this.positionOf = lineIndex(source.text);
  }

  any(): boolean {
    return this.#problems.length > 0;
  }

  sorted(): readonly Problem[] {
    return this.#problems.sort((a, b) => a.line - b.line || a.column - b.column);
  }

  ofSyntax(found: readonly SyntaxProblem[]): readonly Problem[] {
    for (const { offset, path, message, hint } of found)
      this.#problems.push(this.#make(offset, path, { message, hint }));
    return this.sorted();
  }

  add(root: SourceNode, path: DocumentPath, message: string, hint?: string): void {
    this.#problems.push(this.at(root, path, message, hint));
  }

  at(root: SourceNode, path: DocumentPath, message: string, hint?: string): Problem {
    const place = placeOf(root, path);
    return this.#make(place.valueOffset, path, { message, found: shown(place, path), hint });
  }

  addIssue(root: SourceNode, issue: SchemaIssue, schema: z.core.$ZodType): void {
    const { path, about, message } = issue;
    const place = placeOf(root, path);
    if (about === 'unknown') {
      this.#problems.push(this.#make(place.keyOffset, path, { message, hint: knownNameHint(schema, path) }));
    } else if (about === 'key') {
      this.#problems.push(this.#make(place.keyOffset, path, { message, found: printable(String(path.at(-1))) }));
    } else {
      this.add(root, path, message, issue.hint ?? quotingHint(place.node, issue.expected, path));
    }
  }

  #make(
    offset: number,
    path: DocumentPath,
    texts: { readonly message: string; readonly found?: string; readonly hint?: string | undefined },
  ): Problem {
    return {
      file: this.#file,
      ...this.positionOf(offset),
      path: formatPath(path),
      message: texts.message,
      ...(texts.found === undefined ? {} : { found: texts.found }),
      ...(texts.hint === undefined ? {} : { hint: texts.hint }),
    };
  }
}

const isSecretPath = (path: DocumentPath): boolean =>
  path.some((part) => typeof part === 'string' && SECRET_NAME.test(part));

/** What stands at the place, in a few characters. */
function shown(place: Place, path: DocumentPath): string {
  const { node } = place;
  if (node === undefined) return 'missing';
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list';
  if (node.kind === 'map') return node.members.size === 0 ? 'an empty mapping' : 'a mapping';
  if (node.value === null) return 'nothing';
  if (node.value === '') return 'an empty text';
  if (typeof node.value === 'string' && isSecretPath(path)) return 'a text not shown';
  return printable(node.source);
}

function knownNameHint(schema: z.core.$ZodType, path: DocumentPath): string | undefined {
  const names = knownNames(schema, path.slice(0, -1));
  if (names.size === 0) return undefined;
  const nearest = nearestName(String(path.at(-1)), names.keys());
  if (nearest === undefined) return `known here: ${[...names.keys()].join(', ')}`;
  const kind = names.get(nearest) ?? '';
  return kind === '' ? nearest : `${nearest} (${kind})`;
}

/** YAML reads 42 and true as no text, "42" as no number: says which quotes to add or to leave out. */
function quotingHint(
  node: SourceNode | undefined,
  expected: readonly string[],
  path: DocumentPath,
): string | undefined {
  if (node?.kind !== 'scalar' || node.value === null || node.value === '' || isSecretPath(path)) return undefined;
  const source = printable(node.source);
  if (typeof node.value !== 'string') return expected.includes('string') ? `quote it: "${source}"` : undefined;
  const isBoolean = expected.includes('boolean') && /^(true|false)$/.test(source);
  const isNumber = expected.some((kind) => kind === 'number' || kind === 'int') && /^-?[0-9]+$/.test(source);
  return isBoolean || isNumber ? `without quotes: ${source}` : undefined;
}
