// What PostgreSQL reads for a question: by an index, however many rows there are, and however few it believes there to be.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { actionRecord, federatedGrant, grantOf, ISSUER, NOW } from '../../src/storage/conformance/fixtures.ts';
import { openPostgresSts } from '../../src/storage/postgres/open.ts';
import { locationOf } from '../fakes/postgres-engine.ts';
import { POSTGRES_VERSIONS, postgresPrograms } from '../fakes/postgres-programs.ts';
import { PostgresServer } from '../fakes/postgres-server.ts';

type Store = Awaited<ReturnType<typeof openPostgresSts>>;

const SESSIONS = 20_000;
const TENANTS = ['t0', 't1'];
const FEDERATION = JSON.stringify({ provider: '//p', claims: {}, tokenIssuedAt: NOW, tokenExpiresAt: NOW + 600 });

/** Every tenth is of tenant t0, has an identity to pass on, and the one after it came of it. */
const FILL = `
  INSERT INTO session (id, decision_id, role_tenant, role_name, gateway_group, issuer, subject, job_id, job_bound, issued_at,
    expires_at, claims, tags, federation, parent_id)
  SELECT 'S' || lpad(n::text, 12, '0'), 'D' || n, CASE n % 10 WHEN 0 THEN 't0' ELSE 't1' END, 'r', 'artifacts', '${ISSUER}', 'subject',
    'J' || n, 1, ${NOW}, ${NOW + 600}, '{}', '{}', CASE n % 10 WHEN 0 THEN '${FEDERATION}' END,
    CASE n % 10 WHEN 1 THEN 'S' || lpad((n - 1)::text, 12, '0') END
  FROM generate_series(0, ${SESSIONS - 1}) AS n`;

for (const version of POSTGRES_VERSIONS) {
  describe.skipIf(postgresPrograms(version) === undefined)(`PostgreSQL ${version}`, () => {
    let server: PostgresServer;
    let database: string;
    beforeAll(async () => {
      server = await PostgresServer.start(version, { settings: { fsync: 'off', autovacuum: 'off' } });
    });
    afterAll(() => server?.destroy());
    beforeEach(async () => {
      database = await server.createDatabase();
      await (await openPostgresSts(locationOf(server, database))).close();
      await server.query(`ALTER DATABASE ${database} SET search_path = jobpass_sts`);
    });

    /** The tables that were read whole while `work` ran, and the rows of `session` that were fetched. */
    async function readBy(
      work: (store: Store) => Promise<void>,
    ): Promise<{ whole: readonly unknown[]; sessions: number }> {
      await server.query('SELECT pg_stat_reset()', database);
      const store = await openPostgresSts(locationOf(server, database));
      try {
        await work(store);
      } finally {
        // A connection tells what it did when it ends.
        await store.close();
      }
      const isOver = `SELECT count(*)::int AS open FROM pg_stat_activity WHERE datname = '${database}' AND application_name LIKE 'jobpass%'`;
      await expect.poll(async () => (await server.query(isOver))[0]?.open, { timeout: 10_000 }).toBe(0);
      const tables = await server.query(
        `SELECT relname, seq_scan::int, idx_tup_fetch::int FROM pg_stat_user_tables
          WHERE relname IN ('session', 'ended_session', 'token_use', 'tombstone', 'audit_entry') ORDER BY relname`,
        database,
      );
      return {
        whole: tables.filter(({ seq_scan: scans }) => scans !== 0).map(({ relname }) => relname),
        sessions: Number(tables.find(({ relname }) => relname === 'session')?.idx_tup_fetch),
      };
    }

    test('looks sessions up by job, with its issuer or without, and by pages of all, not among all', async () => {
      await server.query(FILL, database);
      await server.query('VACUUM (ANALYZE)', database);
      const filter = { tenants: TENANTS, now: NOW };
      const read = await readBy(async (store) => {
        for (let round = 0; round < 10; round += 1) {
          const jobId = `J${1000 + round}`;
          expect(await store.listSessions({ ...filter, issuer: ISSUER, jobId }, null, 9)).toHaveLength(1);
          expect(await store.listSessions({ ...filter, jobId }, null, 9)).toHaveLength(1);
          expect(await store.listSessions(filter, null, 9)).toHaveLength(9);
          expect(await store.listSessions({ ...filter, issuer: ISSUER }, 'S000000010000', 9)).toHaveLength(9);
        }
      });
      expect(read.whole).toEqual([]);
      expect(read.sessions).toBeLessThan(1000);
    });

    test('grants by index on tables that it last saw empty', async () => {
      await server.query('VACUUM (ANALYZE)', database);
      const read = await readBy(async (store) => {
        for (let round = 0; round < 20; round += 1) {
          const uses = [{ exp: NOW + 600, iss: ISSUER, jti: `jti-${round}` }];
          expect(await store.grant(federatedGrant(`p${round}.`))).toBe('granted');
          expect(await store.grant(grantOf(`${round}.`, { uses, session: { parentId: `Sp${round}.` } }))).toBe(
            'granted',
          );
        }
      });
      expect(read.whole).toEqual([]);
    });

    test('ends by index what came of a tenant’s sessions, into a table that it last saw empty', async () => {
      await server.query(FILL, database);
      await server.query('VACUUM (ANALYZE)', database);
      const read = await readBy(async (store) => {
        await store.raiseEpoch({ scope: { scope: 'tenant', name: 't0' }, now: NOW + 1, record: actionRecord('E') });
        const ends = await store.listEndedSessions('artifacts', 0, NOW, SESSIONS);
        expect(ends).toHaveLength(SESSIONS / 10);
      });
      expect(read.whole).toEqual([]);
    });
  });
}
