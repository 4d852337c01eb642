import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { JobpassError } from '../base/core/errors.ts';
import { joseFromDer, localSigner } from './signer.ts';

const input = Buffer.from('eyJhbGciOiJFUzI1NiJ9.e30');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const ed25519 = generateKeyPairSync('ed25519').privateKey;

const checks = (hash: string | null, key: KeyObject, signature: Uint8Array, message: Uint8Array = input): boolean =>
  verify(hash, message, { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' }, signature);

describe('signatures', () => {
  it.each([
    ['RS256', rsa, 'sha256', 256],
    ['ES256', p256, 'sha256', 64],
    ['EdDSA', ed25519, null, 64],
  ] as const)('%s is the JOSE form and verifies', async (algorithm, key, hash, length) => {
    const signer = localSigner(key, 'k1', algorithm);
    const signature = await signer.sign(input);
    expect([signer.kid, signer.algorithm, signature.length]).toEqual(['k1', algorithm, length]);
    expect(checks(hash, key, signature)).toBe(true);
    expect(checks(hash, key, signature, Buffer.from('other'))).toBe(false);
  });

  it('ES256 stays 64 bytes whatever the leading bytes of r and s are', () => {
    const lengths = new Set<number>();
    for (let count = 0; count < 1500; count += 1) {
      const der = sign('sha256', input, p256);
      lengths.add(der.length);
      expect(checks('sha256', p256, joseFromDer(der))).toBe(true);
    }
    expect(lengths.size).toBeGreaterThan(2);
  });
});

describe('DER to r‖s', () => {
  const integer = (...bytes: number[]): number[] => [2, bytes.length, ...bytes];
  const sequence = (...content: number[]): Uint8Array => Uint8Array.of(0x30, content.length, ...content);
  const jose = (r: number[], s: number[]): Uint8Array => {
    const out = new Uint8Array(64);
    out.set(r, 32 - r.length);
    out.set(s, 64 - s.length);
    return out;
  };

  it('pads short integers and drops the sign byte of long ones', () => {
    expect(joseFromDer(sequence(...integer(1), ...integer(2, 3)))).toEqual(jose([1], [2, 3]));
    const full = Array.from({ length: 32 }, () => 0xff);
    expect(joseFromDer(sequence(...integer(0, ...full), ...integer(0)))).toEqual(jose(full, [0]));
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['another tag', Uint8Array.of(0x31, 6, 2, 1, 1, 2, 1, 1)],
    ['a wrong length', Uint8Array.of(0x30, 7, 2, 1, 1, 2, 1, 1)],
    ['one integer', sequence(...integer(1))],
    ['trailing bytes', sequence(...integer(1), ...integer(1), 0)],
    ['an empty integer', sequence(...integer(1), ...integer())],
    ['an integer of 33 bytes', sequence(...integer(...Array.from({ length: 33 }, () => 1)), ...integer(1))],
    ['an integer that runs out', Uint8Array.of(0x30, 6, 2, 1, 1, 2, 9, 1)],
  ])('refuses %s', (_, der) => {
    expect(() => joseFromDer(der)).toThrow(JobpassError);
  });
});
