// Owns the step from whatever schema a database has to the one this version needs. Forward only; it never drops data.
import { JobpassError } from '../../base/core/errors.ts';
import { integer, type Row, text } from '../rows/row.ts';
import { gateOf, type Migration, NEW_DATABASE, type SchemaGate, stepsFrom } from '../schema-gate.ts';
import { type Connection, statement } from './connection.ts';

/** What one kind of database is and how it comes to be. */
export interface Schema {
  /** For people and for `application_name`: `issuer`, `sts`, `gateway`. */
  readonly kind: string;
  /** The PostgreSQL schema that holds its tables; of one database, each server has its own. */
  readonly name: string;
  readonly migrations: readonly Migration[];
}

/** How long a migration may take, and how long it waits for another process that is at it. */
const MIGRATION_MS = 60_000;
/** Waiting for a table keeps everybody out who comes after: short, and tried again. */
const TABLE_LOCK_MS = 1000;
/** Every process that opens a schema meets the others at this number ("jobpass"). */
const MEETING_POINT = 0x6a6f62;

const FIND = statement(`
  SELECT to_regclass(quote_ident($1) || '.schema_version') IS NOT NULL AS is_ours,
    EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1) AS is_there,
    EXISTS (SELECT 1 FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace WHERE nspname = $1) AS is_used`);
const READ_GATE = statement('SELECT kind, version, oldest_reader FROM schema_version');

/** What the database says of itself. Rejects with ERR_STORE_SCHEMA when the schema is another program's. */
export async function readGate(connection: Connection, schema: Schema): Promise<SchemaGate> {
  const found: Row = (await connection.query(FIND, [schema.name])).rows[0] ?? {};
  if (integer(found, 'is_ours') === 0) {
    if (integer(found, 'is_used') === 0) return NEW_DATABASE;
    throw foreign(schema);
  }
  const row: Row = (await connection.query(READ_GATE)).rows[0] ?? {};
  if (text(row, 'kind') !== schema.kind) throw foreign(schema);
  return { version: integer(row, 'version'), oldestReader: integer(row, 'oldest_reader') };
}

const foreign = (schema: Schema): JobpassError =>
  new JobpassError(
    'ERR_STORE_SCHEMA',
    `the schema ${schema.name} of the database is not one of a Jobpass ${schema.kind}`,
    {
      hint: 'name a database of its own in the storage setting',
    },
  );

/**
 * Brings the schema to the newest version in one transaction; of several processes at once, one does it. Precondition: the
 * connection's search path is the schema. A database that is newer, and may be served, is left as it is.
 */
export async function migrate(connection: Connection, schema: Schema): Promise<void> {
  if (stepsFrom(await readGate(connection, schema), schema.migrations).length === 0) return;
  const timer = connection.expireIn(MIGRATION_MS);
  try {
    await connection.script(`
      BEGIN;
      SET LOCAL statement_timeout = ${MIGRATION_MS};
      SET LOCAL lock_timeout = ${MIGRATION_MS};
      SET LOCAL idle_in_transaction_session_timeout = ${MIGRATION_MS};
      SELECT pg_advisory_xact_lock(${MEETING_POINT}, hashtext('${schema.name}'));
      SET LOCAL lock_timeout = ${TABLE_LOCK_MS};`);
    await takeSteps(connection, schema);
    await connection.script('COMMIT');
  } catch (cause) {
    await connection.script('ROLLBACK').catch(() => connection.destroy());
    throw cause;
  } finally {
    clearTimeout(timer);
  }
}

/** Whoever had to wait finds it done. */
async function takeSteps(connection: Connection, schema: Schema): Promise<void> {
  const { migrations, name, kind } = schema;
  const gate = await readGate(connection, schema);
  const steps = stepsFrom(gate, migrations);
  if (steps.length === 0) return;
  if (gate.version === 0) {
    const isThere = integer((await connection.query(FIND, [name])).rows[0] ?? {}, 'is_there') === 1;
    if (!isThere) await connection.script(`CREATE SCHEMA ${name}`);
    await connection.script(`
      CREATE TABLE schema_version (
        only_row integer PRIMARY KEY CHECK (only_row = 1),
        kind text NOT NULL,
        version integer NOT NULL,
        oldest_reader integer NOT NULL
      );
      INSERT INTO schema_version VALUES (1, '${kind}', 0, 0);`);
  }
  for (const step of steps) await connection.script(step.sql);
  const { oldestReader, version } = gateOf(migrations);
  await connection.script(`UPDATE schema_version SET version = ${version}, oldest_reader = ${oldestReader}`);
}
