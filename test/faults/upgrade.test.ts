// A version of the program that adds a step to the schema, and the one before it, on one database: forth and back under load. Nothing that was
// granted, used or ended is forgotten on the way. And a database as the release before left it opens and serves.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  actionRecord,
  FACTS,
  grantOf,
  ISSUER,
  inTurn,
  NOW,
  requestTokenOf,
  sessionOf,
  tombstoneOf,
} from '../../src/storage/conformance/fixtures.ts';
import { openDatabase as openPostgres } from '../../src/storage/postgres/database.ts';
import { STS_SCHEMA as POSTGRES_STS } from '../../src/storage/postgres/migrations/sts.ts';
import { stsStoreOn as postgresStsOn } from '../../src/storage/postgres/open.ts';
import type { Migration } from '../../src/storage/schema-gate.ts';
import { AuditChain } from '../../src/storage/sqlite/audit-chain.ts';
import { openDatabase as openSqlite } from '../../src/storage/sqlite/database.ts';
import { ISSUER_SCHEMA } from '../../src/storage/sqlite/migrations/issuer.ts';
import { STS_SCHEMA } from '../../src/storage/sqlite/migrations/sts.ts';
import { openSqliteIssuer, openSqliteSts, stsStoreOn } from '../../src/storage/sqlite/open.ts';
import type { StsStore } from '../../src/sts/store.ts';
import { locationOf } from '../fakes/postgres-engine.ts';
import { postgresPrograms } from '../fakes/postgres-programs.ts';
import { PostgresServer } from '../fakes/postgres-server.ts';

interface Opened {
  readonly store: StsStore;
  readonly close: () => Promise<void>;
}

/** A step that a version after this one might add. */
const nextStep = (version: number): Migration => ({
  version,
  name: 'a note in every session',
  sql: "ALTER TABLE session ADD COLUMN note TEXT NOT NULL DEFAULT '';",
  isAdditive: true,
});
const withNext = <Schema extends { readonly migrations: readonly Migration[] }>(schema: Schema): Schema => ({
  ...schema,
  migrations: [...schema.migrations, nextStep(schema.migrations.length + 1)],
});

/** What was acknowledged, by name: every fourth token is single use, every eighth job ends. */
class Load {
  readonly granted: string[] = [];
  readonly used: string[] = [];
  readonly ended: string[] = [];

  /** Grants through these stores, all at once, until each has answered `count`. */
  async run(phase: string, stores: readonly StsStore[], count = 100): Promise<void> {
    await Promise.all(stores.map((store, at) => this.#runOn(store, `${phase}${at}`, count)));
  }

  async #runOn(store: StsStore, prefix: string, count: number): Promise<void> {
    await Promise.all(
      Array.from({ length: count }, async (_, number) => {
        const name = `${prefix}-${number}`;
        expect(await store.grant(grantOf(name, { uses: number % 4 === 0 ? [useOf(name)] : [] }))).toBe('granted');
        this.granted.push(name);
        if (number % 4 === 0) this.used.push(name);
        if (number % 8 !== 0) return;
        await store.buryJobs([tombstoneOf(`J${name}`)]);
        this.ended.push(name);
      }),
    );
  }

  /** All of it is as it was acknowledged. */
  async expectKept(store: StsStore): Promise<void> {
    await inTurn(this.granted, async (name) => {
      const expected = this.ended.includes(name) ? undefined : sessionOf(name);
      expect(await store.findSession(`S${name}`), name).toStrictEqual(expected);
    });
    await inTurn(this.used, async (name) => {
      const again = grantOf(`${name}-again`, { uses: [useOf(name)], session: { jobId: null, jobBound: false } });
      expect(await store.grant(again), name).toBe('token_replayed');
    });
    await inTurn(this.ended, async (name) => {
      const again = grantOf(`${name}-late`, { session: { jobId: `J${name}` } });
      expect(await store.grant(again), name).toBe('job_ended');
    });
  }
}

const useOf = (name: string) => ({ exp: NOW + 600, iss: ISSUER, jti: `jti-${name}` });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobpass-upgrade-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a database that goes from one version to the next and back', () => {
  test('on SQLite, one process after the other', async () => {
    const open = (schema: typeof STS_SCHEMA): Opened => {
      const database = openSqlite({ path: join(folder, 'sts.db') }, schema);
      return { store: stsStoreOn(database, new AuditChain(database)), close: () => database.close() };
    };
    const load = new Load();
    await inTurn([...[STS_SCHEMA, withNext(STS_SCHEMA), STS_SCHEMA].entries()], async ([phase, schema]) => {
      const { close, store } = open(schema);
      await load.expectKept(store);
      await load.run(`p${phase}`, [store]);
      await load.expectKept(store);
      await close();
    });
    expect([load.granted.length, load.used.length, load.ended.length]).toEqual([300, 75, 39]);
  });

