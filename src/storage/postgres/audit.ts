// Adapter of the audit store port: reading the chains, checkpoints, and pruning. Entries are appended by transactions.
import { encodeRecord } from '../../base/audit/record.ts';
import type { AuditStore } from '../../base/audit/store.ts';
import { JobpassError } from '../../base/core/errors.ts';
import { AUDIT_COLUMNS, AUDIT_HEADS, decodeCheckpoint, decodeEntry, decodeHead, decodeState } from '../rows/audit.ts';
import { statement } from './connection.ts';
import type { PostgresDatabase } from './database.ts';
import { exclusive } from './locks.ts';
import type { Transaction } from './transaction.ts';

const HEADS = statement(AUDIT_HEADS);
const ENTRIES = statement(
  `SELECT ${AUDIT_COLUMNS} FROM audit_entry WHERE writer = $1 AND sequence > $2 ORDER BY sequence LIMIT $3`,
);
const NEWEST = statement(`SELECT ${AUDIT_COLUMNS} FROM audit_entry ORDER BY position DESC LIMIT $1`);

/** The newest of each tenant alone, of which the newest are taken: no record is read that could not be shown. */
export const newestOf = (columns: string, condition: string): string => `
  SELECT ${columns} FROM unnest($1::text[]) AS wanted (wanted_tenant) CROSS JOIN LATERAL (
    SELECT * FROM audit_entry WHERE tenant = wanted_tenant COLLATE "C" AND ${condition} ORDER BY position DESC LIMIT $2
  ) AS entry ORDER BY position DESC LIMIT $2`;
const NEWEST_OF = statement(newestOf(AUDIT_COLUMNS, 'true'));

/** The audit store port on an open database of any kind. */
export const postgresAuditStore = (database: PostgresDatabase): AuditStore => ({
  ...auditEntries(database),
  ...auditCheckpoints(database),
  ...auditPruning(database),
});

type EntryMethods = Pick<AuditStore, 'recordAction' | 'listHeads' | 'listEntries' | 'listNewestEntries'>;

const auditEntries = (database: PostgresDatabase): EntryMethods => ({
  recordAction: async (record) => {
    const entry = encodeRecord(record);
    return database.write({ locks: [], run: async (transaction) => transaction.append(entry) });
  },
  listHeads: async () => (await database.read(HEADS)).map(decodeState),
  listEntries: async (writer, afterSequence, limit) =>
    (await database.read(ENTRIES, [writer, afterSequence, limit])).map(decodeEntry),
  listNewestEntries: async (limit, only) => {
    const rows =
      only === undefined
        ? await database.read(NEWEST, [limit])
        : await database.read(NEWEST_OF, [[...new Set(only.tenants)], limit]);
    return rows.map(decodeEntry);
  },
});

const INSERT_CHECKPOINT = statement('INSERT INTO audit_checkpoint (at, jws) VALUES ($1, $2)');
const CHECKPOINTS = statement(`
  SELECT at, jws FROM audit_checkpoint WHERE at > $1
    AND at <= (SELECT max(at) FROM (SELECT at FROM audit_checkpoint WHERE at > $1 ORDER BY at LIMIT $2) AS first)
  ORDER BY at, position`);

type CheckpointMethods = Pick<AuditStore, 'insertCheckpoint' | 'listCheckpoints'>;

const auditCheckpoints = (database: PostgresDatabase): CheckpointMethods => ({
  insertCheckpoint: ({ at, jws }) =>
    database.write({
      locks: [],
      run: async (transaction) => {
        await transaction.query(INSERT_CHECKPOINT, [at, jws]);
      },
    }),
  listCheckpoints: async (after, limit) => (await database.read(CHECKPOINTS, [after, limit])).map(decodeCheckpoint),
});

/** Per chain, the last of the entries before the first that is not old; the subquery stops at that first one. */
const PRUNABLE = statement(`
  SELECT entry.writer, entry.sequence, entry.hash FROM audit_writer JOIN audit_entry AS entry
    ON entry.writer = audit_writer.writer AND entry.sequence = least(
      audit_writer.pruned_sequence + $2,
      coalesce((SELECT sequence - 1 FROM audit_entry WHERE writer = audit_writer.writer AND at >= $1
        ORDER BY sequence LIMIT 1), audit_writer.sequence))
  ORDER BY entry.writer`);
const IS_ENTRY = statement('SELECT 1 FROM audit_entry WHERE writer = $1 AND sequence = $2 AND hash = $3');
const CUT = statement('DELETE FROM audit_entry WHERE writer = $1 AND sequence <= $2');
const BEGIN_CHAIN = statement('UPDATE audit_writer SET pruned_sequence = $2, pruned_hash = $3 WHERE writer = $1');
const FORGET = statement('DELETE FROM audit_checkpoint WHERE at < $1');

type Pruning = Parameters<AuditStore['pruneEntries']>[0];

/** The beginnings of chains: finding what may go, and letting it go with a statement that it went. */
const auditPruning = (database: PostgresDatabase): Pick<AuditStore, 'listPrunable' | 'pruneEntries'> => ({
  listPrunable: async (before, limit) => (await database.read(PRUNABLE, [before, limit])).map(decodeHead),
  pruneEntries: async (pruning) => {
    const entry = encodeRecord(pruning.record);
    return database.write({
      locks: [exclusive('audit.prune')],
      run: async (transaction) => {
        const count = await prune(transaction, pruning);
        transaction.append(entry);
        return count;
      },
    });
  },
});

async function prune(transaction: Transaction, { before, checkpoint, upTo }: Pruning): Promise<number> {
  let count = 0;
  for (const { hash, sequence, writer } of upTo) {
    const isEntry = await transaction.query(IS_ENTRY, [writer, sequence, hash]);
    if (isEntry.count !== 1)
      throw new JobpassError('ERR_STORE_MISUSE', 'a chain was to be pruned up to what is no entry of it');
    const [cut] = await Promise.all([
      transaction.query(CUT, [writer, sequence]),
      transaction.query(BEGIN_CHAIN, [writer, sequence, hash]),
    ]);
    count += cut.count;
  }
  await Promise.all([
    transaction.query(FORGET, [Math.floor(before / 1000)]),
    transaction.query(INSERT_CHECKPOINT, [checkpoint.at, checkpoint.jws]),
  ]);
  return count;
}
