import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodeBase64url } from './base64url.ts';
import { rsaWeakness, unsignedInteger } from './rsa-strength.ts';

const { n: modulusText } = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
const MODULUS = unsignedInteger(decodeBase64url(modulusText ?? '') ?? new Uint8Array());

/** The product of the first 39 primes: what the affected generator builds its candidates around. */
const PRIMES = Array.from({ length: 168 }, (_, n) => n).filter(
  (n) => n > 1 && ![2, 3, 5, 7, 11].some((d) => d < n && n % d === 0),
);
const PRIMORIAL = PRIMES.reduce((product, prime) => product * BigInt(prime), 1n);

describe('the strength of an RSA key', () => {
  it('takes an ordinary key', () => {
    expect(rsaWeakness(MODULUS, 65_537n)).toBe(undefined);
  });

  it.each([0n, 1n, 2n, 3n, 17n, 65_535n, 65_536n, 65_538n, (1n << 64n) + 1n])('refuses the exponent %s', (exponent) => {
    expect(rsaWeakness(MODULUS, exponent)).toMatch(/exponent/);
  });

  it.each([65_539n, (1n << 63n) + 1n])('takes the odd exponent %s above 2^16', (exponent) => {
    expect(rsaWeakness(MODULUS, exponent)).toBe(undefined);
  });

  it.each([
    ['nothing', 0n, '0 bits'],
    ['2047 bits', 1n << 2046n, '2047 bits'],
    ['8193 bits', 1n << 8192n, '8193 bits'],
    ['an even number', MODULUS - 1n, 'small factor'],
    ['a multiple of 167', (MODULUS / 167n) * 167n * 3n, 'small factor'],
  ])('refuses the modulus %s', (_, modulus, problem) => {
    expect(rsaWeakness(modulus, 65_537n)).toContain(problem);
  });

  it('finds the ROCA fingerprint in every product of two numbers of the affected form', () => {
    const affected = (k: bigint, a: number) => k * PRIMORIAL + (65_537n ** BigInt(a) % PRIMORIAL);
    for (let a = 1; a <= 20; a += 1) {
      const modulus = affected((1n << 830n) + BigInt(a), a) * affected((1n << 829n) + 7n, a * 31);
      expect(rsaWeakness(modulus, 65_537n)).toContain('ROCA');
      expect(rsaWeakness(modulus + 2n, 65_537n) ?? '').not.toContain('ROCA');
    }
  });

  it('reads big-endian bytes, leading zeros and no bytes at all', () => {
    expect(unsignedInteger(Uint8Array.from([1, 0, 1]))).toBe(65_537n);
    expect(unsignedInteger(Uint8Array.from([0, 0, 1, 0, 1]))).toBe(65_537n);
    expect(unsignedInteger(new Uint8Array())).toBe(0n);
  });
});
