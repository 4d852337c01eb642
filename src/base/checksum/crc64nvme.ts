// CRC-64/NVME, in two words of 32 bits. It knows no protocol.
import { single, step, stepTables, wordsOf } from './tables.ts';

/** NVM Express NVM Command Set 1.0 §5.2.1.3.4's polynomial, bits reversed. */
export const CRC64NVME_POLYNOMIAL = 0x9a6c9329ac4bc9b5n;

const { high: HIGH, low: LOW } = stepTables(CRC64NVME_POLYNOMIAL);

/** A 64-bit value as two signed words. */
export interface Words64 {
  readonly high: number;
  readonly low: number;
}

/** Of no bytes at all. */
export const CRC64NVME_EMPTY: Words64 = { high: 0, low: 0 };

/** The CRC-64/NVME of the bytes that `before` is of, followed by `bytes`. */
export function crc64nvme(bytes: Uint8Array, before: Words64 = CRC64NVME_EMPTY): Words64 {
  const words = wordsOf(bytes);
  const end = bytes.length;
  let high = ~before.high;
  let low = ~before.low;
  let at = 0;
  for (; at + 8 <= end; at += 8) {
    const first = low ^ words.getInt32(at, true);
    const second = high ^ words.getInt32(at + 4, true);
    high = step(HIGH, first, second);
    low = step(LOW, first, second);
  }
  for (; at < end; at += 1) {
    const index = low ^ words.getUint8(at);
    low = ((low >>> 8) | (high << 24)) ^ single(LOW, index);
    high = (high >>> 8) ^ single(HIGH, index);
  }
  return { high: ~high, low: ~low };
}
