// Adapter of the key store port: the tables of key rings. It sees private parts only sealed.
import { encodeRecord } from '../../base/audit/record.ts';
import type { KeyStore, RingChange, StoredKey } from '../../keys/store.ts';
import { decodeKey, encodeKey } from '../rows/keys.ts';
import { integer, text } from '../rows/row.ts';
import { statement } from './connection.ts';
import type { PostgresDatabase } from './database.ts';
import { exclusive } from './locks.ts';
import type { Transaction } from './transaction.ts';

const READ = statement(`
  SELECT key_ring.version, kid, ring, algorithm, state, state_since, created_at, public_jwk, sealed
  FROM key_ring LEFT JOIN key USING (ring) WHERE ring = $1 ORDER BY position`);
const VERSIONS = statement('SELECT ring, version FROM key_ring');
const BEGIN_RING = statement('INSERT INTO key_ring (ring, version) VALUES ($1, 1) ON CONFLICT DO NOTHING');
const COUNT_CHANGE = statement('UPDATE key_ring SET version = version + 1 WHERE ring = $1 AND version = $2');
const CLEAR = statement('DELETE FROM key WHERE ring = $1');
const INSERT = statement(`
  INSERT INTO key (kid, ring, algorithm, state, state_since, created_at, public_jwk, sealed)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`);

/** The key store port on an open database of any kind. */
export const postgresKeyStore = (database: PostgresDatabase): KeyStore => ({
  readRing: async (ring) => {
    const rows = await database.read(READ, [ring]);
    const [first] = rows;
    // One row without a key stands for a ring that has none.
    const keys = rows.filter(({ kid }) => kid !== null).map(decodeKey);
    return { version: first === undefined ? 0 : integer(first, 'version'), keys };
  },
  listRingVersions: async () => {
    const rows = await database.read(VERSIONS);
    return new Map(rows.map((row) => [text(row, 'ring'), integer(row, 'version')]));
  },
  replaceRing: (change) =>
    database.write({
      locks: [exclusive('ring', change.ring)],
      run: (transaction) => replaceRing(transaction, change),
    }),
});

async function replaceRing(transaction: Transaction, change: RingChange): Promise<boolean> {
  const { expectedVersion, keys, record, ring } = change;
  const counted = await (expectedVersion === 0
    ? transaction.query(BEGIN_RING, [ring])
    : transaction.query(COUNT_CHANGE, [ring, expectedVersion]));
  if (counted.count !== 1) return false;
  await Promise.all([transaction.query(CLEAR, [ring]), ...keys.map((key) => insert(transaction, key))]);
  if (record !== null) transaction.append(encodeRecord(record));
  transaction.announce();
  return true;
}

function insert(transaction: Transaction, key: StoredKey): Promise<unknown> {
  const { algorithm, createdAt, kid, publicJwk, ring, sealed, state, stateSince } = encodeKey(key);
  return transaction.query(INSERT, [kid, ring, algorithm, state, stateSince, createdAt, publicJwk, sealed]);
}
