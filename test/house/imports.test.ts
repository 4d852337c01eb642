// Holds the sources to the import rules of the design, and proves of each rule that it can fail.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkImports, readImports, type SourceFile, type Violation } from './import-rules.ts';

const SRC = resolve(import.meta.dirname, '../../src');

/** Every TypeScript file below src, found by listing. */
function readSources(): SourceFile[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path: path.split(sep).join('/'), text: readFileSync(join(SRC, path), 'utf8') }));
}

/** The same number, found by walking: a reader that silently reads nothing must not pass. */
function countSources(folder: string): number {
  let count = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) count += countSources(join(folder, entry.name));
    else if (entry.name.endsWith('.ts')) count += 1;
  }
  return count;
}

const lines = (violations: readonly Violation[]): string[] =>
  violations.map(({ rule, file, detail }) => `${rule}: ${file}: ${detail}`);

describe('the sources', () => {
  const sources = readSources();

  it('are all read', () => {
    expect(sources.length).toBeGreaterThan(0);
    expect(sources).toHaveLength(countSources(SRC));
  });

  it('contain imports that the reader sees', () => {
    expect(sources.flatMap((source) => readImports(source).imports).length).toBeGreaterThan(sources.length / 2);
  });

  it('keep every import rule', () => {
    expect(lines(checkImports(sources))).toEqual([]);
  });
});

describe('the reader', () => {
  it.each([
    ['static', "import { a } from './a.ts';"],
    ['static', "import './a.ts';"],
    ['static', "export { a } from './a.ts';"],
    ['static', "export * from './a.ts';"],
    ['type', "import type { A } from './a.ts';"],
    ['type', "export type { A } from './a.ts';"],
    ['type', "type A = import('./a.ts').A;"],
    ['type', "let a: typeof import('./a.ts');"],
    ['dynamic', "async function f() { return (await import('./a.ts')).a; }"],
    ['require', "const a = require('./a.ts');"],
    ['require', "import a = require('./a.ts');"],
  ])('sees a %s import in %s', (kind, text) => {
    expect(readImports({ path: 'base/x.ts', text }).imports).toEqual([{ specifier: './a.ts', kind }]);
  });
});

/** A small house that keeps every rule; each case below plants one violation in it. */
const HOUSE: Readonly<Record<string, string>> = {
  'index.ts': "export * from './base/jwt/a.ts';",
  'app/cli/main.ts': "import '../compose/all.ts'; await import('../../runner/a.ts');",
  'app/compose/all.ts': `
    import '../../storage/sqlite/a.ts'; import '../../storage/postgres/a.ts'; import '../../issuer/a.ts';
    import '../../sts/a.ts'; import '../../gateway/a.ts'; import '../../wire/other/a.ts'; import '../config/a.ts';`,
  'app/config/a.ts': '',
  'base/core/a.ts': "import { inspect } from 'node:util'; export const a = inspect;",
  'base/ports/a.ts': "import '../core/a.ts';",
  'base/json/a.ts': "import '../core/a.ts';",
  'base/jwt/a.ts': "import type { B } from '../core/a.ts'; import '../json/a.ts'; import 'jose';",
  'base/jwt/b.ts': "import type { Agent } from 'node:http';",
  'wire/github/a.ts': "import '../../base/jwt/a.ts'; import '../../base/jwt/b.ts'; import '../../base/ports/a.ts';",
  'wire/other/a.ts': '',
  'keys/a.ts': "import './store.ts';",
  'keys/store.ts': "export type { A } from '../base/core/a.ts';",
  'policy/a.ts': "import '../base/core/a.ts';",
  'issuer/a.ts': "import '../wire/github/a.ts'; import '../keys/a.ts'; import './store.ts';",
  'issuer/store.ts': '',
  'sts/a.ts': "import '../policy/a.ts'; import './store.ts'; import './b.ts';",
  'sts/b.ts': '',
  'sts/store.ts': '',
  'gateway/a.ts': "import '../policy/a.ts'; import 'node:http';",
  'runner/a.ts': "import '../wire/github/a.ts';",
  'storage/migrations/a.ts': '',
  'storage/conformance/a.ts': "import '../../sts/store.ts'; import 'vitest';",
  'storage/sqlite/a.ts': `
    import type { A } from '../../sts/store.ts'; import '../migrations/a.ts'; import './b.ts';
    import '../../issuer/store.ts'; import '../../keys/store.ts';`,
  'storage/sqlite/b.ts': '',
  'storage/sqlite/a.test.ts': "import '../conformance/a.ts'; import './a.ts';",
  'storage/postgres/a.ts': '',
  'sts/a.test.ts': "import '../issuer/a.ts'; import '../../test/fakes/clock.ts';",
};

function check(files: Readonly<Record<string, string>>): string[] {
  return lines(checkImports(Object.entries(files).map(([path, text]) => ({ path, text }))));
}

describe('a house that keeps the rules', () => {
  it('has no violation', () => {
    expect(check(HOUSE)).toEqual([]);
  });

  it('has no orphans before the command line exists', () => {
    const files = Object.entries({ ...HOUSE, 'policy/lonely.ts': '' });
    expect(check(Object.fromEntries(files.filter(([path]) => path !== 'app/cli/main.ts')))).toEqual([]);
  });
});

