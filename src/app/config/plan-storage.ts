// Where a server's database is: a file of its own, or a PostgreSQL. No password stands in the configuration itself.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { err, ok, type Result } from '../../base/core/result.ts';
import { Secret } from '../../base/core/secret.ts';
import type { PostgresLocation, PostgresTls } from '../../storage/location.ts';
import type { PlanContext } from './plan-context.ts';
import type { DocumentPath } from './problem-list.ts';

/** A database, and how to come to it. */
export type DatabasePlan =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly location: PostgresLocation };

const FORM = 'postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full';
const DEFAULT_PORT = 5432;
const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);
const PARAMETERS = new Set(['host', 'sslmode', 'sslrootcert']);

interface UrlProblem {
  readonly message: string;
  readonly hint: string;
}

const problem = (message: string, hint: string): Result<never, UrlProblem> => err({ message, hint });

/** The database that `storage` names, or the one of this name below the data folder; what is wrong stands in `context.problems`. */
export function planDatabase(
  storage: string | undefined,
  server: { readonly name: string; readonly path: DocumentPath },
  context: PlanContext,
): DatabasePlan {
  const { places, problems } = context;
  const text = storage ?? `sqlite:./data/${server.name}.db`;
  if (text.startsWith('sqlite:')) return { kind: 'sqlite', path: resolve(places.folder, text.slice('sqlite:'.length)) };
  const path = [...server.path, 'storage'];
  const isWritten = /^postgres(ql)?:/.test(text);
  const url = isWritten ? text : problems.secret(path, text, places).reveal();
  // A reference that cannot be read has been noted.
  const location =
    url === '' ? ok(NOWHERE) : parsePostgresUrl(url, { folder: places.folder, mayHoldPassword: !isWritten });
  if (!location.ok) problems.add(path, location.error.message, location.error.hint);
  return { kind: 'postgres', location: location.ok ? location.value : NOWHERE };
}

/** In a plan that has problems. */
const NOWHERE: PostgresLocation = { host: '', port: 0, user: '', password: null, database: '', tls: null };

/** The parts of the URL of a PostgreSQL. Neither message nor hint repeats any of its text: it may hold a password. */
export function parsePostgresUrl(
  text: string,
  { folder, mayHoldPassword }: { readonly folder: string; readonly mayHoldPassword: boolean },
): Result<PostgresLocation, UrlProblem> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol) || url.hash !== '')
    return problem('not the URL of a PostgreSQL', `${FORM}   (special characters as %XX)`);
  if (url.password !== '' && !mayHoldPassword)
    return problem(
      'a password stands in the configuration',
      'storage: file:PATH, with the URL in that file (mode 600)',
    );
  if (!isDecodable(url)) return problem('not the URL of a PostgreSQL', `${FORM}   (special characters as %XX)`);
  const names = [...url.searchParams.keys()];
  if (new Set(names).size < names.length) return problem('a parameter of the URL stands twice', 'each may stand once');
  const unknown = names.find((name) => !PARAMETERS.has(name));
  if (unknown !== undefined) return problem('an unknown parameter of the URL', `known: ${[...PARAMETERS].join(', ')}`);
  const host = url.searchParams.get('host') ?? decodeURIComponent(url.hostname).replace(/^\[|\]$/g, '');
  if (host === '' || host.includes(',')) return problem('the URL names not one host', FORM);
  const [user, database] = [url.username, url.pathname.slice(1)].map(decodeURIComponent);
  if (user === undefined || user === '' || database === undefined || database === '')
    return problem('the URL names no user or no database', FORM);
  const tls = readTls(url.searchParams, { host, folder });
  if (!tls.ok) return tls;
  const password = url.password === '' ? null : new Secret(decodeURIComponent(url.password));
  const port = url.port === '' ? DEFAULT_PORT : Number(url.port);
  return ok({ host, port, user, password, database, tls: tls.value });
}

/** Whether every part means something: a lone `%` does not. */
function isDecodable({ hostname, password, pathname, username }: URL): boolean {
  try {
    for (const part of [hostname, password, pathname, username]) decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

/** Where the network begins, TLS is checked unless the URL says otherwise in so many words. */
function readTls(
  parameters: URLSearchParams,
  { host, folder }: { readonly host: string; readonly folder: string },
): Result<PostgresTls | null, UrlProblem> {
  const isHere = host.startsWith('/') || LOOPBACK.has(host);
  const mode = parameters.get('sslmode') ?? (isHere ? 'disable' : 'verify-full');
  const file = parameters.get('sslrootcert');
  const ca = readAuthority(file, folder);
  if (ca === undefined)
    return problem('the file of sslrootcert cannot be read, or is no PEM', 'the certificate of the server’s authority');
  switch (mode) {
    case 'disable':
      return ok(null);
    case 'require':
      return ok({ verify: ca === null ? 'none' : 'ca', ca });
    case 'verify-ca':
      return ca === null ? problem('verify-ca needs an authority', 'sslrootcert=PATH') : ok({ verify: 'ca', ca });
    case 'verify-full':
      return ok({ verify: 'full', ca });
    default:
      return problem('an sslmode that is unknown or gives up encryption', 'disable, require, verify-ca or verify-full');
  }
}

/** PEM; null without one; undefined when it cannot be had. */
function readAuthority(file: string | null, folder: string): string | null | undefined {
  if (file === null || file === 'system') return null;
  try {
    const text = readFileSync(resolve(folder, file), 'utf8');
    return text.includes('-----BEGIN CERTIFICATE-----') ? text : undefined;
  } catch {
    return undefined;
  }
}
