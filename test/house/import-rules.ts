// The import rules of the design (section 4) as pure functions over source texts. Reading files is the test's business.
import { parseSync } from 'oxc-parser';

/** A source file: its path below `src`, with forward slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** One import, however it is written. `specifier` is null when it is computed and nobody can check it. */
export interface Import {
  readonly specifier: string | null;
  readonly kind: 'static' | 'type' | 'dynamic' | 'require';
}

/** A file with its imports; `targets` are the imported files below `src`. */
interface Module {
  readonly path: string;
  readonly imports: readonly Import[];
  readonly targets: readonly string[];
}

export interface Violation {
  readonly rule: 'unreadable' | 'unresolved' | 'computed' | 'table' | 'adapter' | 'external' | 'cycle' | 'orphan';
  readonly file: string;
  readonly detail: string;
}

const WINGS_BELOW = {
  base: ['base'],
  wire: ['wire', 'base'],
  keys: ['keys', 'base'],
  policy: ['policy', 'base'],
  issuer: ['issuer', 'base', 'wire', 'keys'],
  sts: ['sts', 'base', 'wire', 'keys', 'policy'],
  gateway: ['gateway', 'base', 'wire', 'keys', 'policy'],
  runner: ['runner', 'base', 'wire'],
  storage: ['storage', 'base'],
} as const;

const isWing = (name: string): name is keyof typeof WINGS_BELOW => Object.hasOwn(WINGS_BELOW, name);

/** The ports that storage implements: all that it may know of the wings. */
const PORT_FILES = ['keys/store.ts', 'issuer/store.ts', 'sts/store.ts'];

/** Files that only their own room may import, because whoever has them can make what nobody else may. */
const PRIVATE_FILES = ['sts/verifier/verified-token.ts'];

/** Folders of storage that adapters share; every other folder there is an adapter. */
const SHARED_STORAGE = ['rows', 'migrations', 'conformance'];

/** The suite that every adapter's test runs: tests use it and the program does not. */
const isTestSupport = (path: string): boolean => /^storage\/conformance(\/|\.)/.test(path);

/** Rooms without I/O: no runtime import of these there. */
const PURE_WINGS = ['base', 'wire'];
const IO_MODULES =
  /^node:(fs|net|http|https|http2|tls|dns|dgram|child_process|worker_threads|cluster|sqlite|readline)(\/|$)/;

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);
const wingOf = (path: string): string => path.split('/')[0] ?? '';
const isTest = (path: string): boolean => path.endsWith('.test.ts');

/** Every import of one source text: static, type-only, re-exports, dynamic, `import('…')` types and `require`. */
export function readImports(file: SourceFile): { readonly imports: readonly Import[]; readonly errors: number } {
  const parsed = parseSync(file.path, file.text);
  const imports: Import[] = [];
  visit(parsed.program, (node) => {
    const found = importOf(node);
    if (found !== undefined) imports.push(found);
  });
  return { imports, errors: parsed.errors.length };
}

type Node = Readonly<Record<string, unknown>>;

function visit(value: unknown, see: (node: Node) => void): void {
  if (Array.isArray(value)) for (const item of value) visit(item, see);
  else if (isNode(value)) {
    see(value);
    for (const child of Object.values(value)) visit(child, see);
  }
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value);

function importOf(node: Node): Import | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
      return { specifier: literal(node.source), kind: node.importKind === 'type' ? 'type' : 'static' };
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
      if (!isNode(node.source)) return undefined;
      return { specifier: literal(node.source), kind: node.exportKind === 'type' ? 'type' : 'static' };
    case 'ImportExpression':
      return { specifier: literal(node.source), kind: 'dynamic' };
    case 'TSImportType':
      return { specifier: literal(node.source ?? node.argument), kind: 'type' };
    case 'TSExternalModuleReference':
      return { specifier: literal(node.expression), kind: 'require' };
    case 'CallExpression':
      return isRequire(node.callee) ? { specifier: firstLiteral(node.arguments), kind: 'require' } : undefined;
    default:
      return undefined;
  }
}

const isRequire = (callee: unknown): boolean =>
  isNode(callee) && callee.type === 'Identifier' && callee.name === 'require';

const firstLiteral = (list: unknown): string | null => (Array.isArray(list) ? literal(list[0]) : null);

function literal(node: unknown): string | null {
  if (!isNode(node)) return null;
  if (node.type === 'TSLiteralType') return literal(node.literal);
  return typeof node.value === 'string' ? node.value : null;
}

