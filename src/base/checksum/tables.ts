// Tables for CRCs of eight bytes a step (slicing by 8), and the step itself. Pure arithmetic on 32-bit words.

/** Table `s` of eight says what a byte does `s` bytes before the end of a step; they stand one after the other. */
export type StepTables = Int32Array;

const SLICES = 8;

/** The value at `index`; indices are in bounds by construction, so the fallback never shows. */
const entry = (table: StepTables, index: number): number => table[index] ?? 0;

/** What the eight bytes `low` and `high` (little-endian words, the running CRC already mixed in) leave behind. */
export const step = (table: StepTables, low: number, high: number): number =>
  entry(table, 1792 | (low & 255)) ^
  entry(table, 1536 | ((low >>> 8) & 255)) ^
  entry(table, 1280 | ((low >>> 16) & 255)) ^
  entry(table, 1024 | (low >>> 24)) ^
  entry(table, 768 | (high & 255)) ^
  entry(table, 512 | ((high >>> 8) & 255)) ^
  entry(table, 256 | ((high >>> 16) & 255)) ^
  entry(table, high >>> 24);

/** What one byte leaves behind. */
export const single = (table: StepTables, byte: number): number => entry(table, byte & 255);

/** The tables of a reflected 64-bit polynomial as high and low words. A 32-bit one stands in the low words alone. */
export function stepTables(polynomial: bigint): { readonly high: StepTables; readonly low: StepTables } {
  const high = new Int32Array(256 * SLICES);
  const low = new Int32Array(256 * SLICES);
  for (let byte = 0; byte < 256; byte += 1) {
    let value = BigInt(byte);
    for (let slice = 0; slice < SLICES; slice += 1) {
      for (let bit = 0; bit < 8; bit += 1) value = value & 1n ? (value >> 1n) ^ polynomial : value >> 1n;
      high[slice * 256 + byte] = Number(BigInt.asIntN(32, value >> 32n));
      low[slice * 256 + byte] = Number(BigInt.asIntN(32, value));
    }
  }
  return { high, low };
}

/** A view that reads little-endian words of `bytes` in place. */
export const wordsOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
