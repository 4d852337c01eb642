// Owns the step from whatever schema a file has to the one this version needs. Forward only; it never drops data.
import type { DatabaseSync } from 'node:sqlite';
import { JobpassError } from '../../base/core/errors.ts';

/** One forward step. Its number is its place in the list, from 1, and never changes once released. */
interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

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

/** Refuses a database that is another program's, another server's, or of a newer version. Changes nothing. */
export function checkSchema(db: DatabaseSync, schema: Schema): void {
  const version = pragma(db, 'user_version');
  const applicationId = pragma(db, 'application_id');
  const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (isEmpty && version === 0 && applicationId === 0) return;
  if (applicationId !== schema.applicationId) {
    throw schemaError(
      `the database is not one of a Jobpass ${schema.kind}`,
      'each server has a database file of its own: check the storage setting',
    );
  }
  const known = schema.migrations.length;
  if (version > known) {
    throw schemaError(
      `the database has schema ${version}, this version of Jobpass knows up to ${known}`,
      'start the newer version that wrote it; schemas never go back',
    );
  }
}

/** Brings the database to the newest schema in one transaction; of two processes at once, one does it. */
export function migrate(db: DatabaseSync, schema: Schema): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    checkSchema(db, schema);
    const version = pragma(db, 'user_version');
    for (const step of schema.migrations.slice(version)) db.exec(step.sql);
    db.exec(`PRAGMA application_id = ${schema.applicationId}`);
    db.exec(`PRAGMA user_version = ${schema.migrations.length}`);
    db.exec('COMMIT');
  } catch (cause) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw cause;
  }
}
