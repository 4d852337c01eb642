// Owns the table of key rings, which every server's database has. Released steps never change.

/** Private parts are sealed before they arrive: the database alone opens nothing. */
export const KEY_TABLE = `
  CREATE TABLE key (
    position INTEGER PRIMARY KEY,
    kid TEXT NOT NULL,
    ring TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    public_jwk TEXT,
    sealed BLOB NOT NULL,
    UNIQUE (ring, kid)
  ) STRICT;
`;

/**
 * What a ring's changes are counted by. The version before this step may still make first keys: a ring without a row here is at
 * version 1, and a key without `state_since` has been in its state since it was made.
 */
export const RING_VERSIONS = `
  ALTER TABLE key ADD COLUMN state_since INTEGER;
  CREATE TABLE key_ring (
    ring TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`;
