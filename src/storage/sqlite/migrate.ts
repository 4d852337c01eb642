// Owns the step from whatever schema a file has to the one this version needs. Forward only; it never drops data.
import type { DatabaseSync } from 'node:sqlite';
import { JobpassError } from '../../base/core/errors.ts';
import { integer } from '../rows/row.ts';
import { gateOf, type Migration, NEW_DATABASE, type SchemaGate, stepsFrom } from '../schema-gate.ts';

/** What one kind of database is and how it comes to be. */
export interface Schema {
  /** For people: `issuer`, `sts`, `gateway`. */
  readonly kind: string;
  /** Written into the file's header (PRAGMA application_id), so that one server cannot open another's database. */
  readonly applicationId: number;
  readonly migrations: readonly Migration[];
}

function pragma(db: DatabaseSync, name: 'application_id' | 'user_version'): number {
  const value = db.prepare(`PRAGMA ${name}`).get()?.[name];
  return typeof value === 'number' ? value : Number.NaN;
}

const schemaError = (message: string, hint: string) => new JobpassError('ERR_STORE_SCHEMA', message, { hint });

/** What the database says of itself. Throws ERR_STORE_SCHEMA when it is another program's or another server's. */
function readGate(db: DatabaseSync, schema: Schema): SchemaGate {
  const version = pragma(db, 'user_version');
  const applicationId = pragma(db, 'application_id');
  const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (isEmpty && version === 0 && applicationId === 0) return NEW_DATABASE;
  if (applicationId !== schema.applicationId) {
    throw schemaError(
      `the database is not one of a Jobpass ${schema.kind}`,
      'each server has a database file of its own: check the storage setting',
    );
  }
  // A file without the table, or whose table is of another version, says nothing about who else may serve it.
  return { version, oldestReader: oldestReader(db, version) ?? version };
}

function oldestReader(db: DatabaseSync, version: number): number | undefined {
  if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'schema_version'").get() === undefined) return undefined;
  const row = db.prepare('SELECT version, oldest_reader FROM schema_version WHERE only_row = 1').get() ?? {};
  return integer(row, 'version') === version ? integer(row, 'oldest_reader') : undefined;
}

/** Refuses a database that is another program's, another server's, or too new for this version. Changes nothing. */
export function checkSchema(db: DatabaseSync, schema: Schema): void {
  stepsFrom(readGate(db, schema), schema.migrations);
}

/**
 * Brings the database to the newest schema in one transaction; of two processes at once, one does it. One that is newer, and may be
 * served, is left as it is.
 */
export function migrate(db: DatabaseSync, schema: Schema): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    const steps = stepsFrom(readGate(db, schema), schema.migrations);
    for (const step of steps) db.exec(step.sql);
    if (steps.length > 0) stamp(db, schema);
    db.exec('COMMIT');
  } catch (cause) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw cause;
  }
}

/** Whose database it is, how far it came, and who may serve it. */
function stamp(db: DatabaseSync, { applicationId, migrations }: Schema): void {
  const { oldestReader: reader, version } = gateOf(migrations);
  db.exec(`
    PRAGMA application_id = ${applicationId};
    PRAGMA user_version = ${version};
    CREATE TABLE IF NOT EXISTS schema_version (
      only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
      version INTEGER NOT NULL,
      oldest_reader INTEGER NOT NULL
    ) STRICT;
    INSERT OR REPLACE INTO schema_version (only_row, version, oldest_reader) VALUES (1, ${version}, ${reader});
  `);
}
