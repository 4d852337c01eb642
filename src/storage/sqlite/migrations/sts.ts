// Owns the schema of the STS's database. Steps are appended; released ones never change.
import type { Schema } from '../migrate.ts';
import { AUDIT_TABLES } from './audit.ts';
import { BEGINNING_TABLE } from './beginning.ts';
import { EPOCHS, FREEZE_REACH, USES } from './epochs.ts';
import { KEY_TABLE, RING_VERSIONS } from './keys.ts';
import { POLICY_TABLES } from './policies.ts';

/**
 * `token_use` is led by the expiry: inserts stay local and pruning is one range delete, so the rate does not fall with
 * the number of rows. `ended_session.sequence` is AUTOINCREMENT: a gateway's cursor never meets a number twice.
 */
const GRANTS = `
  CREATE TABLE decision (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    wire TEXT NOT NULL,
    role_tenant TEXT,
    role_name TEXT,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    job_id TEXT,
    token_id TEXT,
    reason TEXT,
    detail TEXT NOT NULL,
    session_id TEXT,
    remote_address TEXT NOT NULL,
    claims TEXT NOT NULL,
    trace TEXT NOT NULL,
    CHECK ((role_tenant IS NULL) = (role_name IS NULL)),
    CHECK ((outcome = 'granted') = (session_id IS NOT NULL))
  ) STRICT;

  CREATE TABLE session (
    id TEXT NOT NULL PRIMARY KEY,
    decision_id TEXT NOT NULL UNIQUE REFERENCES decision (id),
    role_tenant TEXT NOT NULL,
    role_name TEXT NOT NULL,
    gateway_group TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    job_id TEXT,
    job_bound INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    claims TEXT NOT NULL
  ) STRICT;
  CREATE INDEX session_job ON session (issuer, job_id) WHERE job_id IS NOT NULL;
  CREATE INDEX session_expiry ON session (expires_at);

  CREATE TABLE ended_session (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX ended_session_expiry ON ended_session (expires_at);

  CREATE TABLE token_use (
    exp INTEGER NOT NULL,
    iss TEXT NOT NULL,
    jti TEXT NOT NULL,
    PRIMARY KEY (exp, iss, jti)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE tombstone (
    issuer TEXT NOT NULL,
    job_id TEXT NOT NULL,
    ended_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, job_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tombstone_expiry ON tombstone (expires_at);

  CREATE TABLE high_water (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    at INTEGER NOT NULL
  ) STRICT;
  INSERT INTO high_water (only_row, at) VALUES (1, 0);
`;

/** An index ends with the row's position, so the newest decisions of one tenant are the end of one range. */
const DECISIONS_BY_TENANT = 'CREATE INDEX decision_tenant ON decision (role_tenant);';

/** The store's identity, and the group in the row of each end: a gateway is told of its own group's alone. */
const IDENTITY = `
  CREATE TABLE store_identity (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    id TEXT NOT NULL,
    born_at INTEGER NOT NULL
  ) STRICT;
  INSERT INTO store_identity (only_row, id, born_at) VALUES (1, lower(hex(randomblob(16))), unixepoch());

  ALTER TABLE ended_session ADD COLUMN gateway_group TEXT NOT NULL DEFAULT '';
  UPDATE ended_session SET gateway_group = session.gateway_group FROM session WHERE session.id = session_id;
  CREATE INDEX ended_session_group ON ended_session (gateway_group, sequence);
`;

/** What a session is besides its role; those of before have none of it. */
const SESSION_ATTRIBUTES = `
  ALTER TABLE session ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
  ALTER TABLE session ADD COLUMN source_identity TEXT;
  ALTER TABLE session ADD COLUMN name TEXT;
  ALTER TABLE session ADD COLUMN policy TEXT;
`;

/** The identity of a session that another one may come of, and the session that one came of. */
const FEDERATION = `
  ALTER TABLE session ADD COLUMN federation TEXT;
  ALTER TABLE session ADD COLUMN parent_id TEXT;
  CREATE INDEX session_parent ON session (parent_id) WHERE parent_id IS NOT NULL;
`;

/**
 * A decision is an entry of the audit chain, and no session points at it any more: records are pruned by their age,
 * sessions by theirs. Decisions of before become entries of a writer whose entries nobody hashed.
 */
const DECISIONS_AS_ENTRIES = `
  ${AUDIT_TABLES}
  INSERT INTO audit_entry (position, writer, sequence, hash, kind, id, at, tenant, body)
    SELECT position, 'unchained', position, '', 'decision', id, at, role_tenant, json_object(
      'kind', 'decision', 'id', id, 'at', at, 'outcome', outcome, 'wire', wire,
      'role', CASE WHEN role_tenant IS NULL THEN NULL ELSE json_object('tenant', role_tenant, 'name', role_name) END,
      'issuer', issuer, 'subject', subject, 'jobId', job_id, 'tokenId', token_id, 'reason', reason, 'detail', detail,
      'sessionId', session_id, 'remoteAddress', remote_address, 'claims', json(claims), 'trace', json(trace))
    FROM decision;
  INSERT INTO audit_writer (writer, sequence, hash)
    SELECT 'unchained', max(position), '' FROM decision HAVING count(*) > 0;

  CREATE TABLE session_without_decision (
    id TEXT NOT NULL PRIMARY KEY,
    decision_id TEXT NOT NULL,
    role_tenant TEXT NOT NULL,
    role_name TEXT NOT NULL,
    gateway_group TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    job_id TEXT,
    job_bound INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    claims TEXT NOT NULL,
    tags TEXT NOT NULL,
    source_identity TEXT,
    name TEXT,
    policy TEXT,
    federation TEXT,
    parent_id TEXT
  ) STRICT;
  INSERT INTO session_without_decision
    SELECT id, decision_id, role_tenant, role_name, gateway_group, issuer, subject, job_id, job_bound, issued_at,
      expires_at, claims, tags, source_identity, name, policy, federation, parent_id FROM session;
  DROP TABLE session;
  DROP TABLE decision;
  ALTER TABLE session_without_decision RENAME TO session;
  CREATE INDEX session_job ON session (issuer, job_id) WHERE job_id IS NOT NULL;
  CREATE INDEX session_expiry ON session (expires_at);
  CREATE INDEX session_parent ON session (parent_id) WHERE parent_id IS NOT NULL;
`;

export const STS_SCHEMA: Schema = {
  kind: 'STS',
  applicationId: 0x4a505354, // "JPST"
  migrations: [
    { version: 1, name: 'keys', sql: KEY_TABLE },
    { version: 2, name: 'grants, decisions and tombstones', sql: GRANTS },
    { version: 3, name: 'decisions by tenant', sql: DECISIONS_BY_TENANT },
    { version: 4, name: 'identity of the store, groups of ended sessions', sql: IDENTITY },
    { version: 5, name: 'attributes and policies of sessions', sql: SESSION_ATTRIBUTES },
    { version: 6, name: 'sessions that come of others', sql: FEDERATION },
    { version: 7, name: 'versions of key rings', sql: RING_VERSIONS },
    { version: 8, name: 'audit chains', sql: DECISIONS_AS_ENTRIES },
    { version: 9, name: 'epochs and freezes', sql: EPOCHS },
    { version: 10, name: 'what a token was used for', sql: USES },
    { version: 11, name: 'beginnings, shared policies', sql: `${BEGINNING_TABLE}${POLICY_TABLES}` },
    { version: 12, name: 'who may lift a freeze', sql: FREEZE_REACH, isAdditive: true },
  ],
};
