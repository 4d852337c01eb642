// Reads the file that makes this machine a controller: where the issuer is and with which credential jobs are started there.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { JsonObject } from '../base/core/json.ts';
import { isJsonObject, stringMember } from '../base/core/json.ts';
import type { Result } from '../base/core/result.ts';
import { err, ok } from '../base/core/result.ts';
import { Secret } from '../base/core/secret.ts';
import type { RunnerFailure } from './failure.ts';

/** A controller's credential. */
export interface ControllerCredential {
  /** The issuer URL, without a trailing slash. */
  readonly url: string;
  readonly client: string;
  readonly secret: Secret;
  /** The controller of a `serve --dev`: its jobs are a person's own. The issuer knows by itself and does not take our word. */
  readonly local: boolean;
}

const KEYS: readonly string[] = ['url', 'client', 'secret', 'local'];
const MAX_FILE_BYTES = 16 * 1024;
const READABLE_BY_OTHERS = 0o077;

/**
 * Reads `{"url","client","secret","local"?}`. `usage` with every problem at once; a file that group or others may read is
 * refused before it is read, because its secret must be taken for known. No problem repeats what the file holds.
 */
export async function readControllerFile(path: string): Promise<Result<ControllerCredential, RunnerFailure>> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown failure';
    return refuse(`${path} cannot be opened: ${code}`, 'name the controller file in JOBPASS_CONTROLLER_FILE');
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return refuse(`${path} is not a regular file`);
    if ((stat.mode & READABLE_BY_OTHERS) !== 0) {
      return refuse(`${path} is open to other users of this machine`, `chmod 600 ${path}, then replace its secret`);
    }
    if (stat.size > MAX_FILE_BYTES) return refuse(`${path} is larger than ${MAX_FILE_BYTES} bytes`);
    return parseControllerFile(path, await file.readFile('utf8'));
  } finally {
    await file.close();
  }
}

/** The text of a controller file, checked. */
export function parseControllerFile(path: string, text: string): Result<ControllerCredential, RunnerFailure> {
  const body = parse(text);
  if (body === undefined) return refuse(`${path} is not a JSON object`);
  const url = (stringMember(body, 'url') ?? '').replace(/\/$/, '');
  const client = stringMember(body, 'client') ?? '';
  const secret = stringMember(body, 'secret') ?? '';
  const local = body.local ?? false;
  const problems = [
    ...Object.keys(body)
      .filter((key) => !KEYS.includes(key))
      .map((key) => `${JSON.stringify(key)} is not a key of it`),
    ...(isOriginUrl(url) ? [] : ['url is not an http or https URL without credentials, query and fragment']),
    ...(/^[\x21-\x7e]+$/.test(client) ? [] : ['client is not a name']),
    ...(/^[\x21-\x7e]+$/.test(secret) ? [] : ['secret is missing or holds a space or a control character']),
    ...(typeof local === 'boolean' ? [] : ['local is not true or false']),
  ];
  if (problems.length > 0) return refuse(`${path}: ${problems.join('; ')}`);
  return ok({ url, client, secret: new Secret(secret), local: local === true });
}

function isOriginUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  );
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const refuse = (message: string, hint?: string): Result<never, RunnerFailure> =>
  err(hint === undefined ? { kind: 'usage', message } : { kind: 'usage', message, hint });
