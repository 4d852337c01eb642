// Owns one new blob from its first byte to its last flush. Whether an object will refer to it is decided later.
import type { Blobs } from './blobs.ts';
import type { FileOperations } from './file-operations.ts';

/** Small writes are gathered up to this. Twice as much is held at most: one batch on its way, one being gathered. */
const BATCH_BYTES = 1024 * 1024;
/** The system takes at most 1,024 pieces at once (IOV_MAX). */
const MAX_PIECES = 512;

/** Writes one blob. Every method rejects with ERR_STORE_UNAVAILABLE when the disk fails; then only `discard` is left. */
export class BlobWriter {
  readonly #blobs: Blobs;
  readonly #files: FileOperations;
  #file: { readonly blob: string; readonly fd: number } | undefined;
  #isOpen = false;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #inFlight: Promise<void> = Promise.resolve();

  constructor(blobs: Blobs, files: FileOperations) {
    this.#blobs = blobs;
    this.#files = files;
  }

  /** Takes a chunk; waits while the disk is slower than the caller. The chunk must not change afterwards. */
  async write(chunk: Uint8Array): Promise<void> {
    if (chunk.length === 0) return;
    this.#batch.push(chunk);
    this.#batchBytes += chunk.length;
    if (this.#batchBytes >= BATCH_BYTES || this.#batch.length >= MAX_PIECES) await this.#send();
  }

  /** Makes the blob durable, its name included, and resolves with it; null: no byte came, and there is no file. */
  async finish(): Promise<string | null> {
    await this.#send();
    await this.#inFlight;
    if (this.#file === undefined) return null;
    const { blob, fd } = this.#file;
    await this.#files.sync(fd);
    await this.#close();
    await this.#blobs.syncName(blob);
    return blob;
  }

  /** Leaves nothing behind. Never rejects. */
  async discard(): Promise<void> {
    this.#batch = [];
    await this.#inFlight.catch(() => {});
    await this.#close().catch(() => {});
    if (this.#file !== undefined) this.#blobs.remove([this.#file.blob]);
  }

  /** Starts the next batch once the last has arrived; the caller gathers meanwhile. */
  async #send(): Promise<void> {
    await this.#inFlight;
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#inFlight = this.#append(batch);
    // Whoever waits for it next hears of a failure.
    this.#inFlight.catch(() => {});
  }

  async #append(batch: readonly Uint8Array[]): Promise<void> {
    if (this.#file === undefined) {
      this.#file = await this.#blobs.create();
      this.#isOpen = true;
    }
    let left = batch;
    while (left.length > 0) left = dropBytes(left, await this.#files.write(this.#file.fd, left));
  }

  async #close(): Promise<void> {
    if (!this.#isOpen || this.#file === undefined) return;
    // Even a close that fails gives the descriptor back (close(2)).
    this.#isOpen = false;
    await this.#files.close(this.#file.fd);
  }
}

/** What is left of `chunks` after their first `count` bytes. */
function dropBytes(chunks: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  for (const [index, chunk] of chunks.entries()) {
    if (left < chunk.length) return [chunk.subarray(left), ...chunks.slice(index + 1)];
    left -= chunk.length;
  }
  return [];
}
