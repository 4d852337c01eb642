// Adapter of the key store port: the tables of key rings. It sees private parts only sealed.

import { encodeRecord } from '../../base/audit/record.ts';
import type { KeyStore, RingChange } from '../../keys/store.ts';
import { decodeKey, encodeKey } from '../rows/keys.ts';
import { integer, text } from '../rows/row.ts';
import type { AuditChain } from './audit-chain.ts';
import type { SqliteDatabase } from './database.ts';

/** The key store port on an open database of any kind, whose records `chain` writes. */
export function sqliteKeyStore(database: SqliteDatabase, chain: AuditChain): KeyStore {
  const list = database.prepare(`
    SELECT kid, ring, algorithm, state, coalesce(state_since, created_at) AS state_since, created_at, public_jwk, sealed
    FROM key WHERE ring = ? ORDER BY position`);
  const versions = database.prepare(`
    SELECT ring, version FROM key_ring
    UNION ALL SELECT DISTINCT ring, 1 FROM key WHERE ring NOT IN (SELECT ring FROM key_ring)`);
  const version = database.prepare(`
    SELECT coalesce((SELECT version FROM key_ring WHERE ring = $ring), EXISTS (SELECT 1 FROM key WHERE ring = $ring)) AS version`);
  const versionOf = (ring: string): number => integer(version.get({ ring }) ?? {}, 'version');
  const replace = replacing(database, chain, versionOf);
  return {
    // One turn, so that the keys are those of the version.
    readRing: (ring) => database.read(() => ({ version: versionOf(ring), keys: list.all(ring).map(decodeKey) })),
    listRingVersions: () =>
      database.read(() => new Map(versions.all().map((row) => [text(row, 'ring'), integer(row, 'version')]))),
    replaceRing: (change) => database.write(() => replace(change)),
  };
}

/** Within the write's transaction, which no other writer can share. */
function replacing(
  database: SqliteDatabase,
  chain: AuditChain,
  versionOf: (ring: string) => number,
): (change: RingChange) => boolean {
  const clear = database.prepare('DELETE FROM key WHERE ring = ?');
  const insert = database.prepare(`
    INSERT INTO key (kid, ring, algorithm, state, state_since, created_at, public_jwk, sealed)
    VALUES ($kid, $ring, $algorithm, $state, $stateSince, $createdAt, $publicJwk, $sealed)`);
  const count = database.prepare('INSERT OR REPLACE INTO key_ring (ring, version) VALUES ($ring, $version)');
  return ({ ring, expectedVersion, keys, record }) => {
    if (versionOf(ring) !== expectedVersion) return false;
    clear.run(ring);
    for (const key of keys) insert.run(encodeKey(key));
    count.run({ ring, version: expectedVersion + 1 });
    if (record !== null) chain.append(encodeRecord(record));
    return true;
  };
}
