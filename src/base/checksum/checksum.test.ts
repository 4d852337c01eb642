// Checksums against published check values, against other implementations, and under any cut of the bytes.
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHECKSUM_ALGORITHMS, CHECKSUM_BYTES, type ChecksumAlgorithm, createChecksum } from './checksum.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (algorithm: ChecksumAlgorithm | 'md5', ...pieces: readonly Uint8Array[]): string => {
  const checksum = createChecksum(algorithm);
  for (const piece of pieces) checksum.update(piece);
  return checksum.digest().toString('hex');
};

/** One bit at a time, straight from the definition of a reflected CRC. */
function bitwise(data: Uint8Array, polynomial: bigint, bits: number): string {
  const mask = (1n << BigInt(bits)) - 1n;
  let crc = mask;
  for (const byte of data) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
  }
  return (crc ^ mask).toString(16).padStart(bits / 4, '0');
}

describe('a checksum', () => {
  // The check values of the CRC catalogue (reveng) and of RFC 3174, FIPS 180-4, RFC 1321 for "123456789".
  test.each([
    ['crc32', 'cbf43926'],
    ['crc32c', 'e3069283'],
    ['crc64nvme', 'ae8b14860a799888'],
    ['sha1', 'f7c3bc1d808e04732adf679965ccc34ca7ae3441'],
    ['sha256', '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'],
    ['md5', '25f9e794323b453885f5181f1b624d0b'],
  ] as const)('%s of the digits is the published value', (algorithm, value) => {
    expect(hex(algorithm, bytes('123456789'))).toBe(value);
  });

  test.each([
    ['32 bytes of zeroes', new Uint8Array(32), '8a9136aa'],
    ['32 bytes of ones', new Uint8Array(32).fill(0xff), '62a8ab43'],
    ['32 rising bytes', Uint8Array.from({ length: 32 }, (_, at) => at), '46dd794e'],
    ['32 falling bytes', Uint8Array.from({ length: 32 }, (_, at) => 31 - at), '113fdb5c'],
  ])('crc32c of %s is RFC 3720’s', (_what, data, value) => {
    expect(hex('crc32c', data)).toBe(value);
  });

  test('crc32 and crc64nvme of nothing are zeroes', () => {
    expect(hex('crc32')).toBe('00000000');
    expect(hex('crc64nvme')).toBe('0000000000000000');
  });

  test('has the length that its name says', () => {
    for (const algorithm of CHECKSUM_ALGORITHMS) {
      expect(createChecksum(algorithm).digest().length).toBe(CHECKSUM_BYTES[algorithm]);
    }
  });

  test('agrees with its definition, wherever the bytes start and however they are cut', () => {
    const cuts = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });
    fc.assert(
      fc.property(cuts, fc.nat({ max: 7 }), (pieces, offset) => {
        const whole = Buffer.concat(pieces);
        const shifted = new Uint8Array(whole.length + offset).subarray(offset);
        shifted.set(whole);
        expect(hex('crc32c', ...pieces)).toBe(bitwise(whole, 0x82f63b78n, 32));
        expect(hex('crc32c', shifted)).toBe(bitwise(whole, 0x82f63b78n, 32));
        expect(hex('crc64nvme', ...pieces)).toBe(bitwise(whole, 0x9a6c9329ac4bc9b5n, 64));
        expect(hex('crc64nvme', shifted)).toBe(bitwise(whole, 0x9a6c9329ac4bc9b5n, 64));
        expect(hex('crc32', ...pieces)).toBe(crc32(whole).toString(16).padStart(8, '0'));
      }),
    );
  });
});
