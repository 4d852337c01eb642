// Owns how failures of PostgreSQL become typed errors. Nothing of a row, a parameter or a password gets into them.
import { JobpassError } from '../../base/core/errors.ts';
import { corrupt } from '../rows/corrupt.ts';

/** The connection is gone, or was given up: what was asked last may have happened or not. */
export class ConnectionLost extends Error {
  /** The system's, TLS's or PostgreSQL's word for why. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'ConnectionLost';
    this.code = code;
  }
}

/** PostgreSQL's own code (https://www.postgresql.org/docs/current/errcodes-appendix.html); undefined for other errors. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error && 'severity' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** A short word for why, for people and for logs. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown error';
}

/** The answer to every statement after the one that failed: it says nothing. */
const IN_FAILED_TRANSACTION = '25P02';

/** The failure that the others of one transaction only follow from. */
export const firstCause = (errors: readonly unknown[]): unknown =>
  errors.find((error) => sqlState(error) !== IN_FAILED_TRANSACTION) ?? errors[0];

/** Deadlocks and serialisation failures: whoever tries again alone succeeds. */
const TRY_AGAIN = /^40/;
/** Values that do not fit, and broken constraints. */
const BAD_WRITE = /^2[23]/;

/** True when one write broke a rule of the schema or of its own values: its batch mates are not to blame. */
export function isOneWritesFault(error: unknown): boolean {
  if (error instanceof ConnectionLost) return false;
  const state = sqlState(error);
  return state === undefined || BAD_WRITE.test(state) || TRY_AGAIN.test(state);
}

/** True when trying the very same again is likely to succeed. */
export const isDeadlock = (error: unknown): boolean => TRY_AGAIN.test(sqlState(error) ?? '');

interface Words {
  readonly message: string;
  readonly hint?: string;
}

const NO_SERVER: Words = {
  message: 'the database server does not answer',
  hint: 'check host and port of the storage setting, and that the server runs',
};
const NOT_TRUSTED: Words = {
  message: 'the certificate of the database server is not trusted',
  hint: 'sslrootcert=PATH names its authority; the host of the storage setting must stand in the certificate',
};
const TOO_LATE: Words = {
  message: 'the database did not answer in time',
  hint: 'see whether it is overloaded, or something holds its locks',
};
const NO_RIGHT: Words = {
  message: 'the database user may not do what is needed',
  hint: 'let it own the schemas, or GRANT CREATE ON DATABASE to it',
};

/** By PostgreSQL's code, by the system's, or by TLS's. */
const WORDS: Readonly<Record<string, Words>> = {
  '28P01': { message: 'the database refused user or password', hint: 'check the storage setting' },
  '28000': {
    message: 'the database refused the user',
    hint: 'check the storage setting, and pg_hba.conf of the server',
  },
  '3D000': { message: 'there is no such database', hint: 'make it: CREATE DATABASE …' },
  '42501': NO_RIGHT,
  '25006': { message: 'the database takes no writes', hint: 'name the primary, not a standby' },
  '53100': { message: 'the disk of the database is full', hint: 'free some space; nothing of the request was kept' },
  '53300': {
    message: 'the database has no connection left',
    hint: 'raise max_connections; see docs/storage.md for sizes',
  },
  '55P03': TOO_LATE,
  '57014': TOO_LATE,
  '57P03': { message: 'the database server is starting or stopping' },
  ECONNREFUSED: NO_SERVER,
  ENOTFOUND: NO_SERVER,
  EHOSTUNREACH: NO_SERVER,
  ENOENT: NO_SERVER,
  ETIMEDOUT: NO_SERVER,
  ERR_TOO_LATE: TOO_LATE,
  ERR_TLS_CERT_ALTNAME_INVALID: NOT_TRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: NOT_TRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: NOT_TRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NOT_TRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NOT_TRUSTED,
  CERT_HAS_EXPIRED: NOT_TRUSTED,
};

/** What may be kept of a cause: its code and text, not the rows and parameters that PostgreSQL's errors carry. */
function plain(cause: unknown): Error {
  const text = cause instanceof Error ? cause.message : 'unknown error';
  return new Error(`${codeOf(cause)}: ${text}`);
}

/** Damage that PostgreSQL itself reports. */
const DAMAGED = /^XX00[12]$/;

/** The typed error for what failed: ERR_STORE_CORRUPT for damage, else ERR_STORE_UNAVAILABLE. */
export function failure(cause: unknown): JobpassError {
  if (cause instanceof JobpassError) return cause;
  if (DAMAGED.test(sqlState(cause) ?? '')) return corrupt('the database is damaged', plain(cause));
  const words = WORDS[codeOf(cause)] ?? { message: 'the store did not do what was asked' };
  return new JobpassError('ERR_STORE_UNAVAILABLE', words.message, {
    cause: plain(cause),
    ...(words.hint === undefined ? {} : { hint: words.hint }),
  });
}
