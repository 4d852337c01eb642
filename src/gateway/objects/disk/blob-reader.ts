// Owns one download: a stream over the pieces of blobs that make up an object or a range of it.
import { Readable, type Writable } from 'node:stream';
import type { Span } from '../range.ts';
import { transfer } from '../transfer.ts';
import type { Blobs } from './blobs.ts';
import { type FileOperations, unavailable } from './file-operations.ts';
import { send } from './send.ts';

/** Large, for speed: at 64 KiB a download costs twice the time. A slow reader holds two of them. Small ones take what they need. */
const CHUNK_BYTES = 512 * 1024;

/** A blob in its place within an object. */
export interface Segment {
  readonly blob: string;
  readonly size: number;
}

/** Bytes of one blob, from `position` on. */
interface Piece extends Segment {
  readonly position: number;
  readonly length: number;
}

/** The pieces of `segments` that hold the bytes of `span` of the object. */
function piecesOf(segments: readonly Segment[], span: Span): readonly Piece[] {
  const pieces: Piece[] = [];
  let start = 0;
  for (const segment of segments) {
    const position = Math.max(0, span.first - start);
    const end = Math.min(segment.size, span.last + 1 - start);
    if (end > position) pieces.push({ ...segment, position, length: end - position });
    start += segment.size;
  }
  return pieces;
}

/** A piece whose file is open and as long as it was written. */
interface OpenPiece {
  readonly fd: number;
  position: number;
  left: number;
}

/** Delivers its span whole or ends with an error. Blobs stay on the disk until it is destroyed, which its end does by itself. */
export class BlobReader extends Readable {
  readonly #blobs: Blobs;
  readonly #files: FileOperations;
  readonly #pieces: readonly Piece[];
  readonly #unpin: () => void;
  readonly #bytes: number;
  #next = 0;
  #open: OpenPiece | undefined;
  /** The last use of the descriptor, which must be over before it is closed: its number may be another file's then. */
  #busy: Promise<unknown> = Promise.resolve();

  /** Precondition: `span` lies within the segments. Pins their blobs at once. */
  constructor(o: { blobs: Blobs; files: FileOperations; segments: readonly Segment[]; span: Span }) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#blobs = o.blobs;
    this.#files = o.files;
    this.#pieces = piecesOf(o.segments, o.span);
    this.#bytes = o.span.last + 1 - o.span.first;
    this.#unpin = o.blobs.pin(this.#pieces.map((piece) => piece.blob));
    // It may end before anybody listens; whoever reads it hears of the error all the same.
    this.on('error', () => {});
  }

  /**
   * Opens the first blob, so that a damaged one is found before anything was answered. Rejects with ERR_STORE_UNAVAILABLE,
   * destroyed. To be called once, before the first read.
   */
  async prepare(): Promise<this> {
    try {
      await this.#openNext();
      return this;
    } catch (cause) {
      this.destroy();
      throw cause;
    }
  }

  override _read(): void {
    this.#fill((length) => Buffer.allocUnsafeSlow(length)).then(
      (chunk) => this.push(chunk),
      (cause: unknown) => this.destroy(cause instanceof Error ? cause : unavailable('reading failed', cause)),
    );
  }

  /** See OpenObject.sendTo. Precondition: nothing was read from the stream. */
  sendTo(target: Writable): Promise<void> {
    const fill = (buffer: Buffer) => this.#fill((length) => buffer.subarray(0, length));
    return transfer(this, target, () => send(fill, target, Math.min(CHUNK_BYTES, this.#bytes)));
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    void this.#busy
      .then(() => this.#closeOpen())
      .catch(() => {})
      .then(() => {
        this.#unpin();
        callback(error);
      });
  }

  #fill(bufferOf: (length: number) => Buffer): Promise<Uint8Array | null> {
    if (this.destroyed) return Promise.reject(new Error('the transfer was broken off'));
    const filling = this.#readChunk(bufferOf);
    this.#busy = filling.catch(() => {});
    return filling;
  }

  async #readChunk(bufferOf: (length: number) => Buffer): Promise<Uint8Array | null> {
    if (this.#open?.left === 0) await this.#closeOpen();
    if (this.#open === undefined && !(await this.#openNext())) return null;
    const open = this.#open;
    if (open === undefined) return null;
    const target = bufferOf(Math.min(CHUNK_BYTES, open.left));
    const count = await this.#files.read(open.fd, target, open.position);
    if (count === 0) throw unavailable('a blob ended before its object did');
    open.position += count;
    open.left -= count;
    return count === target.length ? target : target.subarray(0, count);
  }

  /** False: there is no more. A blob of another length than was written is damage. */
  async #openNext(): Promise<boolean> {
    const piece = this.#pieces[this.#next];
    if (piece === undefined) return false;
    this.#next += 1;
    const fd = await this.#blobs.open(piece.blob);
    this.#open = { fd, position: piece.position, left: piece.length };
    const size = await this.#files.sizeOf(fd);
    if (size !== piece.size) throw unavailable(`the blob ${piece.blob} has ${size} bytes instead of ${piece.size}`);
    return true;
  }

  async #closeOpen(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) await this.#files.close(open.fd);
  }
}
