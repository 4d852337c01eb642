import { expect, test } from 'vitest';
import { type KeyRows, listObjects } from './listing.ts';
import type { Row } from './row.ts';

/** Sorted keys as a table that counts what is read of it. */
function countingTable(keys: readonly string[]): KeyRows & { rowsRead: number; seeks: number } {
  const rows = keys.map(
    (key, id): Row => ({
      key: Buffer.from(key),
      id,
      size: 1,
      etag: 'e',
      parts: null,
      modified_at: 0,
      attributes: '{"metadata":{}}',
      checksums: '{}',
    }),
  );
  const table = {
    rowsRead: 0,
    seeks: 0,
    *rows(_bucket: string, from: Uint8Array, before: Uint8Array): Generator<Row> {
      table.seeks += 1;
      for (const row of rows) {
        const key = row.key as Uint8Array;
        if (Buffer.compare(key, from) < 0) continue;
        if (Buffer.compare(key, before) >= 0) return;
        table.rowsRead += 1;
        yield row;
      }
    },
  };
  return table;
}

const deep = Array.from({ length: 20 }, (_, folder) =>
  Array.from({ length: 500 }, (_, file) => `${String(folder).padStart(2, '0')}/${String(file).padStart(3, '0')}`),
).flat();

test('common prefixes are skipped by seeking: one row is read of each, however many keys are below it', () => {
  const table = countingTable(deep);
  const listing = listObjects(table, 'b', { prefix: '', delimiter: '/', after: '', limit: 1000 });
  expect(listing.prefixes).toHaveLength(20);
  expect(table.rowsRead).toBe(20);
  expect(table.seeks).toBe(21);
});

test('a page reads its entries and one more', () => {
  const table = countingTable(deep);
  const listing = listObjects(table, 'b', { prefix: '07/', delimiter: null, after: '07/100', limit: 10 });
  expect(listing.objects.map((info) => info.key).at(0)).toBe('07/101');
  expect(listing.next).toBe('07/110');
  expect(table.rowsRead).toBe(11);
});

test('a limit beyond the bound counts as the bound', () => {
  const listing = listObjects(countingTable(deep), 'b', { prefix: '', delimiter: null, after: '', limit: 5000 });
  expect(listing.objects).toHaveLength(1000);
  expect(listing.isTruncated).toBe(true);
});
