// The CRC32C of runs is that of their bytes.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createChecksum } from './checksum.ts';
import { combineCrc32c } from './crc32c-combine.ts';

const digestOf = (bytes: Uint8Array): Buffer => {
  const checksum = createChecksum('crc32c');
  checksum.update(bytes);
  return checksum.digest();
};

test('runs combine to the CRC32C of the whole', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 6 }), (runs) => {
      const combined = combineCrc32c(runs.map((run) => ({ digest: digestOf(run), size: run.length })));
      expect(combined).toEqual(digestOf(Buffer.concat(runs)));
    }),
  );
});

test('long runs combine, too', () => {
  const run = Buffer.alloc(3_000_000, 7);
  const runs = [run, run].map((bytes) => ({ digest: digestOf(bytes), size: bytes.length }));
  expect(combineCrc32c(runs)).toEqual(digestOf(Buffer.concat([run, run])));
});
