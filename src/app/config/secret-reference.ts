// Resolves where a secret comes from: a file, the environment, a systemd credential. Never from the configuration itself.
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { err, ok, type Result } from '../../base/core/result.ts';
import { Secret } from '../../base/core/secret.ts';

export interface SecretPlaces {
  /** Relative paths start here: the folder of the configuration file. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Others may neither read nor write it. */
const OWNER_ONLY_MASK = 0o077;
/** The same of a credential. */
const OTHERS_MASK = 0o007;

/** What is wrong with a reference, and what to do about it. */
export interface ReferenceProblem {
  readonly kind: 'absent' | 'exposed' | 'unreadable';
  readonly message: string;
  readonly hint?: string;
}

/**
 * The secret behind `file:PATH`, `env:NAME` or `credential:NAME` (systemd), one trailing newline removed.
 * A file that others may read is refused.
 */
export function resolveSecret(reference: string, places: SecretPlaces): Result<Secret, ReferenceProblem> {
  const separator = reference.indexOf(':');
  const kind = reference.slice(0, separator);
  const rest = reference.slice(separator + 1);
  if (kind === 'env') return fromEnvironment(rest, places);
  if (kind === 'file') return readPrivateFile(resolve(places.folder, rest));
  const credentials = places.env.CREDENTIALS_DIRECTORY;
  if (credentials === undefined)
    return err({
      kind: 'absent',
      message: `no credentials are loaded, so ${reference} cannot be read`,
      hint: `LoadCredential=${rest}:… in the unit`,
    });
  // A service manager that lets the service in by an access list shows that as rights of the group; its folder keeps all others out.
  return readPrivateFile(join(credentials, rest), OTHERS_MASK);
}

function fromEnvironment(name: string, places: SecretPlaces): Result<Secret, ReferenceProblem> {
  const value = places.env[name];
  return value === undefined || value === ''
    ? err({
        kind: 'absent',
        message: `the environment variable ${name} is not set`,
        hint: `set ${name} where the server starts`,
      })
    : ok(new Secret(value));
}

/** The content of a file that nobody else may read (none of the rights in `mask`), one trailing newline removed. What is checked is the very file that is read. */
export function readPrivateFile(path: string, mask: number = OWNER_ONLY_MASK): Result<Secret, ReferenceProblem> {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const { mode } = fstatSync(file);
    if ((mode & mask) !== 0)
      return err({ kind: 'exposed', message: `${path} can be read or written by others`, hint: `chmod 600 ${path}` });
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    return text === ''
      ? err({ kind: 'unreadable', message: `${path} is empty`, hint: MADE_BY_INIT })
      : ok(new Secret(text));
  } catch (cause) {
    const code = errorCode(cause);
    return err({
      kind: code === 'ENOENT' ? 'absent' : 'unreadable',
      message: `${path} cannot be read (${code})`,
      hint: MADE_BY_INIT,
    });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

const MADE_BY_INIT = 'jobpass init makes the files a configuration names';

const errorCode = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'unknown error';
