// Owns the way from a row of the index to typed values. A value of another type than was written is damage, never a default.
import type { SQLOutputValue } from 'node:sqlite';
import * as z from 'zod';
import type { Checksums } from '../../../base/checksum/checksum.ts';
import type { ObjectAttributes } from '../store.ts';
import { unavailable } from './file-operations.ts';

/** A row as the driver gives it. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

const damaged = (column: string, cause?: unknown) =>
  unavailable(`the index is damaged: ${column} does not hold what was written`, cause);

/** Throws ERR_STORE_UNAVAILABLE when the column is no text; so do all below for their types. */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw damaged(column);
  return value;
}

export const nullableText = (row: Row, column: string): string | null =>
  row[column] === null ? null : text(row, column);

export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw damaged(column);
  return value;
}

export const nullableInteger = (row: Row, column: string): number | null =>
  row[column] === null ? null : integer(row, column);

/** A key: kept as bytes, so that it sorts by them. */
export function key(row: Row, column: string): Buffer {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw damaged(column);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

type ShapeOf<T> = Readonly<Record<keyof T, z.ZodType>>;
const optional = z.string().exactOptional();
const isText = (value: unknown): boolean => typeof value === 'string';

/** Not `z.record`, which drops a member named `__proto__`. */
const textMap = z.custom<Readonly<Record<string, string>>>(
  (value) => typeof value === 'object' && value !== null && Object.values(value).every(isText),
);

const attributesShape: z.ZodType<ObjectAttributes> = z.strictObject({
  contentType: optional,
  contentEncoding: optional,
  contentDisposition: optional,
  contentLanguage: optional,
  cacheControl: optional,
  expires: optional,
  metadata: textMap,
} satisfies ShapeOf<ObjectAttributes>);

const checksumsShape: z.ZodType<Checksums> = z.strictObject({
  crc32: optional,
  crc32c: optional,
  crc64nvme: optional,
  sha1: optional,
  sha256: optional,
} satisfies ShapeOf<Checksums>);

function json<T>(row: Row, column: string, shape: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text(row, column));
  } catch (cause) {
    throw damaged(column, cause);
  }
  const parsed = shape.safeParse(value);
  if (!parsed.success) throw damaged(column, parsed.error);
  return parsed.data;
}

export const attributes = (row: Row): ObjectAttributes => json(row, 'attributes', attributesShape);
export const checksums = (row: Row): Checksums => json(row, 'checksums', checksumsShape);

/** The attributes alone of something that has more, ready for their column. */
export function attributesText(from: ObjectAttributes): string {
  const { contentType, contentEncoding, contentDisposition, contentLanguage, cacheControl, expires, metadata } = from;
  // JSON leaves out what is undefined.
  return JSON.stringify({
    contentType,
    contentEncoding,
    contentDisposition,
    contentLanguage,
    cacheControl,
    expires,
    metadata,
  });
}