describe('a planted violation is found:', () => {
  it.each([
    [
      'core imports another room',
      'table: base/core/a.ts',
      { 'base/core/a.ts': "import '../identity/a.ts';", 'base/identity/a.ts': '' },
    ],
    ['base imports wire', 'table: base/json/a.ts', { 'base/json/a.ts': "import '../../wire/other/a.ts';" }],
    [
      'wire imports keys',
      'table: wire/github/a.ts',
      { 'wire/github/a.ts': "import type { A } from '../../keys/a.ts';" },
    ],
    ['keys imports wire', 'table: keys/store.ts', { 'keys/store.ts': "export * from '../wire/github/a.ts';" }],
    ['policy imports keys', 'table: policy/a.ts', { 'policy/a.ts': "await import('../keys/store.ts');" }],
    ['issuer imports policy', 'table: issuer/a.ts', { 'issuer/a.ts': "import '../policy/a.ts';" }],
    [
      'a file of another room makes what only the verifier may',
      'table: sts/a.ts',
      { 'sts/verifier/verified-token.ts': '', 'sts/a.ts': "import './verifier/verified-token.ts';" },
    ],
    ['sts imports issuer', 'table: sts/b.ts', { 'sts/b.ts': "let a: import('../issuer/a.ts').A;" }],
    ['gateway imports sts', 'table: gateway/a.ts', { 'gateway/a.ts': "import '../sts/store.ts';" }],
    ['runner imports keys', 'table: runner/a.ts', { 'runner/a.ts': "import '../keys/store.ts';" }],
    ['a wing imports app', 'table: sts/b.ts', { 'sts/b.ts': "import '../app/config/a.ts';" }],
    ['a wing imports the index', 'table: runner/a.ts', { 'runner/a.ts': "import '../index.ts';" }],
    [
      'storage imports more than the ports',
      'table: storage/sqlite/b.ts',
      { 'storage/sqlite/b.ts': "import '../../sts/b.ts';" },
    ],
    [
      'the program imports a test',
      'table: sts/b.ts',
      { 'sts/b.ts': "import '../policy/a.test.ts';", 'policy/a.test.ts': '' },
    ],
    [
      'the program imports the conformance suite',
      'table: storage/sqlite/b.ts',
      { 'storage/sqlite/b.ts': "import '../conformance/a.ts';" },
    ],
    [
      'a folder beside the wings',
      'table: utils/a.ts',
      { 'utils/a.ts': '', 'app/config/a.ts': "import '../../utils/a.ts';" },
    ],
    [
      'an adapter imports its sibling',
      'adapter: storage/postgres/a.ts',
      { 'storage/postgres/a.ts': "import '../sqlite/b.ts';" },
    ],
    [
      'shared storage imports an adapter',
      'adapter: storage/migrations/a.ts',
      { 'storage/migrations/a.ts': "import '../sqlite/b.ts';" },
    ],
    [
      'app outside compose imports an adapter',
      'adapter: app/config/a.ts',
      { 'app/config/a.ts': "import '../../storage/sqlite/a.ts';" },
    ],
    ['a wing imports an adapter', 'adapter: sts/b.ts', { 'sts/b.ts': "import '../storage/sqlite/b.ts';" }],
    ['core imports a package', 'external: base/core/a.ts', { 'base/core/a.ts': "import type { A } from 'zod';" }],
    ['base does I/O', 'external: base/jwt/b.ts', { 'base/jwt/b.ts': "import 'node:fs/promises';" }],
    ['wire does I/O', 'external: wire/other/a.ts', { 'wire/other/a.ts': "import 'node:http';" }],
    ['an import of nothing', 'unresolved: sts/b.ts', { 'sts/b.ts': "import './gone.ts';" }],
    ['an import from outside src', 'unresolved: sts/b.ts', { 'sts/b.ts': "import '../../test/fakes/clock.ts';" }],
    ['an import without its ending', 'unresolved: sts/b.ts', { 'sts/b.ts': "import './store';" }],
    ['a computed import', 'computed: app/config/a.ts', { 'app/config/a.ts': 'await import(process.argv[2]);' }],
    ['a file that does not parse', 'unreadable: sts/b.ts', { 'sts/b.ts': 'import from;' }],
    ['a cycle of files, one edge type-only', 'cycle: sts/a.ts', { 'sts/b.ts': "import type { A } from './a.ts';" }],
    ['a cycle of rooms without a cycle of files', 'cycle: base/json', { 'base/json/a.ts': "import '../jwt/b.ts';" }],
    ['an orphan', 'orphan: policy/lonely.ts', { 'policy/lonely.ts': "import './a.ts';" }],
    [
      'a file that only its test uses',
      'orphan: policy/lonely.ts',
      { 'policy/lonely.ts': '', 'policy/lonely.test.ts': "import './lonely.ts';" },
    ],
  ])('%s', (_, expected, changes: Readonly<Record<string, string>>) => {
    const found = check({ ...HOUSE, ...changes }).filter((line) => !isConsequence(line, changes));
    expect(found.map((line) => line.split(': ').slice(0, 2).join(': '))).toEqual([expected]);
  });
});

/** Replacing a file's imports can cut others off: they are no orphans of the case's own making. */
const isConsequence = (line: string, changes: Readonly<Record<string, string>>): boolean =>
  line.startsWith('orphan: ') && !Object.keys(changes).some((path) => line.startsWith(`orphan: ${path}: `));
