// The policies that replicas share, and the STS's beginning anew.
import { hash } from 'node:crypto';
import { encodeRecord } from '../../base/audit/record.ts';
import type { PolicyFile, StsStore } from '../../sts/store.ts';
import { FORGET_POLICIES } from '../rows/policies.ts';
import { bytes, integer, text } from '../rows/row.ts';
import { countBeginning } from './beginning.ts';
import { statement } from './connection.ts';
import type { PostgresDatabase } from './database.ts';
import { exclusive } from './locks.ts';
import { EPOCH_LOCKS, raiseEpoch } from './sts-ends.ts';
import { renewIdentity } from './sts-lookups.ts';
import type { Transaction } from './transaction.ts';

const ACTIVE = statement('SELECT version, id FROM policy_active WHERE only_row = 1');
const KNOWN = statement('SELECT 1 FROM policy_set WHERE id = $1');
const FILES = statement(`
  SELECT path, bytes FROM policy_set LEFT JOIN policy_set_file ON set_id = policy_set.id
    LEFT JOIN policy_blob USING (digest)
  WHERE policy_set.id = $1 AND has_files = 1 ORDER BY path`);
const INSERT_SET = statement(`
  INSERT INTO policy_set (id, version, has_files) VALUES ($1, $2, 1)
  ON CONFLICT (id) DO UPDATE SET version = excluded.version, has_files = 1`);
const INSERT_BLOB = statement('INSERT INTO policy_blob (digest, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING');
const INSERT_FILE = statement(
  'INSERT INTO policy_set_file (set_id, path, digest) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
);
const SWAP = statement(`
  INSERT INTO policy_active (only_row, version, id) VALUES (1, $1, $2)
  ON CONFLICT (only_row) DO UPDATE SET version = excluded.version, id = excluded.id`);
const FORGET = FORGET_POLICIES.map(statement);

type PolicyMethods = Pick<StsStore, 'activePolicies' | 'loadPolicies' | 'wasActive' | 'activatePolicies'>;

/** The port's part about shared policies. */
export const stsPolicies = (database: PostgresDatabase): PolicyMethods => ({
  activePolicies: async () => {
    const [row] = await database.read(ACTIVE);
    return row === undefined ? undefined : { version: integer(row, 'version'), id: text(row, 'id') };
  },
  wasActive: async (id) => (await database.read(KNOWN, [id])).length > 0,
  loadPolicies: async (id) => {
    const rows = await database.read(FILES, [id]);
    // One row without a path stands for a set without files.
    const files = rows.filter(({ path }) => path !== null);
    return rows.length === 0
      ? undefined
      : files.map((row) => ({ path: text(row, 'path'), bytes: bytes(row, 'bytes') }));
  },
  activatePolicies: async ({ expectedVersion, files, id, record }) => {
    const entry = encodeRecord(record);
    return database.write({
      locks: [exclusive('policies')],
      run: async (transaction) => {
        const [row] = (await transaction.query(ACTIVE)).rows;
        if ((row === undefined ? 0 : integer(row, 'version')) !== expectedVersion) return false;
        await activate(transaction, { id, version: expectedVersion + 1, files });
        transaction.append(entry);
        transaction.announce();
        return true;
      },
    });
  },
});

interface Activation {
  readonly id: string;
  readonly version: number;
  readonly files: readonly PolicyFile[];
}

async function activate(transaction: Transaction, { files, id, version }: Activation): Promise<void> {
  const set = transaction.query(INSERT_SET, [id, version]);
  const inserts = files.flatMap((file) => {
    const digest = hash('sha256', file.bytes);
    return [
      transaction.query(INSERT_BLOB, [digest, file.bytes]),
      transaction.query(INSERT_FILE, [id, file.path, digest]),
    ];
  });
  const swap = transaction.query(SWAP, [version, id]);
  await Promise.all([set, ...inserts, swap, ...FORGET.map((forget) => transaction.query(forget))]);
}

/** The port's part about beginnings that is the STS's own. */
export const stsBeginning = (database: PostgresDatabase): Pick<StsStore, 'beginAnew'> => ({
  beginAnew: async ({ identity, record, ...beginning }) => {
    const entry = encodeRecord(record);
    return database.write({
      locks: [...EPOCH_LOCKS, exclusive('beginning'), exclusive('identity')],
      run: async (transaction) => {
        if (!(await countBeginning(transaction, beginning))) return undefined;
        const epoch = await raiseEpoch(transaction, { scope: 'all' }, beginning.now);
        await renewIdentity(transaction, identity);
        transaction.append(entry);
        return epoch;
      },
    });
  },
});
