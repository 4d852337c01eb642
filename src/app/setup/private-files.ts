// Makes the files a configuration names: keys and client secrets that only their owner may read. Never overwrites.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { hashClientSecret, newClientSecret } from '../../base/client-auth/secret.ts';
import { JobpassError } from '../../base/core/errors.ts';
import { encodeBase64url } from '../../base/jwt/base64url.ts';
import type { Random } from '../../base/ports/random.ts';

const KEY_BYTES = 32;

/** Writes a new file of mode 0600 in folders of mode 0700. Throws ERR_FILE_EXISTS when it is there already. */
export function writePrivateFile(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeNew(path, content, 0o600);
}

/** Writes a new file that anyone may read. Throws ERR_FILE_EXISTS when it is there already. */
export function writePublicFile(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeNew(path, content, 0o644);
}

function writeNew(path: string, content: string, mode: number): void {
  try {
    writeFileSync(path, content, { mode, flag: 'wx' });
  } catch (cause) {
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    throw new JobpassError(
      exists ? 'ERR_FILE_EXISTS' : 'ERR_FILE_UNWRITABLE',
      exists ? `${path} is there already and is not overwritten` : `${path} cannot be written`,
      { cause, ...(exists ? { hint: 'move it away, or choose another folder' } : {}) },
    );
  }
}

/** A new key-encryption key in a private file. */
export function makeEncryptionKey(path: string, random: Random): void {
  writePrivateFile(path, `${encodeBase64url(random.bytes(KEY_BYTES))}\n`);
}

export interface NewSecret {
  /** For `secrets_sha256`. */
  readonly hash: string;
  readonly reveal: () => string;
}

/** A new client secret; only its hash goes into a configuration. */
export function makeSecret(random: Random): NewSecret {
  const secret = newClientSecret(random);
  return { hash: hashClientSecret(secret), reveal: () => secret.reveal() };
}

/** The file a controller or an operator authenticates with. */
export function writeCredentialFile(
  path: string,
  credential: {
    readonly url?: string;
    readonly socket?: string;
    readonly client: string;
    readonly secret: string;
    readonly local?: boolean;
  },
): void {
  writePrivateFile(path, `${JSON.stringify(credential, undefined, 2)}\n`);
}
