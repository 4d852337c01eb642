// Owns the schema of the issuer's database. Steps are appended; released ones never change.
import type { Schema } from '../migrate.ts';
import { AUDIT_TABLES } from './audit.ts';
import { BEGINNING_TABLE } from './beginning.ts';
import { KEY_TABLE, RING_VERSIONS } from './keys.ts';

/**
 * `job.due_at` is the first moment that ends a running job. `job_audience` outlives the tokens: who got a token must
 * hear of the end even after that token expired, because a session may outlive it. AUTOINCREMENT: a sequence is never
 * given twice, also not after pruning. `event_floor`: up to there the client has acknowledged every event of the
 * audience, so a poll does not walk over what was delivered long ago; single acknowledgements are kept above it only.
 */
const JOBS = `
  CREATE TABLE job (
    id TEXT NOT NULL PRIMARY KEY,
    controller TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_digest TEXT NOT NULL,
    facts TEXT NOT NULL,
    audiences TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    heartbeat_seconds INTEGER,
    last_heartbeat_at INTEGER NOT NULL,
    ended_at INTEGER,
    end_reason TEXT,
    due_at INTEGER NOT NULL GENERATED ALWAYS AS (
      CASE WHEN heartbeat_seconds IS NULL THEN deadline ELSE min(deadline, last_heartbeat_at + heartbeat_seconds) END
    ) VIRTUAL,
    UNIQUE (controller, idempotency_key),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
  ) STRICT;
  CREATE INDEX job_running ON job (due_at) WHERE ended_at IS NULL;
  CREATE INDEX job_over ON job (deadline) WHERE ended_at IS NOT NULL;

  CREATE TABLE request_token (
    hash TEXT NOT NULL PRIMARY KEY,
    job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    audiences TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX request_token_job ON request_token (job_id);

  CREATE TABLE issued_token (
    jti TEXT NOT NULL PRIMARY KEY,
    job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    audience TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX issued_token_job ON issued_token (job_id);
  CREATE INDEX issued_token_expiry ON issued_token (expires_at);

  CREATE TABLE job_audience (
    job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    audience TEXT NOT NULL,
    PRIMARY KEY (job_id, audience)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE job_ended_event (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    audience TEXT NOT NULL,
    ended_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (job_id, audience)
  ) STRICT;
  CREATE INDEX job_ended_event_audience ON job_ended_event (audience, sequence);
  CREATE INDEX job_ended_event_expiry ON job_ended_event (expires_at);

  CREATE TABLE event_acknowledgement (
    client TEXT NOT NULL,
    sequence INTEGER NOT NULL REFERENCES job_ended_event (sequence) ON DELETE CASCADE,
    PRIMARY KEY (client, sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX event_acknowledgement_event ON event_acknowledgement (sequence);

  CREATE TABLE event_floor (
    client TEXT NOT NULL,
    audience TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (client, audience)
  ) STRICT, WITHOUT ROWID;
`;

/**
 * One client may have several receivers, each of which must hear everything: what was acknowledged hangs on the reader
 * now, and what is known of a client before stays with the receiver that has no name. `used` orders a client's readers.
 */
const READERS = `
  CREATE TABLE event_reader (
    id INTEGER PRIMARY KEY,
    client TEXT NOT NULL,
    receiver TEXT NOT NULL,
    used INTEGER NOT NULL,
    UNIQUE (client, receiver)
  ) STRICT;
  INSERT INTO event_reader (client, receiver, used)
    SELECT client, '', 0 FROM event_floor UNION SELECT client, '', 0 FROM event_acknowledgement;

  CREATE TABLE reader_acknowledgement (
    reader INTEGER NOT NULL REFERENCES event_reader (id) ON DELETE CASCADE,
    sequence INTEGER NOT NULL REFERENCES job_ended_event (sequence) ON DELETE CASCADE,
    PRIMARY KEY (reader, sequence)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO reader_acknowledgement (reader, sequence)
    SELECT event_reader.id, sequence FROM event_acknowledgement JOIN event_reader USING (client);
  DROP TABLE event_acknowledgement;
  CREATE INDEX reader_acknowledgement_event ON reader_acknowledgement (sequence);

  CREATE TABLE reader_floor (
    reader INTEGER NOT NULL REFERENCES event_reader (id) ON DELETE CASCADE,
    audience TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (reader, audience)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO reader_floor (reader, audience, sequence)
    SELECT event_reader.id, audience, sequence FROM event_floor JOIN event_reader USING (client);
  DROP TABLE event_floor;
`;

/** The latest time at which a job was started or ended: an older copy of the database is known by it. */
const HIGH_WATER = `
  CREATE TABLE high_water (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    at INTEGER NOT NULL
  ) STRICT;
  INSERT INTO high_water (only_row, at) SELECT 1, coalesce(max(max(started_at, coalesce(ended_at, 0))), 0) FROM job;
`;

export const ISSUER_SCHEMA: Schema = {
  kind: 'issuer',
  applicationId: 0x4a504953, // "JPIS"
  migrations: [
    { version: 1, name: 'keys', sql: KEY_TABLE },
    { version: 2, name: 'jobs, tokens and events', sql: JOBS },
    { version: 3, name: 'receivers of events', sql: READERS },
    { version: 4, name: 'versions of key rings', sql: RING_VERSIONS },
    { version: 5, name: 'audit chains', sql: AUDIT_TABLES },
    { version: 6, name: 'beginnings, high-water mark', sql: `${BEGINNING_TABLE}${HIGH_WATER}` },
  ],
};
