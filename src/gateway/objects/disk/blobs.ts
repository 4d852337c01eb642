// Owns the blobs as files: their names, who is reading them, and when they may go. Which objects they belong to is the index's.
import type { Log } from '../../../base/ports/log.ts';
import type { Random } from '../../../base/ports/random.ts';
import type { FileOperations } from './file-operations.ts';
import { BLOB_NAME_BYTES, blobsOn, type Folder, OWNER_ONLY_FILE } from './folder.ts';

/** The blobs of one folder. */
export class Blobs {
  readonly #folder: Folder;
  readonly #files: FileOperations;
  readonly #random: Random;
  readonly #log: Log;
  readonly #pins = new Map<string, number>();
  /** To be removed as soon as nobody reads them. */
  readonly #doomed = new Set<string>();
  /** A commit that failed may still come back from the log after a crash: these stay until a later one took its place. */
  #doubtful: string[] = [];
  readonly #removals = new Set<Promise<void>>();

  constructor(o: { folder: Folder; files: FileOperations; random: Random; log: Log }) {
    this.#folder = o.folder;
    this.#files = o.files;
    this.#random = o.random;
    this.#log = o.log;
  }

  /** A new, empty file that no object refers to: what a crash leaves of it is removed at the next start. */
  async create(): Promise<{ readonly blob: string; readonly fd: number }> {
    const blob = Buffer.from(this.#random.bytes(BLOB_NAME_BYTES)).toString('hex');
    // `x`: a name that is taken is an error, never another object's bytes.
    return { blob, fd: await this.#files.open(this.#folder.pathOf(blob), 'wx', OWNER_ONLY_FILE) };
  }

  open(blob: string): Promise<number> {
    return this.#files.open(this.#folder.pathOf(blob), 'r', OWNER_ONLY_FILE);
  }

  /** Makes the name of a new blob durable. */
  async syncName(blob: string): Promise<void> {
    const fd = await this.#files.open(this.#folder.shelfOf(blob), 'r', OWNER_ONLY_FILE);
    try {
      await this.#files.sync(fd);
    } finally {
      await this.#files.close(fd);
    }
  }

  /** Keeps blobs on the disk until the returned function is called, whatever becomes of their object. */
  pin(blobs: readonly string[]): () => void {
    for (const blob of blobs) this.#pins.set(blob, (this.#pins.get(blob) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      for (const blob of blobs) this.#unpin(blob);
    };
  }

  #unpin(blob: string): void {
    const left = (this.#pins.get(blob) ?? 1) - 1;
    if (left > 0) {
      this.#pins.set(blob, left);
      return;
    }
    this.#pins.delete(blob);
    if (this.#doomed.delete(blob)) this.#removeNow(blob);
  }

  /** Removes blobs that no object refers to, in the background, each when its last reader is done. */
  remove(blobs: readonly string[]): void {
    for (const blob of blobs) {
      if (this.#pins.has(blob)) this.#doomed.add(blob);
      else this.#removeNow(blob);
    }
  }

  #removeNow(blob: string): void {
    const removal = this.#files.remove(this.#folder.pathOf(blob)).catch((cause: unknown) => {
      // Harmless but for its space: the next start tries again.
      this.#log.warn({ blob, cause: String(cause) }, 'a blob that nothing refers to could not be removed');
    });
    this.#removals.add(removal);
    void removal.then(() => this.#removals.delete(removal));
  }

  /** Its commit failed, so that only a later commit makes sure that nothing refers to it. */
  doubt(blob: string): void {
    this.#doubtful.push(blob);
  }

  /** To be called after every commit that succeeded. */
  onCommit(): void {
    if (this.#doubtful.length === 0) return;
    const blobs = this.#doubtful;
    this.#doubtful = [];
    this.remove(blobs);
  }

  /** At the start, before anything is read or written: removes what a crash left behind. Resolves with how many. */
  async removeOrphans(isReferenced: (blob: string) => boolean): Promise<number> {
    let count = 0;
    for (const shelf of blobsOn(this.#folder)) {
      const orphans = shelf.filter((blob) => !isReferenced(blob));
      count += orphans.length;
      this.remove(orphans);
      await this.settled();
    }
    return count;
  }

  /** Resolves when no removal is under way. */
  async settled(): Promise<void> {
    while (this.#removals.size > 0) await Promise.all(this.#removals);
  }
}
