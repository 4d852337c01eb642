// What the row of beginnings means, whatever the engine.
import type { Beginning } from '../../sts/store.ts';
import { flag, integer, nullableInteger, nullableText, type Row } from './row.ts';

/** Where a store stands. */
export const decodeBeginning = (row: Row): Beginning => ({
  generation: integer(row, 'generation'),
  at: nullableInteger(row, 'at'),
  history: nullableText(row, 'history'),
  isRestored: flag(row, 'is_restored'),
  vouchedAt: nullableInteger(row, 'vouched_at'),
});
