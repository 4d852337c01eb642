// Undoes aws-chunked framing (Amazon S3, "Transferring payload in multiple chunks" and "Including trailing headers"). Bytes are
// passed on as they arrive, whatever the chunks' sizes; a chunk's signature is compared when its last byte has passed.
import { createHash } from 'node:crypto';
import type { ChunkSignatures } from '../../../base/sigv4/chunks.ts';
import { isSameSignature } from '../../../base/sigv4/signature.ts';
import { ByteSource } from './byte-source.ts';
import { payloadError } from './payload-error.ts';

/** More than any chunk header or trailer that is served. */
const MAX_LINE_BYTES = 256;
const CHUNK_HEADER = /^(0|[1-9A-Fa-f][0-9A-Fa-f]{0,15})(?:;chunk-signature=([0-9a-f]{64}))?$/;
const TRAILER_SIGNATURE = 'x-amz-trailer-signature';
const MALFORMED = 'The aws-chunked body is malformed';

export interface DechunkOptions {
  /** Bytes of all chunks together. */
  readonly size: number;
  /** The chain that the chunks continue; null: they have no signatures. */
  readonly signatures: ChunkSignatures | null;
  /** The one trailer that must follow, by name; null: none may. */
  readonly trailer: string | null;
  /** Told the trailer's value before the end. */
  readonly onTrailer: (value: string) => void;
}

/**
 * The bytes inside the chunks. Throws PayloadError: InvalidRequest (framing that is not exactly so, bytes beyond `size` or behind
 * the end), IncompleteBody, SignatureDoesNotMatch, MalformedTrailerError; and whatever the source throws.
 */
export async function* dechunk(
  source: AsyncIterable<Uint8Array>,
  options: DechunkOptions,
): AsyncGenerator<Uint8Array, void> {
  const bytes = new ByteSource(source);
  try {
    let remaining = options.size;
    for (;;) {
      const header = await readChunkHeader(bytes, options.signatures !== null);
      if (header.size > remaining)
        throw payloadError('InvalidRequest', 'The body is longer than x-amz-decoded-content-length');
      const digest = options.signatures === null ? null : createHash('sha256');
      for (let left = header.size; left > 0; ) {
        const piece = await bytes.some(left);
        if (piece === undefined) throw payloadError('IncompleteBody');
        left -= piece.length;
        digest?.update(piece);
        yield piece;
      }
      if (digest !== null) holdTo(options.signatures?.next(digest.digest('hex')), header.signature);
      if (header.size === 0) break;
      remaining -= header.size;
      if ((await readLine(bytes)) !== '') throw payloadError('InvalidRequest', MALFORMED);
    }
    if (remaining > 0) throw payloadError('IncompleteBody');
    await readTrailers(bytes, options);
    if ((await bytes.some(1)) !== undefined) throw payloadError('InvalidRequest', MALFORMED);
  } finally {
    await bytes.close();
  }
}

async function readLine(bytes: ByteSource): Promise<string> {
  const line = await bytes.line(MAX_LINE_BYTES);
  if (line === 'end') throw payloadError('IncompleteBody');
  if (line === 'malformed') throw payloadError('InvalidRequest', MALFORMED);
  return line.text;
}

interface ChunkHeader {
  readonly size: number;
  readonly signature: string | undefined;
}

async function readChunkHeader(bytes: ByteSource, isSigned: boolean): Promise<ChunkHeader> {
  const [, size, signature] = CHUNK_HEADER.exec(await readLine(bytes)) ?? [];
  if (size === undefined || isSigned !== (signature !== undefined)) throw payloadError('InvalidRequest', MALFORMED);
  return { size: Number.parseInt(size, 16), signature };
}

/** The announced trailer and nothing else, its signature when the chunks have them, and the empty line that ends the body. */
async function readTrailers(bytes: ByteSource, { trailer, signatures, onTrailer }: DechunkOptions): Promise<void> {
  if (trailer !== null) {
    const value = await readTrailer(bytes, trailer);
    if (signatures !== null) {
      const hash = createHash('sha256').update(`${trailer}:${value}\n`).digest('hex');
      holdTo(signatures.trailer(hash), await readTrailer(bytes, TRAILER_SIGNATURE));
    }
    onTrailer(value);
  }
  if ((await readLine(bytes)) !== '') throw payloadError('MalformedTrailerError');
}

async function readTrailer(bytes: ByteSource, name: string): Promise<string> {
  const line = await readLine(bytes);
  const split = line.indexOf(':');
  if (line.slice(0, split).toLowerCase() !== name) throw payloadError('MalformedTrailerError');
  return line.slice(split + 1);
}

function holdTo(wanted: string | undefined, presented: string | undefined): void {
  if (wanted === undefined || presented === undefined || !isSameSignature(wanted, presented)) {
    throw payloadError('SignatureDoesNotMatch');
  }
}
