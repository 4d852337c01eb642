// Owns the tables of key rings, which every server's schema has. Released steps never change.

/** Private parts are sealed before they arrive: the database alone opens nothing. `version` counts a ring's changes. */
export const KEY_TABLES = `
  CREATE TABLE key_ring (
    ring text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL
  );
  CREATE TABLE key (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kid text COLLATE "C" NOT NULL,
    ring text COLLATE "C" NOT NULL REFERENCES key_ring (ring),
    algorithm text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    state_since bigint NOT NULL,
    created_at bigint NOT NULL,
    public_jwk text COLLATE "C",
    sealed bytea NOT NULL,
    UNIQUE (ring, kid)
  );
`;
