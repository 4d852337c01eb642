// From a request's body to the bytes that may be stored: counted, and held to the digest that was announced.
import { type Checksums, createChecksum } from '../../base/checksum/checksum.ts';
import { JobpassError } from '../../base/core/errors.ts';
import type { ContentDigest } from './call.ts';
import { type BlobError, blobError } from './errors.ts';

/** Thrown out of a body that is not what was announced: in the middle, or in place of its end. Whoever stores it must discard it. */
export class BlobPayloadError extends JobpassError {
  /** What the sender is told. */
  readonly refusal: BlobError;

  constructor(refusal: BlobError) {
    super('ERR_PAYLOAD_REFUSED', `${refusal.code}: ${refusal.message}`);
    this.name = 'BlobPayloadError';
    this.refusal = refusal;
  }
}

/** A body to be stored. */
export interface VerifiedBody {
  /** Read once, in order, with back-pressure. It throws BlobPayloadError, or what the source threw. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Bytes that `body` will have. */
  readonly size: number;
  /** After the end of `body`: the checksum that was announced and holds. Empty before, and for an MD5, which stores compute. */
  checksums(): Checksums;
}

/** Holds `source` to its announced length and digest. */
export function verifyBody(
  source: AsyncIterable<Uint8Array>,
  { size, digest }: { readonly size: number; readonly digest: ContentDigest | null },
): VerifiedBody {
  let checksums: Checksums = {};
  const onVerified = (bigEndian: string): void => {
    if (digest?.algorithm === 'crc64') checksums = { crc64nvme: bigEndian };
  };
  return { body: verified(source, { size, digest, onVerified }), size, checksums: () => checksums };
}

async function* verified(
  source: AsyncIterable<Uint8Array>,
  o: { readonly size: number; readonly digest: ContentDigest | null; readonly onVerified: (digest: string) => void },
): AsyncGenerator<Uint8Array, void> {
  // Azure's CRC64 is NVM Express's, its bytes in the other order.
  const running = o.digest === null ? null : createChecksum(o.digest.algorithm === 'md5' ? 'md5' : 'crc64nvme');
  let left = o.size;
  for await (const piece of source) {
    left -= piece.length;
    if (left < 0)
      throw new BlobPayloadError(blobError('InvalidInput', 'The body is longer than it was announced to be.'));
    running?.update(piece);
    yield piece;
  }
  if (left > 0) throw new BlobPayloadError(blobError('InvalidInput', 'The body ended early.'));
  if (o.digest === null || running === null) return;
  const digest = running.digest();
  const refusal = compare(o.digest, digest);
  if (refusal !== undefined) throw new BlobPayloadError(refusal);
  o.onVerified(digest.toString('base64'));
}

function compare({ algorithm, value }: ContentDigest, digest: Buffer): BlobError | undefined {
  const calculated = (algorithm === 'md5' ? digest : Buffer.from(digest).reverse()).toString('base64');
  if (calculated === value) return undefined;
  return algorithm === 'md5'
    ? blobError('Md5Mismatch', undefined, [
        ['UserSpecifiedMd5', value],
        ['ServerCalculatedMd5', calculated],
      ])
    : blobError('Crc64Mismatch', undefined, [
        ['UserSpecifiedCrc', value],
        ['ServerCalculatedCrc', calculated],
      ]);
}