  test.skipIf(postgresPrograms(18) === undefined)('on PostgreSQL, replicas of both at once', async () => {
    const server = await PostgresServer.start(18, { settings: { fsync: 'off' } });
    try {
      const location = locationOf(server, await server.createDatabase());
      const open = async (schema: typeof POSTGRES_STS): Promise<Opened> => {
        const database = await openPostgres(location, schema);
        return { store: postgresStsOn(database), close: () => database.close() };
      };
      const load = new Load();
      const before = await open(POSTGRES_STS);
      await load.run('before', [before.store]);
      // The newer one takes the step while the other goes on granting.
      const [after] = await Promise.all([open(withNext(POSTGRES_STS)), load.run('during', [before.store])]);
      await load.run('both', [before.store, after.store]);
      await Promise.all([before, after].map(({ store }) => load.expectKept(store)));
      await before.close();
      await load.run('after', [after.store]);
      const back = await open(POSTGRES_STS);
      await load.run('back', [after.store, back.store]);
      await after.close();
      await load.expectKept(back.store);
      await back.close();
      expect(load.granted).toHaveLength(700);
    } finally {
      await server.destroy();
    }
  });

  test.skipIf(postgresPrograms(18) === undefined)(
    'on PostgreSQL, what a replica of before freezes only an operator of all tenants lifts, before the step and after',
    async () => {
      const server = await PostgresServer.start(18, { settings: { fsync: 'off' } });
      try {
        const name = await server.createDatabase();
        const location = locationOf(server, name);
        const freeze = (tenant: string) =>
          server.query(`INSERT INTO jobpass_sts.frozen (scope, name, since) VALUES ('tenant', '${tenant}', 7)`, name);
        const before = await openPostgres(location, {
          ...POSTGRES_STS,
          migrations: POSTGRES_STS.migrations.slice(0, 1),
        });
        await freeze('main');
        const after = await openPostgres(location, POSTGRES_STS);
        await freeze('other');
        const store = postgresStsOn(after);
        const frozen = (tenant: string) => ({ scope: 'tenant', name: tenant, since: 7, reach: 'all' });
        expect(await store.listFreezes()).toEqual([frozen('main'), frozen('other')]);
        const lift = { scope: { scope: 'tenant', name: 'main' }, frozen: false, record: actionRecord('1') } as const;
        expect((await store.setFreeze({ ...lift, reach: 'tenant' })).after).toEqual(frozen('main'));
        expect((await store.setFreeze({ ...lift, reach: 'all' })).after).toBeUndefined();
        await Promise.all([before.close(), after.close()]);
      } finally {
        await server.destroy();
      }
    },
  );
});

/** The schemas of release 0.1.0. */
const RELEASED = { sts: 6, issuer: 3 } as const;

async function leave(schema: typeof STS_SCHEMA, version: number, rows: readonly string[]): Promise<string> {
  const path = join(folder, `${schema.kind}.db`);
  const database = openSqlite({ path }, { ...schema, migrations: schema.migrations.slice(0, version) });
  await database.write(() => {
    for (const sql of rows) database.prepare(sql).run();
  });
  await database.close();
  return path;
}

