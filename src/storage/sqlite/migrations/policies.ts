// Owns the tables of the policies that replicas share. Released steps never change.

/**
 * A set is known by its id for ever, so that an old folder is not taken for a new one; its files are kept only while it was active
 * lately. `version` of a set: that of its last activation.
 */
export const POLICY_TABLES = `
  CREATE TABLE policy_set (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    has_files INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE policy_set_file (
    set_id TEXT NOT NULL REFERENCES policy_set (id),
    path TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (set_id, path)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX policy_set_file_digest ON policy_set_file (digest);

  CREATE TABLE policy_blob (
    digest TEXT NOT NULL PRIMARY KEY,
    bytes BLOB NOT NULL
  ) STRICT;

  CREATE TABLE policy_active (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    version INTEGER NOT NULL,
    id TEXT NOT NULL REFERENCES policy_set (id)
  ) STRICT;
`;
