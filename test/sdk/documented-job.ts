// Blocks of a page as a job runs them: by a shell, in a folder with the file to publish, with what the job finds in its environment.
import { symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { withNames } from '../documented-page.ts';
import { type ClientHome, type ClientRun, runClient } from './client-processes.ts';
import { pathWithJobpass } from './command-on-path.ts';

/** What the uploads of the pages upload. */
export const WEB_TAR = 'this is web.tar';

export interface DocumentedJob {
  /** Runs the script to its end. */
  sh(script: string): Promise<ClientRun>;
  /** Leaves a program of the page beside it; the command that runs it comes back. */
  program(name: string, text: string): string;
}

/** `names`: what stands for the names of the page. `env`: what the job finds besides the search path. */
export function documentedJob(
  home: ClientHome,
  o: { readonly names: Readonly<Record<string, string>>; readonly env: Readonly<Record<string, string>> },
): DocumentedJob {
  const variables = { ...home.variables, PATH: pathWithJobpass(home.folder), TMPDIR: home.folder, ...o.env };
  home.write('web.tar', WEB_TAR);
  symlinkSync(resolve(import.meta.dirname, '../../node_modules'), join(home.folder, 'node_modules'));
  return {
    sh: (script) => runClient('/bin/sh', ['-euc', `cd ${home.folder}\n${withNames(script, o.names)}`], variables),
    program: (name, text) => {
      writeFileSync(join(home.folder, name), withNames(text, o.names));
      return `"${process.execPath}" ${name}`;
    },
  };
}
