// Running checksums under one interface, by the names that object stores use. It compares nothing and knows no protocol.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { crc32c } from './crc32c.ts';
import { CRC64NVME_EMPTY, crc64nvme } from './crc64nvme.ts';

export const CHECKSUM_ALGORITHMS = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

/** Base64 of the big-endian digest; of a digest of digests, with `-` and their number behind it. */
export type Checksums = Readonly<Partial<Record<ChecksumAlgorithm, string>>>;

/** The length of each digest. */
export const CHECKSUM_BYTES: Readonly<Record<ChecksumAlgorithm, number>> = {
  crc32: 4,
  crc32c: 4,
  crc64nvme: 8,
  sha1: 20,
  sha256: 32,
};

/** A checksum in the making. */
export interface RunningChecksum {
  update(bytes: Uint8Array): void;
  /** Big-endian. Asked once; no update after it. */
  digest(): Buffer;
}

/** A checksum of nothing yet. `md5` is for ETags and Content-MD5, never for security. */
export function createChecksum(algorithm: ChecksumAlgorithm | 'md5'): RunningChecksum {
  switch (algorithm) {
    case 'crc32':
      return running32(crc32);
    case 'crc32c':
      return running32(crc32c);
    case 'crc64nvme':
      return running64();
    case 'sha1':
    case 'sha256':
    case 'md5': {
      const hash = createHash(algorithm);
      return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
    }
  }
}

function running32(crc: (bytes: Uint8Array, before: number) => number): RunningChecksum {
  let value = 0;
  return {
    update: (bytes) => {
      value = crc(bytes, value);
    },
    digest: () => {
      const digest = Buffer.alloc(4);
      digest.writeUInt32BE(value);
      return digest;
    },
  };
}

function running64(): RunningChecksum {
  let value = CRC64NVME_EMPTY;
  return {
    update: (bytes) => {
      value = crc64nvme(bytes, value);
    },
    digest: () => {
      const digest = Buffer.alloc(8);
      digest.writeInt32BE(value.high, 0);
      digest.writeInt32BE(value.low, 4);
      return digest;
    },
  };
}
