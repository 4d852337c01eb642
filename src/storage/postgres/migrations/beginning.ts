// Owns the tables about how far a store's time has come, and how often it began anew. Released steps never change.

/** The first step’s part about them. */
export const BEGINNING_TABLES = `
  CREATE TABLE beginning (
    only_row integer PRIMARY KEY CHECK (only_row = 1),
    generation bigint NOT NULL,
    at bigint,
    history text COLLATE "C",
    is_restored smallint NOT NULL,
    vouched_at bigint
  );
  INSERT INTO beginning (only_row, generation, at, is_restored) VALUES (1, 0, NULL, 0);
  CREATE TABLE high_water (
    only_row integer PRIMARY KEY CHECK (only_row = 1),
    at bigint NOT NULL
  );
  INSERT INTO high_water (only_row, at) VALUES (1, 0);
`;
