// Owns how failures of the engine become typed errors. It decides nothing about retrying.
import { JobpassError } from '../../base/core/errors.ts';
import { corrupt } from '../rows/corrupt.ts';

/** Primary result codes of SQLite (https://sqlite.org/rescode.html) that need words of their own. */
const BUSY = 5;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const CONSTRAINT = 19;
const NOTADB = 26;

/** The primary result code of an error thrown by `node:sqlite`; undefined for any other error. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

/** True when one write broke a rule of the schema or of its own values: its batch mates are not to blame. */
export function isOneWritesFault(error: unknown): boolean {
  const code = resultCode(error);
  return code === undefined || code === CONSTRAINT;
}

/** True when another connection holds the lock that was needed. */
export const isBusy = (error: unknown): boolean => resultCode(error) === BUSY;

/** True when the file itself is damaged or is no database. */
export function isCorruption(error: unknown): boolean {
  const code = resultCode(error);
  return code === CORRUPT || code === NOTADB;
}

function describe(error: unknown): { readonly message: string; readonly hint?: string } {
  switch (resultCode(error)) {
    case FULL:
      return { message: 'the disk of the database is full', hint: 'free some space; nothing of the request was kept' };
    case BUSY:
      return { message: 'another process holds the database locked', hint: 'end whatever else has it open' };
    case READONLY:
      return { message: 'the database cannot be written', hint: 'check who owns the file and its folder' };
    case IOERR:
      return { message: 'reading or writing the database failed', hint: 'check the disk' };
    case CANTOPEN:
      return { message: 'the database cannot be opened', hint: 'check that its folder exists and is yours' };
    default:
      return { message: 'the store did not do what was asked' };
  }
}

/** ERR_STORE_UNAVAILABLE with `cause`: nothing of the refused write was kept. */
export function unavailable(cause: unknown): JobpassError {
  const { message, hint } = describe(cause);
  return new JobpassError('ERR_STORE_UNAVAILABLE', message, hint === undefined ? { cause } : { cause, hint });
}

/** The typed error for a failed read: damage is told apart from everything else. */
export function readFailure(cause: unknown): JobpassError {
  if (cause instanceof JobpassError) return cause;
  return isCorruption(cause) ? corrupt('the database is damaged', cause) : unavailable(cause);
}
