// Owns the schema of the STS. Steps are appended; released ones never change.
import type { Schema } from '../migrate.ts';
import { AUDIT_TABLES } from './audit.ts';
import { BEGINNING_TABLES } from './beginning.ts';
import { KEY_TABLES } from './keys.ts';

/**
 * `token_use` is led by the expiry: inserts stay local and pruning is one range delete, so the rate does not fall with the number
 * of rows. Ends get their sequence under a lock that is held until the commit: a gateway's cursor never passes one that comes later.
 */
const GRANTS = `
  CREATE TABLE session (
    id text COLLATE "C" PRIMARY KEY,
    decision_id text COLLATE "C" NOT NULL,
    role_tenant text COLLATE "C" NOT NULL,
    role_name text COLLATE "C" NOT NULL,
    gateway_group text COLLATE "C" NOT NULL,
    issuer text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    job_id text COLLATE "C",
    job_bound smallint NOT NULL,
    issued_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    claims text COLLATE "C" NOT NULL,
    tags text COLLATE "C" NOT NULL,
    source_identity text COLLATE "C",
    name text COLLATE "C",
    policy text COLLATE "C",
    federation text COLLATE "C",
    parent_id text COLLATE "C"
  );
  CREATE INDEX session_job ON session (issuer, job_id) WHERE job_id IS NOT NULL;
  CREATE INDEX session_expiry ON session (expires_at);
  CREATE INDEX session_parent ON session (parent_id) WHERE parent_id IS NOT NULL;

  CREATE TABLE ended_session (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id text COLLATE "C" NOT NULL UNIQUE,
    expires_at bigint NOT NULL,
    gateway_group text COLLATE "C" NOT NULL
  );
  CREATE INDEX ended_session_expiry ON ended_session (expires_at);
  CREATE INDEX ended_session_group ON ended_session (gateway_group, sequence);

  CREATE TABLE token_use (
    exp bigint NOT NULL,
    iss text COLLATE "C" NOT NULL,
    jti text COLLATE "C" NOT NULL,
    session_id text COLLATE "C" NOT NULL,
    client text COLLATE "C",
    used_at bigint NOT NULL,
    PRIMARY KEY (exp, iss, jti)
  );

  CREATE TABLE tombstone (
    issuer text COLLATE "C" NOT NULL,
    job_id text COLLATE "C" NOT NULL,
    ended_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (issuer, job_id)
  );
  CREATE INDEX tombstone_expiry ON tombstone (expires_at);
`;

/** The newest epoch of each scope, what is frozen, and the rows of which there is one. */
const STANDING = `
  CREATE TABLE epoch (
    scope text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (scope, name)
  );
  CREATE TABLE frozen (
    scope text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    since bigint NOT NULL,
    PRIMARY KEY (scope, name)
  );
  CREATE TABLE store_identity (
    only_row integer PRIMARY KEY CHECK (only_row = 1),
    id text COLLATE "C" NOT NULL,
    born_at bigint NOT NULL
  );
  INSERT INTO store_identity (only_row, id, born_at)
    VALUES (1, replace(gen_random_uuid()::text, '-', ''), floor(extract(epoch FROM now())));
`;

/**
 * A set of policies is known by its id for ever, so that an old folder is not taken for a new one; its files are kept only while it
 * was active lately. `version` of a set: that of its last activation.
 */
const POLICIES = `
  CREATE TABLE policy_set (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    has_files smallint NOT NULL
  );
  CREATE TABLE policy_blob (
    digest text COLLATE "C" PRIMARY KEY,
    bytes bytea NOT NULL
  );
  CREATE TABLE policy_set_file (
    set_id text COLLATE "C" NOT NULL REFERENCES policy_set (id),
    path text COLLATE "C" NOT NULL,
    digest text COLLATE "C" NOT NULL,
    PRIMARY KEY (set_id, path)
  );
  CREATE INDEX policy_set_file_digest ON policy_set_file (digest);
  CREATE TABLE policy_active (
    only_row integer PRIMARY KEY CHECK (only_row = 1),
    version bigint NOT NULL,
    id text COLLATE "C" NOT NULL REFERENCES policy_set (id)
  );
`;

/** Whose authority set a freeze; of those of before it is not known, so they count as set by the widest. */
const FREEZE_REACH = `ALTER TABLE frozen ADD COLUMN reach text COLLATE "C" NOT NULL DEFAULT 'all';`;

/** The steps of the STS’s schema. */
export const STS_SCHEMA: Schema = {
  kind: 'sts',
  name: 'jobpass_sts',
  migrations: [
    {
      version: 1,
      name: 'keys, audit chains, grants, tombstones, epochs and policies',
      sql: KEY_TABLES + AUDIT_TABLES + BEGINNING_TABLES + GRANTS + STANDING + POLICIES,
    },
    { version: 2, name: 'who may lift a freeze', sql: FREEZE_REACH, isAdditive: true },
  ],
};
