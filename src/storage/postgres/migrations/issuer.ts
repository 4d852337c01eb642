// Owns the schema of the issuer. Steps are appended; released ones never change.
import type { Schema } from '../migrate.ts';
import { AUDIT_TABLES } from './audit.ts';
import { BEGINNING_TABLES } from './beginning.ts';
import { KEY_TABLES } from './keys.ts';

/**
 * `job.due_at` is the first moment that ends a running job. `job_audience` outlives the tokens: who got a token must hear of the end even
 * after that token expired, because a session may outlive it. `reader_floor`: up to there the reader has acknowledged every event of the
 * audience, so a poll does not walk over what was delivered long ago; single acknowledgements are kept above it only. Events get their
 * sequence under a lock that is held until the commit, so whoever sees one has seen all that came before it.
 */
const JOBS = `
  CREATE TABLE job (
    id text COLLATE "C" PRIMARY KEY,
    controller text COLLATE "C" NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL,
    request_digest text COLLATE "C" NOT NULL,
    facts text COLLATE "C" NOT NULL,
    audiences text COLLATE "C" NOT NULL,
    started_at bigint NOT NULL,
    deadline bigint NOT NULL,
    heartbeat_seconds bigint,
    last_heartbeat_at bigint NOT NULL,
    ended_at bigint,
    end_reason text COLLATE "C",
    due_at bigint NOT NULL GENERATED ALWAYS AS (
      CASE WHEN heartbeat_seconds IS NULL THEN deadline ELSE least(deadline, last_heartbeat_at + heartbeat_seconds) END
    ) STORED,
    UNIQUE (controller, idempotency_key),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
  );
  CREATE INDEX job_running ON job (due_at) WHERE ended_at IS NULL;
  CREATE INDEX job_over ON job (deadline) WHERE ended_at IS NOT NULL;

  CREATE TABLE request_token (
    hash text COLLATE "C" PRIMARY KEY,
    job_id text COLLATE "C" NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    audiences text COLLATE "C"
  );
  CREATE INDEX request_token_job ON request_token (job_id);

  CREATE TABLE issued_token (
    jti text COLLATE "C" PRIMARY KEY,
    job_id text COLLATE "C" NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    audience text COLLATE "C" NOT NULL,
    expires_at bigint NOT NULL
  );
  CREATE INDEX issued_token_job ON issued_token (job_id);
  CREATE INDEX issued_token_expiry ON issued_token (expires_at);

  CREATE TABLE job_audience (
    job_id text COLLATE "C" NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    audience text COLLATE "C" NOT NULL,
    PRIMARY KEY (job_id, audience)
  );

  CREATE TABLE job_ended_event (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    job_id text COLLATE "C" NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    audience text COLLATE "C" NOT NULL,
    ended_at bigint NOT NULL,
    reason text COLLATE "C" NOT NULL,
    expires_at bigint NOT NULL,
    UNIQUE (job_id, audience)
  );
  CREATE INDEX job_ended_event_audience ON job_ended_event (audience, sequence);
  CREATE INDEX job_ended_event_expiry ON job_ended_event (expires_at);

  CREATE TABLE event_reader (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client text COLLATE "C" NOT NULL,
    receiver text COLLATE "C" NOT NULL,
    used bigint NOT NULL,
    UNIQUE (client, receiver)
  );
  CREATE TABLE reader_acknowledgement (
    reader bigint NOT NULL REFERENCES event_reader (id) ON DELETE CASCADE,
    sequence bigint NOT NULL REFERENCES job_ended_event (sequence) ON DELETE CASCADE,
    PRIMARY KEY (reader, sequence)
  );
  CREATE INDEX reader_acknowledgement_event ON reader_acknowledgement (sequence);
  CREATE TABLE reader_floor (
    reader bigint NOT NULL REFERENCES event_reader (id) ON DELETE CASCADE,
    audience text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (reader, audience)
  );
`;

/** The steps of the issuer’s schema. */
export const ISSUER_SCHEMA: Schema = {
  kind: 'issuer',
  name: 'jobpass_issuer',
  migrations: [
    {
      version: 1,
      name: 'keys, audit chains, jobs, tokens and events',
      sql: KEY_TABLES + AUDIT_TABLES + BEGINNING_TABLES + JOBS,
    },
  ],
};
