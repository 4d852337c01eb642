// The digests that writers announce and readers are told: base64, CRC32C big-endian (Cloud Storage, "Data validation").
import { type Checksums, createChecksum } from '../../base/checksum/checksum.ts';
import { ok, type Result } from '../../base/core/result.ts';
import type { ExpectedHashes } from './call.ts';
import { type GcsError, gcsError, invalid } from './errors.ts';
import { PayloadError } from './payload-error.ts';

const BYTES = { crc32c: 4, md5: 16 } as const;

/** The digests of `X-Goog-Hash`, which may stand several times and list several. Errors: `invalid`. */
export function readGoogHash(values: readonly string[]): Result<ExpectedHashes, GcsError> {
  const hashes: { crc32c?: string; md5?: string } = {};
  for (const item of values.flatMap((value) => value.split(','))) {
    const [, name, digest = ''] = /^ *(crc32c|md5)=(\S+) *$/.exec(item) ?? [];
    if (name !== 'crc32c' && name !== 'md5') return invalid('X-Goog-Hash', 'crc32c= or md5= is wanted');
    if (!isDigest(digest, name) || hashes[name] !== undefined)
      return invalid('X-Goog-Hash', 'not one digest of a kind');
    hashes[name] = digest;
  }
  return ok(hashes);
}

/** Whether `text` is canonical base64 of a digest of this kind. */
export function isDigest(text: string, kind: keyof typeof BYTES): boolean {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === BYTES[kind] && bytes.toString('base64') === text;
}

/** Both sets as one; undefined when they contradict each other. */
export function joinHashes(one: ExpectedHashes, other: ExpectedHashes): ExpectedHashes | undefined {
  const contradicts = (kind: keyof ExpectedHashes): boolean =>
    one[kind] !== undefined && other[kind] !== undefined && one[kind] !== other[kind];
  return contradicts('crc32c') || contradicts('md5') ? undefined : { ...one, ...other };
}

/** A body that is held to what was announced of it. */
export interface HashedBody {
  /** Throws PayloadError in place of its end when a digest is another; what was read until then is worth nothing. */
  readonly body: AsyncIterable<Uint8Array>;
  /** After the end of `body`: its CRC32C. Empty before. */
  checksums(): Checksums;
}

/**
 * `source` with its CRC32C, which every object of Cloud Storage has: clients delete what they uploaded when the answer tells
 * another, or none.
 */
export function hashBody(source: AsyncIterable<Uint8Array>, expected: ExpectedHashes): HashedBody {
  let checksums: Checksums = {};
  async function* hashed(): AsyncGenerator<Uint8Array, void> {
    const crc32c = createChecksum('crc32c');
    const md5 = expected.md5 === undefined ? null : createChecksum('md5');
    for await (const piece of source) {
      crc32c.update(piece);
      md5?.update(piece);
      yield piece;
    }
    const told = { crc32c: crc32c.digest().toString('base64'), md5: md5?.digest().toString('base64') };
    if (expected.crc32c !== undefined && expected.crc32c !== told.crc32c) throw mismatch('CRC32C');
    if (expected.md5 !== undefined && expected.md5 !== told.md5) throw mismatch('MD5 hash');
    checksums = { crc32c: told.crc32c };
  }
  return { body: hashed(), checksums: () => checksums };
}

const mismatch = (what: string): PayloadError =>
  new PayloadError(gcsError('invalid', `Provided ${what} does not match what was received.`));
