// Owns how connections come to be: each is checked before its first use, and failing to get one is remembered for a moment.
import { randomInt } from 'node:crypto';
import { JobpassError } from '../../base/core/errors.ts';
import { PATIENCE_MS } from '../../base/ports/patience.ts';
import type { PostgresLocation } from '../location.ts';
import { integer, type Row, text } from '../rows/row.ts';
import { stepsFrom } from '../schema-gate.ts';
import { Connection, statement } from './connection.ts';
import { failure } from './errors.ts';
import { migrate, readGate, type Schema } from './migrate.ts';

/** A server that refused is asked again after this, twice as long each time, up to the longest; a part of it by chance. */
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 1000;

const OLDEST_SERVER = 150_000;

/** What the server itself enforces ends a little sooner than patience here does. */
const STATEMENT_MS = 1800;
const LOCK_MS = 1500;
const SET_UP_MS = 1500;

/**
 * Which server this is, and the settings that every statement relies on. The names of log files begin with the timeline, which
 * is right from the first moment after a promotion on; the control file's is not. Every question has its index: PostgreSQL would read a
 * table whole that it last saw empty, row by row while it grows, and compile what is over in a millisecond.
 */
const SET_UP = statement(`
  SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on' AS is_read_only,
    current_setting('server_version_num')::int AS version,
    current_setting('server_encoding') AS encoding,
    CASE WHEN pg_is_in_recovery() THEN '' ELSE concat_ws('.',
      (SELECT system_identifier FROM pg_control_system()), substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),
      (SELECT oid FROM pg_database WHERE datname = current_database())) END AS history,
    set_config('search_path', quote_ident($1) || ',pg_temp', false) AS search_path,
    set_config('statement_timeout', '${STATEMENT_MS}', false) AS longest_statement,
    set_config('lock_timeout', '${LOCK_MS}', false) AS longest_wait,
    set_config('idle_in_transaction_session_timeout', '${PATIENCE_MS}', false) AS longest_silence,
    set_config('enable_seqscan', 'off', false) AS reads_whole_tables, set_config('jit', 'off', false) AS compiles,
    CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END AS flushes`);
const SCHEMA_ID = statement('SELECT oid FROM pg_namespace WHERE nspname = $1');

/** A connection that was checked, and the history of the database behind it. */
export interface Checked {
  readonly connection: Connection;
  readonly history: string;
}

const refused = (message: string, hint: string): JobpassError =>
  new JobpassError('ERR_STORE_UNAVAILABLE', message, { hint });

/** Makes connections to one schema of one database. */
export class Connector {
  readonly #location: PostgresLocation;
  readonly #schema: Schema;
  #accepted: string | undefined;
  /** Of the newest connection. */
  #seen: string | undefined;
  #pauseMs = 0;
  #retryAt = 0;
  #lastFailure: JobpassError | undefined;

  constructor(location: PostgresLocation, schema: Schema) {
    this.#location = location;
    this.#schema = schema;
  }

  /** The schema's name; locks and notices go by it too. */
  get scope(): string {
    return this.#schema.name;
  }

  /** Brings the schema to the newest version. The history that it finds is accepted. Rejects as `open` does, and with ERR_STORE_SCHEMA. */
  async prepare(): Promise<void> {
    let connection: Connection | undefined;
    try {
      connection = await Connection.open(this.#location, this.#name);
      await this.#setUp(connection);
      await migrate(connection, this.#schema);
      this.#accepted = await this.#setUp(connection);
      this.#seen = this.#accepted;
    } catch (cause) {
      throw failure(cause);
    } finally {
      await connection?.end();
    }
  }

  get #name(): string {
    return `jobpass ${this.#schema.kind}`;
  }

  /**
   * A new connection. Rejects with ERR_STORE_UNAVAILABLE, at once while the pause after a failure lasts, with ERR_STORE_SCHEMA when
   * a newer version took the database over, and with ERR_STORE_HISTORY when this is not the history that was accepted last.
   */
  async open(): Promise<Connection> {
    const wanted = this.#accepted;
    const { connection, history } = await this.#openAny();
    // Whoever asked for it asked for the history of that moment: another may have been accepted meanwhile.
    if (history === wanted && wanted === this.#accepted) return connection;
    connection.destroy();
    throw otherHistory();
  }

  /** What was accepted last, while the newest connection found it. */
  get accepted(): string | undefined {
    return this.#seen === this.#accepted ? this.#accepted : undefined;
  }

  /** Throws ERR_STORE_HISTORY while the database is another one than was accepted. */
  checkHistory(): void {
    if (this.#seen !== this.#accepted) throw otherHistory();
  }

  /** The history of the database that answers now. */
  async history(): Promise<string> {
    const { connection, history } = await this.#openAny();
    await connection.end();
    return history;
  }

  acceptHistory(history: string): void {
    this.#accepted = history;
  }

  async #openAny(): Promise<Checked> {
    if (this.#lastFailure !== undefined && performance.now() < this.#retryAt) throw this.#lastFailure;
    let connection: Connection | undefined;
    try {
      connection = await Connection.open(this.#location, this.#name);
      const history = await this.#setUp(connection);
      stepsFrom(await readGate(connection, this.#schema), this.#schema.migrations);
      this.#pauseMs = 0;
      this.#lastFailure = undefined;
      this.#seen = history;
      return { connection, history };
    } catch (cause) {
      connection?.destroy();
      throw this.#pause(failure(cause));
    }
  }

  #pause(error: JobpassError): JobpassError {
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, this.#pauseMs * 2));
    // Replicas that lost one server must not all come back in the same moment.
    this.#retryAt = performance.now() + this.#pauseMs / 2 + randomInt(Math.ceil(this.#pauseMs / 2) + 1);
    this.#lastFailure = error;
    return error;
  }

  /** Settings and checks of a new connection; the history behind it. */
  async #setUp(connection: Connection): Promise<string> {
    const timer = connection.expireIn(SET_UP_MS);
    try {
      const [{ rows }, schemas] = await Promise.all([
        connection.query(SET_UP, [this.#schema.name]),
        connection.query(SCHEMA_ID, [this.#schema.name]),
      ]);
      const row: Row = rows[0] ?? {};
      if (integer(row, 'is_read_only') === 1)
        throw refused('the database takes no writes', 'name the primary, not a standby');
      if (integer(row, 'version') < OLDEST_SERVER)
        throw refused('the database server is older than PostgreSQL 15', 'PostgreSQL 15 or newer');
      if (text(row, 'encoding') !== 'UTF8')
        throw refused(
          'the database does not keep its texts in UTF-8',
          "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        );
      return `${text(row, 'history')}.${schemas.rows[0]?.oid ?? 0}`;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** ERR_STORE_HISTORY. */
export const otherHistory = (): JobpassError =>
  new JobpassError('ERR_STORE_HISTORY', 'the database is not the one that was in use, or has gone back', {
    hint: 'the server finds out what is missing and begins anew',
  });
