// Owns the table that says how often a store began anew. Released steps never change.

/** One row. `is_restored`: an older copy was put in place of the database, which has not begun anew since. */
export const BEGINNING_TABLE = `
  CREATE TABLE beginning (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    generation INTEGER NOT NULL,
    at INTEGER,
    history TEXT,
    is_restored INTEGER NOT NULL,
    vouched_at INTEGER
  ) STRICT;
  INSERT INTO beginning (only_row, generation, at, is_restored) VALUES (1, 0, NULL, 0);
`;
