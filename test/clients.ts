// Real programs that suites are proved with. Where one is missing, its suite is skipped in sight of everybody; in CI it fails.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import required from './required-clients.json' with { type: 'json' };

/** Where Debian keeps servers; ordinary users do not have it in their path. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/**
 * The absolute path of the program `name`, or undefined after a line on standard error. With CI=true a missing program
 * that test/required-clients.json lists throws instead, so that nothing is green that was not run.
 */
export function requireClient(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? missing(name);
}

/** The absolute path of a Python that has the module `name`, which is a client of its own; else as above. */
export function requirePythonModule(name: string): string | undefined {
  const python = requireClient('python3');
  if (python === undefined) return missing(name);
  const { status } = spawnSync(python, ['-c', `import ${name}`], { stdio: 'ignore' });
  return status === 0 ? python : missing(name);
}

function missing(name: string): undefined {
  if (process.env.CI === 'true' && required.required.includes(name)) {
    throw new Error(`${name} is required in CI and is not installed (test/required-clients.json)`);
  }
  process.stderr.write(`skipped: ${name} is not installed\n`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
