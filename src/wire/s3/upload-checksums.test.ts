// The checksum of an upload from those of its parts.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm, createChecksum } from '../../base/checksum/checksum.ts';
import { wholeChecksums } from './upload-checksums.ts';

const sum = (algorithm: ChecksumAlgorithm, data: Uint8Array): string => {
  const checksum = createChecksum(algorithm);
  checksum.update(data);
  return checksum.digest().toString('base64');
};

describe('the checksum of an upload', () => {
  test('is, for CRC64NVME, that of all bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { minLength: 1, maxLength: 6 }), (pieces) => {
        const parts = pieces.map((data) => ({ size: data.length, checksums: { crc64nvme: sum('crc64nvme', data) } }));
        expect(wholeChecksums('crc64nvme', parts)).toEqual({ crc64nvme: sum('crc64nvme', Buffer.concat(pieces)) });
      }),
      { numRuns: 500 },
    );
  });

  test('is that of all bytes for parts of usual size', () => {
    const pieces = [5 * 1024 * 1024, 5 * 1024 * 1024, 1234].map((size, at) => Buffer.alloc(size, `part ${at}`));
    const parts = pieces.map((data) => ({ size: data.length, checksums: { crc64nvme: sum('crc64nvme', data) } }));
    expect(wholeChecksums('crc64nvme', parts)).toEqual({ crc64nvme: sum('crc64nvme', Buffer.concat(pieces)) });
  });

  test.each(CHECKSUM_ALGORITHMS.filter((algorithm) => algorithm !== 'crc64nvme'))(
    'is, for %s, that of the parts’ checksums with their number',
    (algorithm) => {
      const digests = ['one', 'two'].map((text) => sum(algorithm, Buffer.from(text)));
      const parts = digests.map((value) => ({ size: 3, checksums: { [algorithm]: value } }));
      const joined = Buffer.concat(digests.map((value) => Buffer.from(value, 'base64')));
      expect(wholeChecksums(algorithm, parts)).toEqual({ [algorithm]: `${sum(algorithm, joined)}-2` });
    },
  );

  test('is none when a part has none', () => {
    const part = { size: 1, checksums: { crc32: 'AAAAAA==' } };
    expect(wholeChecksums('crc32', [part, { size: 1, checksums: {} }])).toEqual({});
    expect(wholeChecksums('sha1', [part])).toEqual({});
    expect(wholeChecksums('sha1', [])).toEqual({});
  });
});
