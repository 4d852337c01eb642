// Owns the tables of the audit chains, which every server's schema has. Released steps never change.

/**
 * The columns of `audit_entry` besides writer, sequence, hash and body are there to find records by: the body counts, and is text
 * so that not a byte of it changes. `position` is about the order of time: of transactions that run at once, either may come first.
 */
export const AUDIT_TABLES = `
  CREATE TABLE audit_entry (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    writer text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL,
    hash text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL UNIQUE,
    at bigint NOT NULL,
    tenant text COLLATE "C",
    body text COLLATE "C" NOT NULL,
    UNIQUE (writer, sequence)
  );
  CREATE INDEX audit_entry_tenant ON audit_entry (tenant, position) WHERE tenant IS NOT NULL;

  CREATE TABLE audit_writer (
    writer text COLLATE "C" PRIMARY KEY,
    sequence bigint NOT NULL,
    hash text COLLATE "C" NOT NULL,
    pruned_sequence bigint NOT NULL DEFAULT 0,
    pruned_hash text COLLATE "C" NOT NULL DEFAULT ''
  );

  CREATE TABLE audit_checkpoint (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at bigint NOT NULL,
    jws text COLLATE "C" NOT NULL
  );
  CREATE INDEX audit_checkpoint_at ON audit_checkpoint (at);
`;
