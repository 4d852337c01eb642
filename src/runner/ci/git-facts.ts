// What git says about the repository a person stands in. Facts come from the commit, never from files that nobody committed.
import { execFile } from 'node:child_process';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';
import type { Result } from '../../base/core/result.ts';
import { err, ok } from '../../base/core/result.ts';
import type { NamedId } from '../../base/identity/facts.ts';
import type { Environment } from '../client.ts';
import type { RunnerFailure } from '../failure.ts';

/** The facts of a run that git knows. A local repository knows no branch protection, so nothing here is ever protected. */
export interface GitFacts {
  /** The top folder of the work tree. */
  readonly root: string;
  readonly sha: string;
  /** `refs/heads/…`, or `refs/detached/<sha>` when HEAD names no branch. */
  readonly ref: string;
  readonly refType: 'branch' | 'other';
  /** `user.name` of git; the id is the account on this machine, because git's own names are anyone's choice. */
  readonly actor: NamedId;
  /** Uncommitted changes exist. They do not run: the commit does. */
  readonly dirty: boolean;
}

/** Runs git with arguments (never through a shell) and gives its output; undefined when it failed. */
export type Git = (args: readonly string[], folder: string) => Promise<Result<string, GitProblem>>;

/** How git failed. `stderr` is for the operator; it names paths. */
interface GitProblem {
  readonly kind: 'missing' | 'failed';
  readonly stderr: string;
}

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/**
 * Git on this machine with a clean environment: no `GIT_*` variable may point it at another repository, it asks nothing on the
 * terminal, and it runs no hook and no file-system monitor of the repository.
 */
export function createGit(env: Environment): Git {
  const clean: NodeJS.ProcessEnv = { LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0' };
  for (const name of ['PATH', 'HOME', 'XDG_CONFIG_HOME', 'TMPDIR']) {
    if (env[name] !== undefined) clean[name] = env[name];
  }
  const fixed = ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false'];
  return async (args, folder) => {
    try {
      const { stdout } = await run('git', [...fixed, ...args], {
        cwd: folder,
        env: clean,
        maxBuffer: MAX_OUTPUT_BYTES,
      });
      return ok(stdout);
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
      const stderr = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : '';
      return err({ kind: code === 'ENOENT' ? 'missing' : 'failed', stderr });
    }
  };
}

/** Reads the facts of the repository around `folder`. `usage` when there is none, or none with a commit. */
export async function readGitFacts(git: Git, folder: string): Promise<Result<GitFacts, RunnerFailure>> {
  const top = await git(['rev-parse', '--show-toplevel'], folder);
  if (!top.ok) return err(noRepository(top.error, folder));
  const root = top.value.replace(/\n$/, '');
  const head = await git(['rev-parse', '--verify', '--end-of-options', 'HEAD^{commit}'], root);
  if (!head.ok) return usage(`${root} has no commit yet`, 'git commit, then run again: the commit is what runs');
  const sha = head.value.trim();
  const branch = await git(['symbolic-ref', '--quiet', 'HEAD'], root);
  const name = await git(['config', '--get', 'user.name'], root);
  const status = await git(['status', '--porcelain', '--untracked-files=normal'], root);
  if (!status.ok) return err({ kind: 'failed', message: `git status failed in ${root}` });
  return ok({
    root,
    sha,
    ref: branch.ok ? branch.value.trim() : `refs/detached/${sha}`,
    refType: branch.ok ? 'branch' : 'other',
    actor: actorOf(name.ok ? name.value.trim() : ''),
    dirty: status.value !== '',
  });
}

function actorOf(name: string): NamedId {
  const account = userInfo();
  return { name: name === '' ? account.username : name, id: `uid-${account.uid}` };
}

function noRepository(problem: GitProblem, folder: string): RunnerFailure {
  if (problem.kind === 'missing') return { kind: 'usage', message: 'git is not installed', hint: 'install git' };
  if (problem.stderr.includes('dubious ownership')) {
    return { kind: 'usage', message: `git does not trust ${folder}: it belongs to another user` };
  }
  return {
    kind: 'usage',
    message: `${folder} is not inside a git repository`,
    hint: 'git init, commit, then run again',
  };
}

const usage = (message: string, hint: string): Result<never, RunnerFailure> => err({ kind: 'usage', message, hint });
