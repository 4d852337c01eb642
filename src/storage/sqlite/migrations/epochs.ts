// Owns the tables of epochs and freezes, and what is kept of a token's one use. Released steps never change.

/** A scope's newest epoch; `name` is empty for the scope `all`. */
export const EPOCHS = `
  CREATE TABLE epoch (
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (scope, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE freeze (
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (scope, name)
  ) STRICT, WITHOUT ROWID;
`;

/** Which session a token was used for, by which client, and when; of uses of before nothing of it is known. */
export const USES = `
  ALTER TABLE token_use ADD COLUMN session_id TEXT NOT NULL DEFAULT '';
  ALTER TABLE token_use ADD COLUMN client TEXT;
  ALTER TABLE token_use ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
`;

/** Whose authority set a freeze; of those of before it is not known, so they count as set by the widest. */
export const FREEZE_REACH = "ALTER TABLE freeze ADD COLUMN reach TEXT NOT NULL DEFAULT 'all';";