describe('a database as the release before left it', () => {
  test('is an STS’s that knows what was granted, used and ended, and goes on', async () => {
    const decision = (
      name: string,
    ): string => `INSERT INTO decision (id, at, outcome, wire, role_tenant, role_name, issuer, subject, job_id,
      detail, session_id, remote_address, claims, trace) VALUES ('D${name}', ${NOW}000, 'granted', 'rfc8693', 'main', 'publish-web',
      '${ISSUER}', 's', 'J${name}', 'held', 'S${name}', '192.0.2.7', '{}', '{"checks":[],"jobBound":true}')`;
    const session = (
      name: string,
    ): string => `INSERT INTO session (id, decision_id, role_tenant, role_name, gateway_group, issuer, subject,
      job_id, job_bound, issued_at, expires_at, claims) VALUES ('S${name}', 'D${name}', 'main', 'publish-web', 'artifacts', '${ISSUER}',
      's', 'J${name}', 1, ${NOW}, ${NOW + 600}, '{}')`;
    const path = await leave(STS_SCHEMA, RELEASED.sts, [
      ...['old', 'gone'].flatMap((name) => [decision(name), session(name)]),
      `INSERT INTO ended_session (session_id, expires_at, gateway_group) VALUES ('Sgone', ${NOW + 600}, 'artifacts')`,
      `INSERT INTO tombstone VALUES ('${ISSUER}', 'Jgone', ${NOW}, ${NOW + 600})`,
      `INSERT INTO token_use VALUES (${NOW + 600}, '${ISSUER}', 'jti-old')`,
      `UPDATE high_water SET at = ${NOW}`,
    ]);
    const store = await openSqliteSts({ path });
    expect(await store.findSession('Sold')).toMatchObject({
      id: 'Sold',
      role: { tenant: 'main', name: 'publish-web' },
    });
    expect(await store.findSession('Sgone')).toBeUndefined();
    expect((await store.findDecisions('Dold')).map(({ id }) => id)).toEqual(['Dold']);
    expect(await store.grant(grantOf('1', { uses: [useOf('old')] }))).toBe('token_replayed');
    expect(await store.grant(grantOf('2', { session: { jobId: 'Jgone' } }))).toBe('job_ended');
    expect(await store.grant(grantOf('3', { now: NOW - 60 }))).toBe('clock_behind');
    expect(await store.grant(grantOf('4'))).toBe('granted');
    expect((await store.listEndedSessions('artifacts', 0, NOW, 10)).map(({ sessionId }) => sessionId)).toEqual([
      'Sgone',
    ]);
    await store.close();
  });

  test('is an issuer’s whose jobs run on and end', async () => {
    const facts = JSON.stringify(FACTS).replaceAll("'", "''");
    const path = await leave(ISSUER_SCHEMA, RELEASED.issuer, [
      `INSERT INTO job (id, controller, idempotency_key, request_digest, facts, audiences, started_at, deadline, last_heartbeat_at)
        VALUES ('J1', 'c', 'k', 'd', '${facts}', '["a"]', ${NOW}, ${NOW + 600}, ${NOW})`,
      `INSERT INTO request_token VALUES ('hash', 'J1', NULL)`,
    ]);
    const store = await openSqliteIssuer({ path });
    expect(await store.highWaterMark()).toBe(NOW);
    expect(await store.findRequestToken('hash')).toEqual({ hash: 'hash', jobId: 'J1', audiences: null });
    expect(await store.addRequestToken(requestTokenOf('J1'), 5)).toBe('added');
    expect(await store.recordToken({ jti: 't', jobId: 'J1', audience: 'a', expiresAt: NOW + 60 })).toBe(true);
    await store.endJob('J1', { at: NOW + 1, reason: 'finished', eventExpiresAt: NOW + 60 });
    const events = await store.listEvents({ client: 'sts', receiver: 'r' }, ['a'], 10);
    expect(events.map(({ jobId }) => jobId)).toEqual(['J1']);
    await store.close();
  });
});
