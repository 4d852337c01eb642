// The key-encryption key: seals private keys at rest. It never leaves this file, and this file reads no file.
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { JobpassError } from '../base/core/errors.ts';
import { err, ok, type Result } from '../base/core/result.ts';

/** AES-256. */
export const KEK_BYTES = 32;
const CIPHER = 'aes-256-gcm';
/** NIST SP 800-38D §8.2.2: a random 96-bit nonce; a store holds some dozens of keys, far below its 2^32 bound. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const HINT = 'is the key-encryption key the one that this storage was set up with?';

/** AES-256-GCM under a key that cannot be printed or read back. */
export class KeyEncryptionKey {
  readonly #key: KeyObject;
  /** Null: there is none. */
  readonly #before: KeyEncryptionKey | null;

  private constructor(key: KeyObject, before: KeyEncryptionKey | null) {
    this.#key = key;
    this.#before = before;
  }

  /** From exactly 32 bytes; otherwise throws ERR_KEK_INVALID. */
  static fromBytes(bytes: Uint8Array): KeyEncryptionKey {
    if (bytes.length !== KEK_BYTES) {
      throw new JobpassError('ERR_KEK_INVALID', `a key-encryption key has ${KEK_BYTES} bytes, not ${bytes.length}`);
    }
    return new KeyEncryptionKey(createSecretKey(bytes), null);
  }

  /** Seals as this one does, and also opens what `before` sealed: while one takes the place of the other. */
  withBefore(before: KeyEncryptionKey): KeyEncryptionKey {
    return new KeyEncryptionKey(this.#key, before);
  }

  /** Nonce, ciphertext, tag. What is sealed opens only under the same `context`. */
  seal(plain: Uint8Array, context: string): Uint8Array {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(context, 'utf8'));
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** 32 bytes for another use than sealing (HKDF-SHA256, RFC 5869): whoever has them learns nothing of this key. */
  derive(salt: Uint8Array, purpose: string): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.#key, salt, purpose, KEK_BYTES));
  }

  /** The plaintext. Throws ERR_KEY_UNREADABLE for another key, another context, or a single changed byte. */
  open(sealed: Uint8Array, context: string): Uint8Array {
    if (sealed.length < NONCE_BYTES + TAG_BYTES) {
      throw new JobpassError('ERR_KEY_UNREADABLE', `the sealed key ${context} is cut short`, { hint: HINT });
    }
    const tagAt = sealed.length - TAG_BYTES;
    const decipher = createDecipheriv(CIPHER, this.#key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(context, 'utf8'));
    decipher.setAuthTag(sealed.subarray(tagAt));
    const plain = decipher.update(sealed.subarray(NONCE_BYTES, tagAt));
    try {
      return Buffer.concat([plain, decipher.final()]);
    } catch (cause) {
      if (this.#before !== null) return this.#before.open(sealed, context);
      throw new JobpassError('ERR_KEY_UNREADABLE', `the sealed key ${context} does not open`, { cause, hint: HINT });
    }
  }
}

/**
 * A key-encryption key as it stands in a file, the environment or a systemd credential: 32 bytes as 43 characters
 * base64url (RFC 4648 §5, unpadded, canonical) or 64 hexadecimal digits; space and line ends around it do not count.
 * The error says what is wrong and repeats nothing of the text.
 */
export function parseKek(text: string): Result<KeyEncryptionKey, { readonly problem: string; readonly hint: string }> {
  const trimmed = text.trim();
  if (/^[0-9A-Fa-f]{64}$/.test(trimmed)) return ok(KeyEncryptionKey.fromBytes(Buffer.from(trimmed, 'hex')));
  const bytes = Buffer.from(trimmed, 'base64url');
  if (bytes.length === KEK_BYTES && bytes.toString('base64url') === trimmed) {
    return ok(KeyEncryptionKey.fromBytes(bytes));
  }
  return err({
    problem:
      trimmed === ''
        ? 'the key-encryption key is empty'
        : `the key-encryption key is ${trimmed.length} characters that are neither 64 hexadecimal digits nor 43 of base64url`,
    hint: 'jobpass init makes one; by hand: openssl rand -hex 32',
  });
}
