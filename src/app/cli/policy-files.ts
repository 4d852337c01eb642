// Policies on disk for commands that need no server: one file of any dialect, or a folder of them.
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { MAX_POLICY_BYTES } from '../../base/core/limits.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { Problem } from '../../base/document/problem.ts';
import { buildPolicySet, type PolicySet } from '../../policy/policy-set.ts';
import { readPolicy } from '../../policy/read-policy.ts';
import type { ReadFile } from '../../policy/readers/jobpass-trust.ts';
import type { Role } from '../../policy/role.ts';
import { isRoleFile } from '../compose/policy-folder.ts';
import { CommandFailure, EXIT } from './command.ts';
import { problemsFailure } from './config-option.ts';

/**
 * The policies at `path`, relative to `from`: a file of any dialect; a tenant's folder of roles; or a folder with one folder
 * for each tenant, as the server reads it. `anyAccount` as readPolicy takes it. Throws CommandFailure (usage) with every problem of every file.
 */
export function readPolicies(path: string, from: string, options: { readonly anyAccount?: boolean } = {}): PolicySet {
  const target = resolve(from, path);
  const stats = statSync(target, { throwIfNoEntry: false });
  if (stats === undefined)
    throw new CommandFailure(`there is no ${path}`, {
      exitCode: EXIT.usage,
      hint: 'name a policy, or a folder of them',
    });
  const files = stats.isDirectory() ? policyFiles(target) : [target];
  if (files.length === 0)
    throw new CommandFailure(`there is no policy in ${path}`, {
      exitCode: EXIT.usage,
      hint: 'wanted <role>.yaml or <tenant>/<role>.yaml; name a file of a cloud’s own by itself',
    });
  const problems: Problem[] = [];
  const roles = files.flatMap((file): readonly Role[] => {
    const role = readOne(file, from, options);
    if (role.ok) return [role.value];
    problems.push(...role.error);
    return [];
  });
  if (problems.length > 0) throw problemsFailure(problems);
  return buildPolicySet(roles);
}

/** Role files in the folder itself and, as the server looks, one level below it. */
function policyFiles(folder: string): readonly string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  const nested = entries
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => roleFilesIn(join(folder, entry.name)));
  return [...roleFilesIn(folder), ...nested].sort();
}

const roleFilesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && isRoleFile(entry.name))
    .map((entry) => join(folder, entry.name));

function readOne(
  path: string,
  from: string,
  options: { readonly anyAccount?: boolean },
): Result<Role, readonly Problem[]> {
  const shown = relative(from, path);
  const file = shown.startsWith('..') ? path : shown;
  const text = readText(path);
  if (!text.ok) return err([{ file, line: 1, column: 1, path: '', message: text.error }]);
  const folder = dirname(path);
  return readPolicy({ tenant: basename(folder), file, text: text.value }, { ...options, readFile: filesBelow(folder) });
}

/** Files below one tenant's folder; links lead nowhere. */
export const filesBelow =
  (folder: string): ReadFile =>
  (path) => {
    try {
      const target = join(folder, path);
      if (realpathSync(target) !== `${realpathSync(folder)}/${path}`) return err('wanted a file, not a link');
      return readText(target);
    } catch {
      return err('there is no such file');
    }
  };

/** The text of a file that may be too large or no text; the error says which. */
function readText(path: string): Result<string, string> {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) return err('not a file');
    if (stats.size > MAX_POLICY_BYTES) return err(`larger than ${MAX_POLICY_BYTES} bytes`);
    return ok(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path)));
  } catch (error) {
    return err(error instanceof TypeError ? 'not UTF-8' : 'cannot be read');
  }
}
