// Owns the rows of objects and their segments. Whether a write may happen is decided before it comes here.
import type { StatementSync } from 'node:sqlite';
import type { Checksums } from '../../../base/checksum/checksum.ts';
import type { EpochMs } from '../../../base/core/time.ts';
import type { ObjectAttributes, ObjectInfo, ObjectRef } from '../store.ts';
import type { Segment } from './blob-reader.ts';
import type { IndexFile } from './index-file.ts';
import {
  attributes,
  attributesText,
  checksums,
  integer,
  key,
  nullableInteger,
  nullableText,
  type Row,
  text,
} from './row.ts';

/** An object as the index has it. */
export interface StoredObject {
  readonly info: ObjectInfo;
  /** The upload that made it, if one did. */
  readonly uploadId: string | null;
}

/** What a new object is made of. Its generation is given by the index. */
export interface ObjectDraft {
  readonly size: number;
  readonly etag: string;
  readonly parts: number | null;
  readonly modifiedAt: EpochMs;
  readonly attributes: ObjectAttributes;
  readonly checksums: Checksums;
  readonly uploadId: string | null;
  /** In order; together `size` bytes. */
  readonly segments: readonly Segment[];
}

export const keyBytes = (name: string): Buffer => Buffer.from(name, 'utf8');

/** An object's row as its info. */
export function decodeInfo(row: Row): ObjectInfo {
  const parts = nullableInteger(row, 'parts');
  return {
    ...attributes(row),
    key: key(row, 'key').toString('utf8'),
    size: integer(row, 'size'),
    etag: text(row, 'etag'),
    modifiedAt: integer(row, 'modified_at'),
    generation: integer(row, 'id'),
    checksums: checksums(row),
    ...(parts === null ? {} : { parts }),
  };
}

/** The statements over `object` and `segment`. All calls run inside IndexFile's `read` or `write`. */
export class ObjectTable {
  readonly #find: StatementSync;
  readonly #segments: StatementSync;
  readonly #insert: StatementSync;
  readonly #insertSegment: StatementSync;
  readonly #remove: StatementSync;
  readonly #isReferenced: StatementSync;
  readonly #bytes: StatementSync;
  readonly #range: StatementSync;

  constructor(index: IndexFile) {
    this.#find = index.prepare('SELECT * FROM object WHERE bucket = ? AND key = ?');
    this.#segments = index.prepare('SELECT blob, size FROM segment WHERE object_id = ? ORDER BY position');
    this.#insert = index.prepare(`
      INSERT INTO object (bucket, key, size, etag, parts, modified_at, attributes, checksums, upload_id)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`);
    this.#insertSegment = index.prepare('INSERT INTO segment (object_id, position, blob, size) VALUES (?, ?, ?, ?)');
    this.#remove = index.prepare('DELETE FROM object WHERE id = ?');
    this.#isReferenced = index.prepare(
      'SELECT EXISTS (SELECT 1 FROM segment WHERE blob = $blob) OR EXISTS (SELECT 1 FROM part WHERE blob = $blob) AS found',
    );
    this.#bytes = index.prepare('SELECT bytes FROM bucket WHERE name = ?');
    this.#range = index.prepare('SELECT * FROM object WHERE bucket = ? AND key >= ? AND key < ? ORDER BY key');
  }

  find(object: ObjectRef): StoredObject | undefined {
    const row = this.#find.get(object.bucket, keyBytes(object.key));
    return row === undefined ? undefined : { info: decodeInfo(row), uploadId: nullableText(row, 'upload_id') };
  }

  segmentsOf(info: ObjectInfo): readonly Segment[] {
    return this.#segments.all(info.generation).map((row) => ({ blob: text(row, 'blob'), size: integer(row, 'size') }));
  }

  /** Puts an object in the place of what stands there, or of nothing. Gives it back with the blobs that may have become free. */
  replace(object: ObjectRef, draft: ObjectDraft): { readonly info: ObjectInfo; readonly released: readonly string[] } {
    const released = this.remove(object);
    const id = this.#insertRow(object, draft);
    for (const [position, { blob, size }] of draft.segments.entries()) {
      this.#insertSegment.run(id, position, blob, size);
    }
    const { size, etag, parts, modifiedAt } = draft;
    const standing = { key: object.key, size, etag, modifiedAt, generation: id, checksums: draft.checksums };
    return { info: { ...draft.attributes, ...standing, ...(parts === null ? {} : { parts }) }, released };
  }

  #insertRow(object: ObjectRef, draft: ObjectDraft): number {
    const row = this.#insert.get(
      object.bucket,
      keyBytes(object.key),
      draft.size,
      draft.etag,
      draft.parts,
      draft.modifiedAt,
      attributesText(draft.attributes),
      JSON.stringify(draft.checksums),
      draft.uploadId,
    );
    return integer(row ?? {}, 'id');
  }

  /** Removes an object if it stands. Gives back the blobs that may have become free. */
  remove(object: ObjectRef): readonly string[] {
    const found = this.find(object);
    if (found === undefined) return [];
    const released = this.segmentsOf(found.info).map((segment) => segment.blob);
    this.#remove.run(found.info.generation);
    return released;
  }

  /** True while an object or a part has this blob. */
  isReferenced(blob: string): boolean {
    return this.#isReferenced.get({ blob })?.found === 1;
  }

  /** What the bucket's objects and parts amount to. */
  bytesOf(bucket: string): number {
    return integer(this.#bytes.get(bucket) ?? {}, 'bytes');
  }

  /** Rows from `from` on and before `before`, in the order of their keys' bytes, read one by one. */
  rows(bucket: string, from: Uint8Array, before: Uint8Array): Iterable<Row> {
    return this.#range.iterate(bucket, from, before);
  }
}
