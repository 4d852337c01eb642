// The demo's git repository, made from the example.
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cloud } from './clouds.ts';

/** Makes the repository from the example, with `fill` over every text that may hold an address. */
export function makeRepository(example: string, repository: string, fill: (text: string) => string): void {
  cpSync(example, repository, { recursive: true, filter: (path) => !path.includes(`${example}/policies`) });
  for (const file of readdirSync(repository).filter((name) => /\.(yaml|mjs|sh)$/.test(name)))
    writeFileSync(join(repository, file), fill(readFileSync(join(repository, file), 'utf8')));
  git(repository, 'init', '--quiet', '--initial-branch=main');
  git(repository, 'config', 'user.name', 'you');
  git(repository, 'config', 'user.email', 'you@example.com');
  git(repository, 'add', '.');
  git(repository, 'commit', '--quiet', '--message', 'a web shop');
}

/** Has the jobs of the repository publish by another cloud's words: a commit as a person would make it. */
export function publishTo(stage: { readonly repository: string; readonly caFile: string | null }, cloud: Cloud): void {
  const { caFile, repository } = stage;
  const file = join(repository, 'cloud.sh');
  const chosen = readFileSync(file, 'utf8').replace(/^export CLOUD=.*$/m, `export CLOUD=${cloud}`);
  // Without the stage's folder nobody trusts the stage's CA; the example itself names none.
  const trusted = caFile === null || chosen.includes(caFile) ? '' : `export NODE_EXTRA_CA_CERTS='${caFile}'\n`;
  writeFileSync(file, `${chosen}${trusted}`);
  git(repository, 'commit', '--quiet', '--all', '--allow-empty', '--message', `publish to ${cloud}`);
}

const git = (repository: string, ...args: readonly string[]): void =>
  void execFileSync('git', args, { cwd: repository, stdio: 'pipe', env: gitEnvironment() });

/** Git with the machine's own settings out of the way: the demo's repository is the same everywhere. */
const gitEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
});
