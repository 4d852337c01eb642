// Tokens and claims from a file or stdin, for commands that need no server. Nothing read here was verified, nothing is printed.
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { MAX_TOKEN_BYTES } from '../../base/core/limits.ts';
import { type ParsedJws, parseJws } from '../../base/jwt/jws.ts';
import { CommandFailure, EXIT } from './command.ts';

const usage = (message: string, hint?: string): CommandFailure =>
  new CommandFailure(message, { exitCode: EXIT.usage, hint });

/** A file, or stdin for `-`; twice the size of a token at most. Throws CommandFailure (usage). */
export function readInput(path: string, folder: string): Uint8Array {
  try {
    if (path !== '-' && statSync(resolve(folder, path)).size > 2 * MAX_TOKEN_BYTES)
      throw usage(`${path} is too large for a token`);
    return readFileSync(path === '-' ? 0 : resolve(folder, path));
  } catch (cause) {
    if (cause instanceof CommandFailure) throw cause;
    throw usage(`${path === '-' ? 'stdin' : path} cannot be read`, 'name a file, or - for stdin');
  }
}

/** The token in a file or stdin, white space around it aside. Throws CommandFailure (usage) without quoting it. */
export const readToken = (path: string, folder: string): ParsedJws => readTokenText(path, folder).token;

/** The same, and whether the text ends with white space: programs that send a file as it is send that too. */
export function readTokenText(path: string, folder: string): { readonly token: ParsedJws; readonly hasTail: boolean } {
  const text = new TextDecoder().decode(readInput(path, folder));
  const parsed = parseJws(text.trim());
  if (parsed.ok) return { token: parsed.value, hasTail: /\s$/.test(text) };
  throw usage(`${path} holds no token: ${parsed.error.detail}`, 'wanted one compact JWS, as the provider gave it');
}
