// Owns the tables of the audit chains, which every server's database has. Released steps never change.

/**
 * The columns of `audit_entry` besides writer, sequence, hash and body are there to find records by: the body counts.
 * `position` is the order of all writers' entries in this database. A writer's row is written once per transaction.
 */
export const AUDIT_TABLES = `
  CREATE TABLE audit_entry (
    position INTEGER PRIMARY KEY,
    writer TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    hash TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    tenant TEXT,
    body TEXT NOT NULL,
    UNIQUE (writer, sequence)
  ) STRICT;
  CREATE INDEX audit_entry_tenant ON audit_entry (tenant) WHERE tenant IS NOT NULL;

  CREATE TABLE audit_writer (
    writer TEXT NOT NULL PRIMARY KEY,
    sequence INTEGER NOT NULL,
    hash TEXT NOT NULL,
    pruned_sequence INTEGER NOT NULL DEFAULT 0,
    pruned_hash TEXT NOT NULL DEFAULT ''
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE audit_checkpoint (
    position INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    jws TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_checkpoint_at ON audit_checkpoint (at);
`;