/** Resolves a relative specifier from `from` to a path below `src`; `..` beyond it stays in front. */
function resolve(from: string, specifier: string): string {
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** Reads every file, and finds what cannot be read, resolved or checked. Test files may reach out of `src`. */
function readModules(files: readonly SourceFile[]): { modules: readonly Module[]; violations: Violation[] } {
  const known = new Set(files.map((file) => file.path));
  const violations: Violation[] = [];
  const modules = files.map((file) => {
    const { imports, errors } = readImports(file);
    if (errors > 0) violations.push({ rule: 'unreadable', file: file.path, detail: `${errors} syntax error(s)` });
    const targets: string[] = [];
    for (const { specifier, kind } of imports) {
      if (specifier === null) violations.push({ rule: 'computed', file: file.path, detail: `a ${kind} import` });
      else if (specifier.startsWith('.')) {
        const target = resolve(file.path, specifier);
        if (known.has(target)) targets.push(target);
        else if (!isTest(file.path)) violations.push({ rule: 'unresolved', file: file.path, detail: specifier });
      }
    }
    return { path: file.path, imports, targets };
  });
  return { modules, violations };
}

/** The table of allowed imports, and who may import adapters. Tests beside a file are free. */
function checkTable(modules: readonly Module[]): Violation[] {
  return modules
    .filter((module) => !isTest(module.path))
    .flatMap(({ path, targets }): Violation[] => {
      const wing = wingOf(path);
      const isPlaced = isWing(wing) || wing === 'app' || path === 'index.ts';
      if (!isPlaced) return [{ rule: 'table', file: path, detail: 'stands in no wing of the design' }];
      return targets.flatMap((target) => refusal(path, target) ?? []);
    });
}

function refusal(from: string, to: string): Violation | undefined {
  const violation = (rule: Violation['rule']): Violation => ({ rule, file: from, detail: `imports ${to}` });
  if (isTest(to) || (isTestSupport(to) && !isTestSupport(from))) return violation('table');
  if (from.startsWith('base/core/') && !to.startsWith('base/core/')) return violation('table');
  if (PRIVATE_FILES.includes(to) && folderOf(to) !== folderOf(from)) return violation('table');
  const adapter = adapterOf(to);
  if (adapter !== undefined && adapter !== adapterOf(from) && !isComposer(from)) return violation('adapter');
  const wing = wingOf(from);
  if (!isWing(wing)) return undefined;
  const isAllowed = WINGS_BELOW[wing].some((below) => below === wingOf(to));
  return isAllowed || (wing === 'storage' && PORT_FILES.includes(to)) ? undefined : violation('table');
}

/** The adapter that a file of storage belongs to; undefined for shared files and every other wing. */
function adapterOf(path: string): string | undefined {
  const [wing, folder, file] = path.split('/');
  if (wing !== 'storage' || folder === undefined || file === undefined) return undefined;
  return SHARED_STORAGE.includes(folder) ? undefined : folder;
}

const isComposer = (path: string): boolean => path.startsWith('app/compose/') || path === 'app/compose.ts';

/** Core imports node:util and nothing else from outside; the pure wings load no module that does I/O. */
function checkExternals(modules: readonly Module[]): Violation[] {
  return modules
    .filter((module) => !isTest(module.path))
    .flatMap((module) =>
      module.imports.flatMap(({ specifier, kind }): Violation[] => {
        if (specifier === null || specifier.startsWith('.')) return [];
        const isCore = module.path.startsWith('base/core/') && specifier !== 'node:util';
        const isIo = PURE_WINGS.includes(wingOf(module.path)) && kind !== 'type' && IO_MODULES.test(specifier);
        return isCore || isIo ? [{ rule: 'external', file: module.path, detail: `imports ${specifier}` }] : [];
      }),
    );
}

/** Cycles between files, and between the rooms (folders) of base and wire. Type-only imports count. */
function checkCycles(modules: readonly Module[]): Violation[] {
  const files = new Map(modules.map((module) => [module.path, new Set(module.targets)]));
  const rooms = new Map<string, Set<string>>();
  for (const { path, targets } of modules.filter((module) => !isTest(module.path))) {
    const room = pureRoomOf(path);
    if (room === undefined) continue;
    const below = rooms.get(room) ?? new Set();
    for (const target of targets.map(pureRoomOf)) if (target !== undefined && target !== room) below.add(target);
    rooms.set(room, below);
  }
  return [...cyclesOf(files), ...cyclesOf(rooms)];
}

function pureRoomOf(path: string): string | undefined {
  const [wing, room, file] = path.split('/');
  return wing !== undefined && PURE_WINGS.includes(wing) && file !== undefined ? `${wing}/${room}` : undefined;
}

/** One violation for each edge that closes a cycle, found depth first. */
function cyclesOf(graph: ReadonlyMap<string, ReadonlySet<string>>): Violation[] {
  const violations: Violation[] = [];
  const done = new Set<string>();
  const walk = (node: string, path: readonly string[]): void => {
    const start = path.indexOf(node);
    if (start !== -1) {
      violations.push({ rule: 'cycle', file: node, detail: [...path.slice(start), node].join(' → ') });
      return;
    }
    if (done.has(node)) return;
    for (const next of graph.get(node) ?? []) walk(next, [...path, node]);
    done.add(node);
  };
  for (const node of graph.keys()) walk(node, []);
  return violations;
}

/** The entry points of the program and of the package. */
const ENTRIES: readonly string[] = ['app/cli/main.ts', 'index.ts', 'policy/index.ts'];

/**
 * Files that no entry point reaches. Tests are no orphans, and make none useful but the storage conformance suite.
 * Before the command line's entry exists, nothing is checked.
 */
function checkOrphans(modules: readonly Module[]): Violation[] {
  if (!modules.some((module) => module.path === 'app/cli/main.ts')) return [];
  const reached = reachedFrom(modules, ENTRIES);
  const tests = modules.filter((module) => isTest(module.path)).map((module) => module.path);
  const tested = reachedFrom(modules, tests);
  return modules
    .filter(({ path }) => !(isTest(path) || reached.has(path) || (isTestSupport(path) && tested.has(path))))
    .map((module) => ({ rule: 'orphan', file: module.path, detail: 'no entry point reaches it' }));
}

function reachedFrom(modules: readonly Module[], roots: readonly string[]): ReadonlySet<string> {
  const targetsOf = new Map(modules.map((module) => [module.path, module.targets]));
  const reached = new Set<string>();
  const pending = [...roots];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    pending.push(...(targetsOf.get(path) ?? []));
  }
  return reached;
}

/** Every rule over every file. */
export function checkImports(files: readonly SourceFile[]): Violation[] {
  const { modules, violations } = readModules(files);
  return [
    ...violations,
    ...checkTable(modules),
    ...checkExternals(modules),
    ...checkCycles(modules),
    ...checkOrphans(modules),
  ];
}
