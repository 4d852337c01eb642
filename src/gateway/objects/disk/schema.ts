// Owns the tables of the index. Steps are appended; released ones never change.

/** "JPOB", in the file's header: the index of an object store and nothing else. */
export const APPLICATION_ID = 0x4a504f42;

/**
 * Keys are blobs, so that they sort by their UTF-8 bytes and any bytes may bound a range. An object's id is its generation:
 * AUTOINCREMENT never gives a number twice. A bucket's bytes follow by triggers: no write can forget them.
 */
const FIRST = `
  CREATE TABLE bucket (
    name TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE object (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket TEXT NOT NULL REFERENCES bucket (name),
    key BLOB NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    parts INTEGER,
    modified_at INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    checksums TEXT NOT NULL,
    upload_id TEXT,
    UNIQUE (bucket, key)
  ) STRICT;

  CREATE TABLE segment (
    object_id INTEGER NOT NULL REFERENCES object (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    blob TEXT NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (object_id, position)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX segment_by_blob ON segment (blob);

  CREATE TABLE upload (
    id TEXT PRIMARY KEY,
    bucket TEXT NOT NULL REFERENCES bucket (name),
    key BLOB NOT NULL,
    attributes TEXT NOT NULL,
    checksum_algorithm TEXT,
    touched_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX upload_by_touch ON upload (touched_at);

  CREATE TABLE part (
    upload_id TEXT NOT NULL REFERENCES upload (id),
    part INTEGER NOT NULL,
    bucket TEXT NOT NULL,
    blob TEXT,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    checksums TEXT NOT NULL,
    modified_at INTEGER NOT NULL,
    PRIMARY KEY (upload_id, part)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX part_by_blob ON part (blob);

  CREATE TRIGGER object_added AFTER INSERT ON object
    BEGIN UPDATE bucket SET bytes = bytes + new.size WHERE name = new.bucket; END;
  CREATE TRIGGER object_removed AFTER DELETE ON object
    BEGIN UPDATE bucket SET bytes = bytes - old.size WHERE name = old.bucket; END;
  CREATE TRIGGER part_added AFTER INSERT ON part
    BEGIN UPDATE bucket SET bytes = bytes + new.size WHERE name = new.bucket; END;
  CREATE TRIGGER part_removed AFTER DELETE ON part
    BEGIN UPDATE bucket SET bytes = bytes - old.size WHERE name = old.bucket; END;
`;

/** In order; `PRAGMA user_version` counts those that a file has seen. */
export const STEPS: readonly string[] = [FIRST];
