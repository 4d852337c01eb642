// Owns which version of the program may serve which schema, whatever the engine. Schemas only go forward; the program may go back
// as far as the schema's last step that earlier versions cannot live with.
import { JobpassError } from '../base/core/errors.ts';

/** One forward step. Its number is its place in the list, from 1, and never changes once released. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  /** True when a version of the program that knows only the step before can serve the database after this one, all it promises kept. */
  readonly isAdditive?: boolean;
}

/** What a database says of itself. */
export interface SchemaGate {
  readonly version: number;
  /** A program that knows the schema up to this version, or further, may serve it. */
  readonly oldestReader: number;
}

/** A database without any table of ours. */
export const NEW_DATABASE: SchemaGate = { version: 0, oldestReader: 0 };

/** The gate after all these steps. */
export function gateOf(migrations: readonly Migration[]): SchemaGate {
  const breaking = migrations.filter(({ isAdditive }) => isAdditive !== true).map(({ version }) => version);
  return { version: migrations.length, oldestReader: Math.max(0, ...breaking) };
}

/** The steps still to take. Throws ERR_STORE_SCHEMA when the database is too new for this version of the program. */
export function stepsFrom(gate: SchemaGate, migrations: readonly Migration[]): readonly Migration[] {
  const known = migrations.length;
  if (known >= gate.oldestReader) return migrations.slice(gate.version);
  throw new JobpassError(
    'ERR_STORE_SCHEMA',
    `the database has schema ${gate.version}, which programs that know up to ${gate.oldestReader} can serve; this one knows up to ${known}`,
    { hint: 'start the newer version that wrote it; docs/storage.md says how far a version may go back' },
  );
}
