// Owns the rows of uploads under way and their parts. Whether a write may happen is decided before it comes here.
import type { StatementSync } from 'node:sqlite';
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm } from '../../../base/checksum/checksum.ts';
import type { EpochMs } from '../../../base/core/time.ts';
import type { CreateUploadOptions, ObjectAttributes, ObjectRef, PartInfo, UploadRef } from '../store.ts';
import { unavailable } from './file-operations.ts';
import type { IndexFile } from './index-file.ts';
import { keyBytes } from './object-table.ts';
import { attributes, attributesText, checksums, integer, nullableText, type Row, text } from './row.ts';

/** An upload under way. */
export interface StoredUpload {
  readonly attributes: ObjectAttributes;
  readonly checksumAlgorithm: ChecksumAlgorithm | null;
}

/** A part with its bytes; null: it has none. */
export interface StoredPart extends PartInfo {
  readonly blob: string | null;
}

function algorithmOf(row: Row): ChecksumAlgorithm | null {
  const value = nullableText(row, 'checksum_algorithm');
  if (value === null) return null;
  const found = CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === value);
  if (found === undefined) throw unavailable('the index is damaged: an unknown checksum algorithm');
  return found;
}

const decodePart = (row: Row): StoredPart => ({
  part: integer(row, 'part'),
  size: integer(row, 'size'),
  etag: text(row, 'etag'),
  checksums: checksums(row),
  modifiedAt: integer(row, 'modified_at'),
  blob: nullableText(row, 'blob'),
});

/** The statements over `upload` and `part`. All calls run inside IndexFile's `read` or `write`. */
export class UploadTable {
  readonly #insert: StatementSync;
  readonly #find: StatementSync;
  readonly #touch: StatementSync;
  readonly #remove: StatementSync;
  readonly #abandoned: StatementSync;
  readonly #insertPart: StatementSync;
  readonly #removePart: StatementSync;
  readonly #removeParts: StatementSync;
  readonly #part: StatementSync;
  readonly #parts: StatementSync;

  constructor(index: IndexFile) {
    this.#insert = index.prepare(`
      INSERT INTO upload (id, bucket, key, attributes, checksum_algorithm, touched_at) VALUES (?, ?, ?, ?, ?, ?)`);
    this.#find = index.prepare('SELECT * FROM upload WHERE id = ? AND bucket = ? AND key = ?');
    this.#touch = index.prepare('UPDATE upload SET touched_at = ? WHERE id = ?');
    this.#remove = index.prepare('DELETE FROM upload WHERE id = ?');
    this.#abandoned = index.prepare('SELECT id FROM upload WHERE touched_at < ? LIMIT ?');
    this.#insertPart = index.prepare(`
      INSERT INTO part (upload_id, part, bucket, blob, size, etag, checksums, modified_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#removePart = index.prepare('DELETE FROM part WHERE upload_id = ? AND part = ? RETURNING blob');
    this.#removeParts = index.prepare('DELETE FROM part WHERE upload_id = ? RETURNING blob');
    this.#part = index.prepare('SELECT * FROM part WHERE upload_id = ? AND part = ?');
    this.#parts = index.prepare('SELECT * FROM part WHERE upload_id = ? AND part > ? ORDER BY part LIMIT ?');
  }

  create(uploadId: string, object: ObjectRef, o: CreateUploadOptions & { readonly now: EpochMs }): void {
    const { bucket, key } = object;
    this.#insert.run(uploadId, bucket, keyBytes(key), attributesText(o.attributes), o.checksumAlgorithm, o.now);
  }

  /** An id counts only with the bucket and the key that it was made for. */
  find(upload: UploadRef): StoredUpload | undefined {
    const row = this.#find.get(upload.uploadId, upload.bucket, keyBytes(upload.key));
    return row === undefined ? undefined : { attributes: attributes(row), checksumAlgorithm: algorithmOf(row) };
  }

  part(uploadId: string, part: number): StoredPart | undefined {
    const row = this.#part.get(uploadId, part);
    return row === undefined ? undefined : decodePart(row);
  }

  parts(uploadId: string, o: { readonly after: number; readonly limit: number }): readonly StoredPart[] {
    return this.#parts.all(uploadId, o.after, o.limit).map(decodePart);
  }

  /** Stores a part in the place of an older one, or of none. Gives back the blobs that may have become free. */
  replacePart(upload: UploadRef, part: StoredPart): readonly string[] {
    const released = blobsOf(this.#removePart.all(upload.uploadId, part.part));
    this.#insertPart.run(
      upload.uploadId,
      part.part,
      upload.bucket,
      part.blob,
      part.size,
      part.etag,
      JSON.stringify(part.checksums),
      part.modifiedAt,
    );
    this.#touch.run(part.modifiedAt, upload.uploadId);
    return released;
  }

  /** Ends an upload. Gives back the blobs that may have become free. */
  remove(uploadId: string): readonly string[] {
    const released = blobsOf(this.#removeParts.all(uploadId));
    this.#remove.run(uploadId);
    return released;
  }

  /** Ids of uploads that nothing was added to since `before`. */
  abandoned(before: EpochMs, limit: number): readonly string[] {
    return this.#abandoned.all(before, limit).map((row) => text(row, 'id'));
  }
}

const blobsOf = (rows: readonly Row[]): readonly string[] => rows.flatMap((row) => nullableText(row, 'blob') ?? []);
