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
