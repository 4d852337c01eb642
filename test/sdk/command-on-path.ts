// `jobpass` as shells find it by its name.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const MAIN = resolve(import.meta.dirname, '../../src/app/cli/main.ts');

/** Puts the program from source into `folder`/bin; gives a search path that begins there. */
export function pathWithJobpass(folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const program = join(bin, 'jobpass');
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  chmodSync(program, 0o755);
  return `${bin}:${process.env.PATH ?? ''}`;
}
