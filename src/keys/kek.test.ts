import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JobpassError } from '../base/core/errors.ts';
import { KEK_BYTES, KeyEncryptionKey, parseKek } from './kek.ts';

const BYTES = Uint8Array.from({ length: KEK_BYTES }, (_, index) => 255 - index);
const kek = KeyEncryptionKey.fromBytes(BYTES);
const context = 'id-token|abc';

const failureOf = (run: () => unknown): JobpassError => {
  try {
    run();
  } catch (error) {
    if (error instanceof JobpassError) return error;
  }
  throw new Error('no JobpassError was thrown');
};

describe('sealing', () => {
  it('opens what it sealed, and never seals the same way twice', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (plain, where) => {
        const sealed = kek.seal(plain, where);
        expect(Buffer.from(kek.open(sealed, where)).equals(plain)).toBe(true);
        expect(Buffer.from(kek.seal(plain, where)).equals(sealed)).toBe(false);
      }),
    );
  });

  it('never contains the plaintext', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 300 }), (plain) => {
        expect(Buffer.from(kek.seal(plain, context)).includes(Buffer.from(plain))).toBe(false);
      }),
    );
  });

  it('refuses a change of any byte, and any cut', () => {
    const sealed = kek.seal(Buffer.from('a private key'), context);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Uint8Array.from(sealed, (byte, index) => (index === at ? byte ^ 1 : byte));
      expect(failureOf(() => kek.open(changed, context)).code).toBe('ERR_KEY_UNREADABLE');
      expect(failureOf(() => kek.open(sealed.subarray(0, at), context)).code).toBe('ERR_KEY_UNREADABLE');
    }
    expect(Buffer.from(kek.open(sealed, context)).toString()).toBe('a private key');
  });

  it('refuses another context', () => {
    const sealed = kek.seal(Buffer.from('a private key'), context);
    expect(failureOf(() => kek.open(sealed, 'access-token|abc')).code).toBe('ERR_KEY_UNREADABLE');
  });

  it('refuses another key, with a hint', () => {
    const sealed = kek.seal(Buffer.from('a private key'), context);
    const other = KeyEncryptionKey.fromBytes(new Uint8Array(KEK_BYTES));
    const error = failureOf(() => other.open(sealed, context));
    expect(error.code).toBe('ERR_KEY_UNREADABLE');
    expect(error.message).toContain(context);
    expect(error.hint).toContain('key-encryption key');
  });
});

describe('the key itself', () => {
  it('has exactly 32 bytes', () => {
    for (const length of [0, 16, 31, 33, 64]) {
      expect(failureOf(() => KeyEncryptionKey.fromBytes(new Uint8Array(length))).code).toBe('ERR_KEK_INVALID');
    }
  });

  it('is in no print of the object', () => {
    const printed = `${inspect(kek, { showHidden: true, depth: 9 })}${JSON.stringify(kek)}`;
    expect(printed).not.toContain(Buffer.from(BYTES).toString('hex').slice(0, 12));
    expect(printed).not.toContain('ff, fe');
  });

  it.each([
    ['base64url', Buffer.from(BYTES).toString('base64url')],
    ['hexadecimal', Buffer.from(BYTES).toString('hex')],
    ['upper-case hexadecimal with a line end', `${Buffer.from(BYTES).toString('hex').toUpperCase()}\n`],
    ['base64url with a line end', `${Buffer.from(BYTES).toString('base64url')}\r\n`],
  ])('is read from %s', (_, text) => {
    const parsed = parseKek(text);
    expect(parsed.ok && Buffer.from(parsed.value.open(kek.seal(BYTES, context), context)).equals(BYTES)).toBe(true);
  });

  it.each([
    ['nothing', ' \n'],
    ['a short key', Buffer.from(BYTES.subarray(1)).toString('base64url')],
    ['a long key', `${Buffer.from(BYTES).toString('hex')}00`],
    ['padded base64', Buffer.from(BYTES).toString('base64')],
    ['a non-canonical last character', `${Buffer.from(BYTES).toString('base64url').slice(0, -1)}B`],
    ['a space inside', Buffer.from(BYTES).toString('hex').replace('ef', 'e f')],
    ['two lines', `${Buffer.from(BYTES).toString('hex')}\n${Buffer.from(BYTES).toString('hex')}`],
  ])('is not read from %s, and the error repeats none of it', (_, text) => {
    const parsed = parseKek(text);
    if (parsed.ok) throw new Error('was accepted');
    expect(parsed.error.hint).toContain('jobpass init');
    for (const piece of text.match(/[\w+/-]{6,}/g) ?? []) expect(parsed.error.problem).not.toContain(piece);
  });
});

describe('deriving', () => {
  it('gives one key for one salt and purpose, and another for any other', () => {
    const salt = new Uint8Array(32).fill(1);
    const derived = kek.derive(salt, 'a');
    expect(derived).toHaveLength(KEK_BYTES);
    expect(kek.derive(salt, 'a')).toEqual(derived);
    for (const other of [
      kek.derive(new Uint8Array(32).fill(2), 'a'),
      kek.derive(salt, 'b'),
      KeyEncryptionKey.fromBytes(new Uint8Array(KEK_BYTES)).derive(salt, 'a'),
      BYTES,
    ])
      expect(other).not.toEqual(derived);
  });
});

describe('deriving', () => {
  it('gives one key for one salt and purpose, and another for any other', () => {
    const salt = new Uint8Array(32).fill(1);
    const derived = kek.derive(salt, 'a');
    expect(derived).toHaveLength(KEK_BYTES);
    expect(kek.derive(salt, 'a')).toEqual(derived);
    for (const other of [
      kek.derive(new Uint8Array(32).fill(2), 'a'),
      kek.derive(salt, 'b'),
      KeyEncryptionKey.fromBytes(new Uint8Array(KEK_BYTES)).derive(salt, 'a'),
      BYTES,
    ])
      expect(other).not.toEqual(derived);
  });
});
