// The checksum of an object that was uploaded in parts, from those of its parts, as S3 defines it for each algorithm.
import { type ChecksumAlgorithm, type Checksums, createChecksum } from '../../base/checksum/checksum.ts';
import { combineCrc64nvme } from '../../base/checksum/crc64nvme-combine.ts';

/** A stored part. */
export interface SummedPart {
  readonly size: number;
  readonly checksums: Checksums;
}

/**
 * The whole object's checksum: of all bytes for CRC64NVME, else of the parts' checksums, with their number behind it. Empty when a
 * part has none of that algorithm. Precondition: the parts stand in the object's order and are at least one.
 */
export function wholeChecksums(algorithm: ChecksumAlgorithm, parts: readonly SummedPart[]): Checksums {
  const digests = parts.map(({ checksums, size }) => {
    const value = checksums[algorithm];
    return value === undefined ? undefined : { digest: Buffer.from(value, 'base64'), size };
  });
  const known = digests.filter((digest) => digest !== undefined);
  if (known.length === 0 || known.length < parts.length) return {};
  if (algorithm === 'crc64nvme') return { crc64nvme: combineCrc64nvme(known).toString('base64') };
  const checksum = createChecksum(algorithm);
  for (const { digest } of known) checksum.update(digest);
  return { [algorithm]: `${checksum.digest().toString('base64')}-${known.length}` };
}
