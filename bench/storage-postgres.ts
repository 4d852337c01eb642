// Owns PostgreSQL's part of the storage measurement: a database as years of grants would have it, and an empty one beside it, on a
// server that flushes what it acknowledges.
import { ID_ALPHABET } from '../src/base/core/ids.ts';
import { ISSUER, NOW } from '../src/storage/conformance/fixtures.ts';
import { openPostgresSts } from '../src/storage/postgres/open.ts';
import { locationOf } from '../test/fakes/postgres-engine.ts';
import type { PostgresVersion } from '../test/fakes/postgres-programs.ts';
import { PostgresServer } from '../test/fakes/postgres-server.ts';
import {
  AUDIT_ROWS,
  GRANTS_PER_SECOND,
  LIVE_USES,
  type Pair,
  recordAround,
  USE_LIFETIME_SECONDS,
} from './storage-grants.ts';

/** Room as on a small server of its own; checkpoints come by the clock, for both databases alike. */
const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
};

/** SQL of the last `digits` digits of a number, in the characters of ids. */
const inIdCharacters = (number: string, digits: number): string =>
  Array.from({ length: digits }, (_, place) => {
    const digit = `(((${number}) >> ${5 * (digits - 1 - place)}) & 31)::int`;
    return `substr('${ID_ALPHABET}', ${digit} + 1, 1)`;
  }).join(' || ');

/** SQL of an id led by its second. The factor is odd: of 35 bits, numbers that differ stay different, and lie anywhere. */
const idOf = (kind: 'D' | 'S', second: string): string =>
  `'${kind}' || ${inIdCharacters(second, 5)} || ${inIdCharacters('n * 25214903917', 7)}`;

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function fillingStatements(): readonly string[] {
  const [head, tail] = recordAround();
  const second = `${NOW} - ceil((${AUDIT_ROWS} - n + 1)::numeric / ${GRANTS_PER_SECOND})::bigint`;
  return [
    `INSERT INTO audit_entry (writer, sequence, hash, kind, id, at, tenant, body)
      SELECT 'Wfilled', n, left(translate(encode(sha256(int8send(n)), 'base64'), '+/', '-_'), 43), 'decision', id, ${NOW * 1000}, 'main',
        ${quoted(head)} || id || ${quoted(tail)}
      FROM (SELECT n, ${idOf('D', second)} AS id FROM generate_series(1, ${AUDIT_ROWS}::bigint) AS n OFFSET 0) AS entry`,
    `INSERT INTO audit_writer (writer, sequence, hash) VALUES ('Wfilled', ${AUDIT_ROWS}, 'filled')`,
    `INSERT INTO token_use (exp, iss, jti, session_id, used_at)
      SELECT ${NOW} + n * ${USE_LIFETIME_SECONDS} / ${LIVE_USES}, ${quoted(ISSUER)}, md5(n::text), ${idOf('S', `${NOW - USE_LIFETIME_SECONDS}`)}, ${NOW}
      FROM generate_series(0, ${LIVE_USES}::bigint - 1) AS n`,
  ];
}

/** Both begin with statistics, clean pages, and nothing that waits for the disk. */
const SETTLING = ['VACUUM (ANALYZE)', 'CHECKPOINT'];

async function pairOn(server: PostgresServer): Promise<Pair> {
  const names = { full: await server.createDatabase(), empty: await server.createDatabase() };
  const [full, empty] = await Promise.all([
    openPostgresSts(locationOf(server, names.full)),
    openPostgresSts(locationOf(server, names.empty)),
  ]);
  await server.query(`ALTER DATABASE ${names.full} SET search_path = jobpass_sts`);
  for (const statement of fillingStatements()) await server.query(statement, names.full);
  for (const name of [names.full, names.empty]) for (const statement of SETTLING) await server.query(statement, name);
  const [size] = await server.query(`SELECT pg_database_size('${names.full}')::float8 / 1e9 AS gigabytes`);
  const close = async (): Promise<void> => {
    await Promise.all([full.close(), empty.close()]);
    await server.destroy();
  };
  return { full, empty, gigabytes: Number(size?.gigabytes), close };
}

/** Starts a server, fills the one database, makes the other, and opens both. Precondition: `postgresPrograms(version)` found it. */
export async function postgresPair(version: PostgresVersion): Promise<Pair> {
  const server = await PostgresServer.start(version, { settings: SETTINGS });
  return pairOn(server).catch(async (cause: unknown) => {
    await server.destroy();
    throw cause;
  });
}
