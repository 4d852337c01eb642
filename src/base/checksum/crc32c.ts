// CRC-32C (Castagnoli). zlib has no such one. It knows no protocol.
import { single, step, stepTables, wordsOf } from './tables.ts';

/** RFC 3720 §12.1's polynomial, bits reversed. */
const TABLE = stepTables(0x82f63b78n).low;

/** The CRC-32C of the bytes that `before` is of (0: none), followed by `bytes`. An unsigned 32-bit number, like zlib's `crc32`. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  const words = wordsOf(bytes);
  const end = bytes.length;
  let crc = ~before;
  let at = 0;
  for (; at + 8 <= end; at += 8) crc = step(TABLE, crc ^ words.getInt32(at, true), words.getInt32(at + 4, true));
  for (; at < end; at += 1) crc = (crc >>> 8) ^ single(TABLE, crc ^ words.getUint8(at));
  return ~crc >>> 0;
}
