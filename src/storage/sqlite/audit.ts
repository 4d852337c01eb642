// Adapter of the audit store port: reading the chains, checkpoints, and pruning.
import { encodeRecord } from '../../base/audit/record.ts';
import type { AuditStore } from '../../base/audit/store.ts';
import { JobpassError } from '../../base/core/errors.ts';
import { AUDIT_COLUMNS, AUDIT_HEADS, decodeCheckpoint, decodeEntry, decodeHead, decodeState } from '../rows/audit.ts';
import { integer } from '../rows/row.ts';
import type { AuditChain } from './audit-chain.ts';
import type { SqliteDatabase } from './database.ts';

/** The newest positions of chosen tenants, as a JSON list: from the index alone, so that no record is read that is not shown. */
export function newestPositions(database: SqliteDatabase, condition: string) {
  const positions = database.prepare(
    `SELECT position FROM audit_entry WHERE tenant = ? AND ${condition} ORDER BY position DESC LIMIT ?`,
  );
  return (tenants: readonly string[], limit: number): string => {
    const rows = [...new Set(tenants)].flatMap((tenant) => positions.all(tenant, limit));
    const newest = rows.map((row) => integer(row, 'position')).sort((a, b) => b - a);
    return JSON.stringify(newest.slice(0, limit));
  };
}

/** The audit store port on an open database of any kind, whose records `chain` writes. */
export const sqliteAuditStore = (database: SqliteDatabase, chain: AuditChain): AuditStore => ({
  ...auditEntries(database, chain),
  ...auditCheckpoints(database),
  ...auditPruning(database, chain),
});

type EntryMethods = Pick<AuditStore, 'recordAction' | 'listHeads' | 'listEntries' | 'listNewestEntries'>;

function auditEntries(database: SqliteDatabase, chain: AuditChain): EntryMethods {
  const heads = database.prepare(AUDIT_HEADS);
  const entries = database.prepare(
    `SELECT ${AUDIT_COLUMNS} FROM audit_entry WHERE writer = ? AND sequence > ? ORDER BY sequence LIMIT ?`,
  );
  const newest = database.prepare(`SELECT ${AUDIT_COLUMNS} FROM audit_entry ORDER BY position DESC LIMIT ?`);
  const ofPositions = database.prepare(`
    SELECT ${AUDIT_COLUMNS} FROM audit_entry WHERE position IN (SELECT value FROM json_each(?)) ORDER BY position DESC`);
  const positionsOf = newestPositions(database, 'true');
  return {
    recordAction: async (record) => {
      const entry = encodeRecord(record);
      return database.write(() => chain.append(entry));
    },
    listHeads: () => database.read(() => heads.all().map(decodeState)),
    listEntries: (writer, afterSequence, limit) =>
      database.read(() => entries.all(writer, afterSequence, limit).map(decodeEntry)),
    listNewestEntries: (limit, only) =>
      database.read(() => {
        const rows = only === undefined ? newest.all(limit) : ofPositions.all(positionsOf(only.tenants, limit));
        return rows.map(decodeEntry);
      }),
  };
}

type CheckpointMethods = Pick<AuditStore, 'insertCheckpoint' | 'listCheckpoints'>;

function auditCheckpoints(database: SqliteDatabase): CheckpointMethods {
  const insert = database.prepare('INSERT INTO audit_checkpoint (at, jws) VALUES ($at, $jws)');
  const list = database.prepare(`
    SELECT at, jws FROM audit_checkpoint WHERE at > $after
      AND at <= (SELECT max(at) FROM (SELECT at FROM audit_checkpoint WHERE at > $after ORDER BY at LIMIT $limit))
    ORDER BY at, position`);
  return {
    insertCheckpoint: ({ at, jws }) =>
      database.write(() => {
        insert.run({ at, jws });
      }),
    listCheckpoints: (after, limit) => database.read(() => list.all({ after, limit }).map(decodeCheckpoint)),
  };
}

/** The beginnings of chains: finding what may go, and letting it go with a statement that it went. */
function auditPruning(database: SqliteDatabase, chain: AuditChain): Pick<AuditStore, 'listPrunable' | 'pruneEntries'> {
  // Per chain, the last of the entries before the first that is not old; the subquery stops at that first one.
  const prunable = database.prepare(`
    SELECT entry.writer, entry.sequence, entry.hash FROM audit_writer JOIN audit_entry AS entry
      ON entry.writer = audit_writer.writer AND entry.sequence = min(
        audit_writer.pruned_sequence + $limit,
        coalesce((SELECT sequence - 1 FROM audit_entry WHERE writer = audit_writer.writer AND at >= $before
          ORDER BY sequence LIMIT 1), audit_writer.sequence))
    ORDER BY entry.writer`);
  const isEntry = database.prepare('SELECT 1 FROM audit_entry WHERE writer = ? AND sequence = ? AND hash = ?');
  const cut = database.prepare('DELETE FROM audit_entry WHERE writer = ? AND sequence <= ?');
  const begin = database.prepare(
    'UPDATE audit_writer SET pruned_sequence = $sequence, pruned_hash = $hash WHERE writer = $writer',
  );
  const forget = database.prepare('DELETE FROM audit_checkpoint WHERE at < ?');
  const insert = database.prepare('INSERT INTO audit_checkpoint (at, jws) VALUES ($at, $jws)');
  return {
    listPrunable: (before, limit) => database.read(() => prunable.all({ before, limit }).map(decodeHead)),
    pruneEntries: async ({ before, checkpoint, record, upTo }) => {
      const entry = encodeRecord(record);
      return database.write(() => {
        let count = 0;
        for (const { hash, sequence, writer } of upTo) {
          if (isEntry.get(writer, sequence, hash) === undefined) {
            throw new JobpassError('ERR_STORE_MISUSE', 'a chain was to be pruned up to what is no entry of it');
          }
          count += Number(cut.run(writer, sequence).changes);
          begin.run({ writer, sequence, hash });
        }
        forget.run(Math.floor(before / 1000));
        insert.run({ at: checkpoint.at, jws: checkpoint.jws });
        chain.append(entry);
        return count;
      });
    },
  };
}
