// Real programs that suites are proved with. Where one is missing, its suite is skipped in sight of everybody; in CI it fails.
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
  const found = folders.map((folder) => join(folder, name)).find(isExecutable);
  if (found !== undefined) return found;
  if (process.env.CI === 'true' && required.required.includes(name)) {
    throw new Error(`${name} is required in CI and is not installed (test/required-clients.json)`);
  }
  process.stderr.write(`skipped: ${name} is not installed\n`);
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
