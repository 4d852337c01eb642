// YAML 1.2 core to nodes with positions. Only what a reader can take at face value: no anchors, aliases, tags or merge keys.
import { isMap, isScalar, isSeq, type Node, type Pair, parseDocument } from 'yaml';
import { MAX_JSON_DEPTH } from '../core/limits.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { DocumentPath } from './problem.ts';
import { listNode, mapNode, type SourceMember, type SourceNode, type SyntaxProblem } from './source-node.ts';
import { findForbiddenMarks, TOO_DEEP } from './yaml-marks.ts';

/** Parses one document. Precondition: `findUnwantedCharacter` found nothing. Never throws. */
export function parseYaml(text: string): Result<SourceNode, readonly SyntaxProblem[]> {
  const marks = findForbiddenMarks(text);
  if (marks.length > 0) return err(marks);
  const document = compose(text);
  if (document === undefined) return err([{ offset: 0, path: [], message: 'not valid YAML' }]);
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) return err(firstOfEachLine(text, faults));
  const problems: SyntaxProblem[] = [];
  const root = convert(document.contents, { path: [], offset: 0, problems });
  return problems.length > 0 ? err(problems) : ok(root);
}

function compose(text: string) {
  try {
    return parseDocument(text, {
      version: '1.2',
      schema: 'core',
      merge: false,
      // Its own check compares every key with every other; `convert` keeps a map instead.
      uniqueKeys: false,
      prettyErrors: false,
      // 'silent' would also leave out the error for a second document.
      logLevel: 'error',
    });
  } catch {
    // The composer is recursive and not ours: whatever stops it, the text was not a document.
    return undefined;
  }
}

const FAULTS: Readonly<Record<string, string>> = {
  BAD_INDENT: 'wrong indentation',
  TAB_AS_INDENT: 'a tab is used as indentation',
  BAD_DQ_ESCAPE: 'unknown escape in double quotes',
  BAD_SCALAR_START: 'a text that begins with this character must be quoted',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping cannot begin on this line',
  BLOCK_IN_FLOW: 'a block cannot stand inside brackets',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters',
  MISSING_CHAR: 'a quote, bracket, comma or colon is missing',
  MULTILINE_IMPLICIT_KEY: 'a key cannot go over several lines',
  MULTIPLE_DOCS: 'a second document is refused',
  RESOURCE_EXHAUSTION: TOO_DEEP,
};

/** One mistake in YAML often makes a dozen errors on its line; the first says it. */
function firstOfEachLine(
  text: string,
  faults: readonly { readonly code: string; readonly pos: readonly [number, number] }[],
): readonly SyntaxProblem[] {
  const problems: SyntaxProblem[] = [];
  let lineEnd = -1;
  for (const fault of [...faults].sort((a, b) => a.pos[0] - b.pos[0])) {
    const offset = Math.min(fault.pos[0], text.length);
    if (offset <= lineEnd) continue;
    const next = text.indexOf('\n', offset);
    lineEnd = next === -1 ? text.length : next;
    problems.push({ offset, path: [], message: FAULTS[fault.code] ?? 'not valid YAML here' });
  }
  return problems;
}

interface Place {
  readonly path: DocumentPath;
  readonly offset: number;
  readonly problems: SyntaxProblem[];
}

const NOTHING = (offset: number): SourceNode => ({ kind: 'scalar', offset, value: null, source: '' });

function convert(node: Node | null, place: Place): SourceNode {
  const offset = node?.range?.[0] ?? place.offset;
  if (place.path.length > MAX_JSON_DEPTH) {
    place.problems.push({ offset, path: place.path, message: TOO_DEEP });
    return NOTHING(offset);
  }
  if (isMap<Node | null, Node | null>(node)) return convertMap(node.items, { ...place, offset });
  if (isSeq<Node | null>(node)) {
    const items = node.items.map((item, index) => convert(item, { ...place, offset, path: [...place.path, index] }));
    return listNode(offset, items);
  }
  return isScalar(node) ? convertScalar(node, { ...place, offset }) : NOTHING(offset);
}

function convertScalar(node: { value: unknown; source?: string }, place: Place): SourceNode {
  const { value } = node;
  if (typeof value === 'number' && !(Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
    const hint = 'quote it if it is a text';
    place.problems.push({ offset: place.offset, path: place.path, message: 'a number out of range', hint });
  }
  if (typeof value === 'string' && !value.isWellFormed()) {
    place.problems.push({ offset: place.offset, path: place.path, message: 'half of a surrogate pair' });
  }
  const known = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
  return { kind: 'scalar', offset: place.offset, value: known, source: node.source ?? '' };
}

function convertMap(pairs: readonly Pair<Node | null, Node | null>[], place: Place): SourceNode {
  const members = new Map<string, SourceMember>();
  for (const pair of pairs) {
    const keyOffset = pair.key?.range?.[0] ?? place.offset;
    const refuse = (message: string, hint?: string, name?: string): void => {
      const path = name === undefined ? place.path : [...place.path, name];
      place.problems.push({ offset: keyOffset, path, message, ...(hint === undefined ? {} : { hint }) });
    };
    const name = keyName(pair.key, refuse);
    if (name === undefined) continue;
    if (members.has(name)) refuse('duplicate key', undefined, name);
    const node = convert(pair.value, { ...place, offset: keyOffset, path: [...place.path, name] });
    members.set(name, { keyOffset, node });
  }
  return mapNode(place.offset, members);
}

function keyName(
  key: Node | null,
  refuse: (message: string, hint?: string, name?: string) => void,
): string | undefined {
  if (!isScalar(key) || typeof key.value !== 'string') {
    const source = isScalar(key) ? (key.source ?? '') : '';
    refuse('a key that is not text', source === '' ? undefined : `quote it: "${source}"`);
    return undefined;
  }
  if (key.value === '<<' && key.type === 'PLAIN') refuse('merge keys are refused', 'write the members out', '<<');
  // Validators skip a member of this name in silence: a condition under it would vanish.
  else if (key.value === '__proto__') refuse('this name is refused', undefined, '__proto__');
  else if (!key.value.isWellFormed()) refuse('half of a surrogate pair');
  else return key.value;
  return undefined;
}
