// Owns the way from a row to typed values. A value of another type than was written is damage, never a default.
import type { z } from 'zod';
import { corrupt } from './corrupt.ts';

/** A row as a driver gives it: the drivers of all engines are set to give these. */
export type Row = Readonly<Record<string, null | number | bigint | string | Uint8Array>>;

const wrong = (column: string, cause?: unknown) =>
  corrupt(`the column ${column} does not hold what was written`, cause);

/** A text column. Throws ERR_STORE_CORRUPT otherwise; so do all below. */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw wrong(column);
  return value;
}

/** A text column that may be NULL. */
export const nullableText = (row: Row, column: string): string | null =>
  row[column] === null ? null : text(row, column);

/** An integer column within the exact range of a JavaScript number. */
export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrong(column);
  return value;
}

/** An integer column that may be NULL. */
export const nullableInteger = (row: Row, column: string): number | null =>
  row[column] === null ? null : integer(row, column);

/** A boolean kept as 0 or 1. */
export function flag(row: Row, column: string): boolean {
  const value = row[column];
  if (value !== 0 && value !== 1) throw wrong(column);
  return value === 1;
}

/** A blob column. */
export function bytes(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw wrong(column);
  return value;
}

/** A text column whose value is one of a closed set. */
export function oneOf<T extends string>(row: Row, column: string, allowed: readonly T[]): T {
  const value = row[column];
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw wrong(column);
  return found;
}

/** A JSON column, checked by `schema`. */
export function json<T>(row: Row, column: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text(row, column));
  } catch (cause) {
    throw wrong(column, cause);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw wrong(column, parsed.error);
  return parsed.data;
}

/** A JSON column that may be NULL. */
export const nullableJson = <T>(row: Row, column: string, schema: z.ZodType<T>): T | null =>
  row[column] === null ? null : json(row, column, schema);
