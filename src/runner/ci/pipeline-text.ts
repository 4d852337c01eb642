// Where a run reads its pipeline from: the commit that runs, because that is what the jobs' tokens say.
import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import type { Result } from '../../base/core/result.ts';
import { err, ok } from '../../base/core/result.ts';
import type { RunnerFailure } from '../failure.ts';
import type { Git, GitFacts } from './git-facts.ts';

export interface PipelineText {
  readonly text: string;
  /** False: the file lies outside the repository, so no commit holds it and it was read as it is. */
  readonly committed: boolean;
}

/**
 * The text of the pipeline file at `path` (absolute) as the commit of `facts` has it; changes that nobody committed do not
 * count. A file outside the repository is read as it is. `usage` when the file lies in the repository and not in the commit,
 * or cannot be read.
 */
export async function readPipelineText(
  git: Git,
  facts: Pick<GitFacts, 'root' | 'sha'>,
  path: string,
): Promise<Result<PipelineText, RunnerFailure>> {
  const real = await realPath(path);
  if (real === undefined) return unreadable(path);
  const inside = relative(await realpath(facts.root), real);
  if (isAbsolute(inside) || inside === '..' || inside.startsWith(`..${sep}`)) return readOutside(path);
  const name = inside.split(sep).join('/');
  const blob = await git(['cat-file', 'blob', `${facts.sha}:${name}`], facts.root);
  if (blob.ok) return ok({ text: blob.value, committed: true });
  return err({
    kind: 'usage',
    message: `${name} is not part of the commit ${facts.sha.slice(0, 7)}, which is what runs`,
    hint: `git add ${name}, git commit, then run again`,
  });
}

/** The path without symbolic links; the last part need not exist, because only the commit has to hold it. */
async function realPath(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch {
    const folder = await realpath(dirname(path)).catch(() => undefined);
    return folder === undefined ? undefined : join(folder, basename(path));
  }
}

async function readOutside(path: string): Promise<Result<PipelineText, RunnerFailure>> {
  try {
    return ok({ text: await readFile(path, 'utf8'), committed: false });
  } catch {
    return unreadable(path);
  }
}

const unreadable = (path: string): Result<never, RunnerFailure> =>
  err({ kind: 'usage', message: `${path} cannot be read` });
