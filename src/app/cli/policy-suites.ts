// Finds roles and their tests on disk and reads both. What the tests come to is policy/test's business.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { MAX_TOKEN_BYTES } from '../../base/core/limits.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import type { Problem } from '../../base/document/problem.ts';
import { buildPolicySet, type PolicySet } from '../../policy/policy-set.ts';

import { readPolicy } from '../../policy/read-policy.ts';
import { readRole } from '../../policy/readers/jobpass.ts';
import type { Role } from '../../policy/role.ts';
import { type PolicyTest, type PolicyTestFile, readPolicyTests } from '../../policy/test/test-file.ts';
import { isRoleFile } from '../compose/policy-folder.ts';
import { CommandFailure, EXIT } from './command.ts';
import { filesBelow } from './policy-files.ts';

/** Tests and the roles that they are decided by. */
interface PolicySuite {
  readonly set: PolicySet;
  readonly tests: readonly PolicyTest[];
}

export interface PolicySuites {
  readonly suites: readonly PolicySuite[];
  /** When there are any, `suites` is not whole. */
  readonly problems: readonly Problem[];
  /** Every file that was read or looked for, absolute. */
  readonly files: readonly string[];
}

const TEST_ENDING = '.test.yaml';

/**
 * The tests at `path`: a folder of `<tenant>/<role>.yaml` with tests beside them, one tenant's folder, a file of tests, or a
 * policy with its tests beside it. Test files that name their policy are decided by that alone, others by the roles beside
 * them. Throws CommandFailure (usage) when there is nothing at `path`.
 */
export function policySuites(
  path: string,
  options: { readonly folder: string; readonly now: EpochSeconds },
): PolicySuites {
  const reading = new Reading(options);
  const target = resolve(options.folder, path);
  const stats = statSync(target, { throwIfNoEntry: false });
  if (stats === undefined)
    throw new CommandFailure(`there is no ${path}`, {
      exitCode: EXIT.usage,
      hint: 'name a folder of policies, or a file',
    });
  if (stats.isDirectory()) return reading.folder(target);
  return reading.file(target.endsWith(TEST_ENDING) ? target : target.replace(/\.(?:yaml|json)$/, TEST_ENDING));
}

class Reading {
  readonly #options: { readonly folder: string; readonly now: EpochSeconds };
  readonly #problems: Problem[] = [];
  readonly #files = new Set<string>();
  /** A test file that could not be read names no policy of its own. */
  #wantsRoles = false;

  constructor(options: { readonly folder: string; readonly now: EpochSeconds }) {
    this.#options = options;
  }

  folder(folder: string): PolicySuites {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
    const tests = names
      .filter((name) => name.endsWith(TEST_ENDING))
      .flatMap((name) => this.#testFile(join(folder, name), tenantOf(name, folder)));
    const own = tests.flatMap((file) => this.#ownSuite(file));
    const shared = tests.filter(({ read }) => read.policy === null).flatMap(({ read }) => read.tests);
    // Roles are read only where tests need them: a folder of cloud documents may hold all kinds of YAML.
    if (shared.length === 0 && !this.#wantsRoles) return this.#done(own);
    const roles = names
      // As the server reads them: one level of tenants.
      .filter((name) => isRoleFile(name) && name.split(sep).length <= 2)
      .flatMap((name) => this.#role(join(folder, name), tenantOf(name, folder)));
    return this.#done([{ set: buildPolicySet(roles), tests: shared }, ...own]);
  }

  /** One file of tests, with only those roles beside it that it asks for. */
  file(path: string): PolicySuites {
    const suites = this.#testFile(path, basename(dirname(path))).flatMap((file): readonly PolicySuite[] => {
      if (file.read.policy !== null) return this.#ownSuite(file);
      const names = new Set(file.read.tests.map(({ role }) => role.name));
      const roles = readdirSync(dirname(path))
        .filter((name) => isRoleFile(name) && names.has(name.slice(0, -'.yaml'.length)))
        .flatMap((name) => this.#role(join(dirname(path), name), file.tenant));
      return [{ set: buildPolicySet(roles), tests: file.read.tests }];
    });
    return this.#done(suites);
  }

  #done = (suites: readonly PolicySuite[]): PolicySuites => ({
    suites,
    problems: this.#problems,
    files: [...this.#files],
  });

  #testFile(path: string, tenant: string): readonly { path: string; tenant: string; read: PolicyTestFile }[] {
    const text = this.#text(path);
    if (text === undefined) return [];
    const read = readPolicyTests(
      { file: this.#shown(path), text },
      { tenant, now: this.#options.now, readToken: (name) => this.#token(resolve(dirname(path), name), name) },
    );
    // So that a folder's problems come all at once, whatever this file would have said.
    if (!read.ok && !/^policy:/m.test(text)) this.#wantsRoles = true;
    return this.#taken(read).map((file) => ({ path, tenant, read: file }));
  }

  /** The suite of a test file that names its policy. */
  #ownSuite(file: { path: string; tenant: string; read: PolicyTestFile }): readonly PolicySuite[] {
    const { policy, tests } = file.read;
    if (policy === null) return [];
    const path = resolve(dirname(file.path), policy.path);
    this.#files.add(path);
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
      this.#problems.push(policy.problem('there is no such file'));
      return [];
    }
    return this.#role(path, file.tenant, 'policy').map((role) => ({ set: buildPolicySet([role]), tests }));
  }

  /** A role as the server reads it, or, where a test file names it, a policy of any dialect. */
  #role(path: string, tenant: string, kind: 'role' | 'policy' = 'role'): readonly Role[] {
    const text = this.#text(path);
    if (text === undefined) return [];
    const source = { tenant, file: this.#shown(path), text };
    const folder = dirname(path);
    const options = {
      readFile: (name: string): Result<string, string> => {
        this.#files.add(resolve(folder, name));
        return filesBelow(folder)(name);
      },
    };
    return this.#taken(kind === 'role' ? readRole(source, null, options) : readPolicy(source, options));
  }

  #taken<T>(read: Result<T, readonly Problem[]>): readonly T[] {
    if (read.ok) return [read.value];
    this.#problems.push(...read.error);
    return [];
  }

  #text(path: string): string | undefined {
    this.#files.add(path);
    try {
      return readFileSync(path, 'utf8');
    } catch {
      const file = this.#shown(path);
      this.#problems.push({ file, line: 1, column: 1, path: '', message: 'the file cannot be read' });
      return undefined;
    }
  }

  #token(path: string, name: string): Result<string, string> {
    this.#files.add(path);
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size === undefined) return err(`there is no ${name}`);
    // A token with a few blanks around it.
    if (size > 2 * MAX_TOKEN_BYTES) return err(`${name} is too large for a token`);
    try {
      return ok(readFileSync(path, 'utf8'));
    } catch {
      return err(`${name} cannot be read`);
    }
  }

  /** Relative to where the person is, when that is shorter to read. */
  #shown(path: string): string {
    const shown = relative(this.#options.folder, path);
    return shown.startsWith('..') ? path : shown;
  }
}

/** The first folder on the way to the file; for files right in the folder that was named, its own name. */
const tenantOf = (name: string, folder: string): string =>
  name.includes(sep) ? (name.split(sep)[0] ?? '') : basename(folder);
