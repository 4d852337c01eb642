// Adapter of the key store port: the table of key rings. It sees private parts only sealed.

import type { KeyState, KeyStore, StoredKey } from '../../keys/store.ts';
import type { SqliteDatabase } from './database.ts';
import { bytes, integer, nullableJson, oneOf, type Row, text } from './row.ts';
import { jsonObject } from './shapes.ts';

const STATES: readonly KeyState[] = ['prepared', 'active', 'retired', 'revoked'];

const decodeKey = (row: Row): StoredKey => ({
  kid: text(row, 'kid'),
  ring: text(row, 'ring'),
  algorithm: text(row, 'algorithm'),
  state: oneOf(row, 'state', STATES),
  createdAt: integer(row, 'created_at'),
  publicJwk: nullableJson(row, 'public_jwk', jsonObject),
  sealed: bytes(row, 'sealed'),
});

/** The key store port on an open database of any kind. */
export function sqliteKeyStore(database: SqliteDatabase): KeyStore {
  const list = database.prepare(`
    SELECT kid, ring, algorithm, state, created_at, public_jwk, sealed FROM key
    WHERE ring = ? ORDER BY created_at, position`);
  const insertFirst = database.prepare(`
    INSERT INTO key (kid, ring, algorithm, state, created_at, public_jwk, sealed)
    SELECT $kid, $ring, $algorithm, $state, $createdAt, $publicJwk, $sealed
    WHERE NOT EXISTS (SELECT 1 FROM key WHERE ring = $ring)`);
  return {
    listKeys: (ring) => database.read(() => list.all(ring).map(decodeKey)),
    insertFirstKey: ({ publicJwk, ...key }) => {
      const row = { ...key, publicJwk: publicJwk === null ? null : JSON.stringify(publicJwk) };
      return database.write(() => insertFirst.run(row).changes === 1);
    },
  };
}
