// What a row of the audit tables means, whatever the engine.
import type { ChainHead, StoredEntry } from '../../base/audit/chain.ts';
import { decodeRecord } from '../../base/audit/decode.ts';
import type { ChainState, StoredCheckpoint } from '../../base/audit/store.ts';
import type { DecisionRecord } from '../../sts/store.ts';
import { corrupt } from './corrupt.ts';
import { integer, nullableText, type Row, text } from './row.ts';

/** The columns of an entry. */
export const AUDIT_COLUMNS = 'writer, sequence, hash, kind, id, at, tenant, body';

/**
 * Every writer's row, and a row of zeros for a writer of which only entries are there: somebody took its row away, and what
 * is checked must meet its entries. The recursion reads one index entry per writer.
 */
export const AUDIT_HEADS = `
  WITH RECURSIVE present (writer) AS (
    SELECT min(writer) FROM audit_entry
    UNION ALL
    SELECT (SELECT min(writer) FROM audit_entry WHERE writer > present.writer) FROM present WHERE writer IS NOT NULL
  )
  SELECT writer, sequence, hash, pruned_sequence, pruned_hash FROM audit_writer
  UNION ALL
  SELECT writer, 0, '', 0, '' FROM present
  WHERE writer IS NOT NULL AND NOT EXISTS (SELECT 1 FROM audit_writer WHERE audit_writer.writer = present.writer)
  ORDER BY writer`;

/** An entry with its index columns. */
export const decodeEntry = (row: Row): StoredEntry => ({
  writer: text(row, 'writer'),
  sequence: integer(row, 'sequence'),
  hash: text(row, 'hash'),
  body: text(row, 'body'),
  index: { kind: text(row, 'kind'), id: text(row, 'id'), at: integer(row, 'at'), tenant: nullableText(row, 'tenant') },
});

/** A row of `audit_writer`. */
export const decodeState = (row: Row): ChainState => ({
  ...decodeHead(row),
  pruned: { sequence: integer(row, 'pruned_sequence'), hash: text(row, 'pruned_hash') },
});

/** Writer, sequence and hash of any row that has them. */
export const decodeHead = (row: Row): ChainHead => ({
  writer: text(row, 'writer'),
  sequence: integer(row, 'sequence'),
  hash: text(row, 'hash'),
});

/** A checkpoint. */
export const decodeCheckpoint = (row: Row): StoredCheckpoint => ({ at: integer(row, 'at'), jws: text(row, 'jws') });

/** The decision whose entry it is. */
export function decodeDecision(row: Row): DecisionRecord {
  const record = decodeRecord(text(row, 'body'));
  if (record?.kind !== 'decision') throw corrupt('the column body does not hold what was written');
  const { kind: _, ...decision } = record;
  return decision;
}
