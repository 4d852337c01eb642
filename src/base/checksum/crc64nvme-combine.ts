// The CRC-64/NVME of bytes that are not at hand any more, from those of the runs that they were in. Polynomial arithmetic as in
// zlib's crc32_combine, with 64 bits.
import { CRC64NVME_POLYNOMIAL } from './crc64nvme.ts';

const TOP = 1n << 63n;
/** x to the 0th and to the 8th, reflected. */
const ONE = TOP;
const BYTE = TOP >> 8n;

/** A run of bytes: its big-endian CRC-64/NVME and its length. */
export interface Crc64Run {
  readonly digest: Uint8Array;
  readonly size: number;
}

/** The big-endian CRC-64/NVME of all runs one after the other. */
export function combineCrc64nvme(runs: readonly Crc64Run[]): Buffer {
  // Parts of one upload have one or two lengths, so each power is worked out once.
  const shifts = new Map<number, bigint>();
  let crc = 0n;
  for (const { digest, size } of runs) {
    const shift = shifts.get(size) ?? power(BYTE, size);
    shifts.set(size, shift);
    crc = multiply(shift, crc) ^ Buffer.from(digest).readBigUInt64BE();
  }
  const combined = Buffer.alloc(8);
  combined.writeBigUInt64BE(crc);
  return combined;
}

/** `base` to the `exponent`th, modulo the polynomial. */
function power(base: bigint, exponent: number): bigint {
  let result = ONE;
  let square = base;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

/** The product of two reflected polynomials, modulo ours. */
function multiply(one: bigint, other: bigint): bigint {
  let product = 0n;
  let shifted = other;
  for (let bit = TOP; bit > 0n; bit >>= 1n) {
    if (one & bit) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ CRC64NVME_POLYNOMIAL : shifted >> 1n;
  }
  return product;
}
