// Where this program is, from source and from the bundle: its version and its examples.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { JobpassError } from '../base/core/errors.ts';

/** The folder that holds package.json and examples/. Throws ERR_PACKAGE_INCOMPLETE when there is none above this file. */
export function packageFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder))
    if (existsSync(join(folder, 'package.json'))) return folder;
  throw new JobpassError('ERR_PACKAGE_INCOMPLETE', 'the program is not inside its package', { hint: 'reinstall it' });
}

/** The version in package.json. */
export function packageVersion(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8'));
  return version;
}
