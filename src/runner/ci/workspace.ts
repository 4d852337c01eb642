// A job's own folder: a fresh checkout of the commit, its HOME and its TMPDIR. It is deleted whatever happens.
import { chmod, copyFile, cp, lstat, mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, sep } from 'node:path';
import type { Result } from '../../base/core/result.ts';
import { err, ok } from '../../base/core/result.ts';
import type { RunnerFailure } from '../failure.ts';
import type { Git } from './git-facts.ts';

/** The folders of one job. */
export interface Workspace {
  /** Parent of the three below, mode 0700. */
  readonly folder: string;
  /** The checkout; steps start here. */
  readonly checkout: string;
  readonly home: string;
  readonly tmp: string;
}

/** A file that a job made for those that need it. */
export interface Output {
  readonly name: string;
  readonly bytes: number;
}

/** Makes a new folder that only this user can enter, below the machine's folder for temporary files. */
export const makeRunFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'jobpass-run-'));

/**
 * Checks `sha` out of the repository at `root` into a new workspace below `runFolder`. The clone shares no file with the
 * repository (no hard links), knows no remote that a job could push to, and runs no hook.
 */
export async function openWorkspace(
  git: Git,
  options: { readonly runFolder: string; readonly job: string; readonly root: string; readonly sha: string },
): Promise<Result<Workspace, RunnerFailure>> {
  const folder = await mkdtemp(join(options.runFolder, `${options.job}-`));
  const workspace = { folder, checkout: join(folder, 'work'), home: join(folder, 'home'), tmp: join(folder, 'tmp') };
  await mkdir(workspace.home, { mode: 0o700 });
  await mkdir(workspace.tmp, { mode: 0o700 });
  const cloneArgs = [
    'clone',
    '--quiet',
    '--no-checkout',
    '--no-hardlinks',
    '--template=',
    '--',
    options.root,
    workspace.checkout,
  ];
  const steps: readonly (readonly [readonly string[], string])[] = [
    [cloneArgs, folder],
    [['checkout', '--quiet', '--detach', options.sha, '--'], workspace.checkout],
    [['remote', 'remove', 'origin'], workspace.checkout],
  ];
  for (const [args, where] of steps) {
    const done = await git(args, where);
    if (done.ok) continue;
    await removeFolder(folder);
    const detail = done.error.stderr.trim().split('\n')[0] ?? '';
    return err({ kind: 'failed', message: `the commit could not be checked out: git ${args[0]}: ${detail}` });
  }
  return ok(workspace);
}

/**
 * Copies the files that match `patterns` from the checkout to `target`. `failed` when a pattern matches nothing, or something
 * that is not a file inside the checkout (a link could name any file of this user).
 */
export async function collectOutputs(
  workspace: Workspace,
  patterns: readonly string[],
  target: string,
): Promise<Result<readonly Output[], RunnerFailure>> {
  const outputs: Output[] = [];
  const inside = (await realpath(workspace.checkout)) + sep;
  for (const pattern of patterns) {
    const found = await matchFiles(workspace.checkout, pattern);
    if (found.length === 0) return failed(`the output ${pattern} was not made`);
    for (const name of found) {
      const from = join(workspace.checkout, name);
      const stat = await lstat(from);
      if (!stat.isFile() || !(await realpath(from)).startsWith(inside))
        return failed(`the output ${name} is not a plain file of the job`);
      await mkdir(dirname(join(target, name)), { recursive: true, mode: 0o700 });
      await copyFile(from, join(target, name));
      outputs.push({ name, bytes: stat.size });
    }
  }
  return ok(outputs);
}

/** Puts the outputs of `need` into `needs/<need>/` of the checkout. `failed` when the commit has something there already. */
export async function placeOutputs(
  workspace: Workspace,
  need: string,
  source: string,
): Promise<Result<void, RunnerFailure>> {
  const needs = join(workspace.checkout, 'needs');
  await mkdir(needs).catch(ignoreExisting);
  // A link in the commit would make this a write to any place of this user.
  if (!(await lstat(needs)).isDirectory())
    return failed('the commit has a file named needs, where the outputs of other jobs belong');
  const made = await mkdir(join(needs, need)).then(() => true, ignoreExisting);
  if (made !== true) return failed(`the commit has a needs/${need} of its own, where the outputs of ${need} belong`);
  await cp(source, join(needs, need), { recursive: true });
  return ok(undefined);
}

/**
 * Deletes a folder and everything in it, also what a job made read-only. Gives the problem when something is left.
 * Links are removed, never followed.
 */
export async function removeFolder(folder: string): Promise<string | undefined> {
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    return undefined;
  } catch {
    // Some tools (Go's module cache) make their folders read-only, and then even the owner cannot empty them.
  }
  try {
    await openUp(folder);
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    return undefined;
  } catch (cause) {
    return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown failure';
  }
}

async function openUp(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await openUp(join(folder, entry.name));
  }
}

/** Names below `folder` that match; a star is only in the last part. */
async function matchFiles(folder: string, pattern: string): Promise<readonly string[]> {
  const parent = dirname(pattern);
  const entries = await readdir(join(folder, parent)).catch(() => [] as string[]);
  return entries
    .filter((name) => matchesName(name, basename(pattern)))
    .sort()
    .map((name) => (parent === '.' ? name : `${parent}/${name}`));
}

/** Whether `name` is `pattern` with each star standing for any run of characters. Linear: no backtracking over a hostile name. */
export function matchesName(name: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}

function ignoreExisting(cause: NodeJS.ErrnoException): void {
  if (cause.code !== 'EEXIST') throw cause;
}

const failed = (message: string): Result<never, RunnerFailure> => err({ kind: 'failed', message });
