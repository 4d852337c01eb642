// The CRC32C of bytes that are not at hand any more, from those of the runs that they were in. Polynomial arithmetic as in zlib's
// crc32_combine.

/** Castagnoli's polynomial, reflected (RFC 3720 §12.1). */
const POLYNOMIAL = 0x82f63b78;
/** x to the 0th and to the 8th, reflected. */
const ONE = 0x80000000;
const BYTE = ONE >>> 8;

/** A run of bytes: its big-endian CRC32C and its length. */
export interface Crc32cRun {
  readonly digest: Uint8Array;
  readonly size: number;
}

/** The big-endian CRC32C of all runs one after the other. */
export function combineCrc32c(runs: readonly Crc32cRun[]): Buffer {
  let crc = 0;
  for (const { digest, size } of runs) crc = multiply(power(BYTE, size), crc) ^ Buffer.from(digest).readUInt32BE();
  const combined = Buffer.alloc(4);
  combined.writeUInt32BE(crc >>> 0);
  return combined;
}

/** `base` to the `exponent`th, modulo the polynomial. */
function power(base: number, exponent: number): number {
  let result = ONE;
  let square = base;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

/** The product of two reflected polynomials, modulo ours. */
function multiply(one: number, other: number): number {
  let product = 0;
  let shifted = other;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((one & bit) !== 0) product ^= shifted;
    shifted = (shifted & 1) !== 0 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return product;
}
