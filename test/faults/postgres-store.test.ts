// Stores on a PostgreSQL that fails, hangs, restarts or is another one: what is refused, how soon, and what is kept.
import { chmodSync, chownSync, mkdtempSync, readFileSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Secret } from '../../src/base/core/secret.ts';
import { beginWait, PATIENCE_MS, withOnePatience } from '../../src/base/ports/patience.ts';
import { expectChains } from '../../src/storage/conformance/audit.ts';
import {
  actionRecord,
  grantOf,
  ISSUER,
  NOW,
  refusedRecord,
  tombstoneOf,
} from '../../src/storage/conformance/fixtures.ts';
import type { PostgresLocation } from '../../src/storage/location.ts';
import { statement } from '../../src/storage/postgres/connection.ts';
import { openPostgresSts } from '../../src/storage/postgres/open.ts';
import { requireClient } from '../clients.ts';
import { locationOf } from '../fakes/postgres-engine.ts';
import { POSTGRES_VERSIONS, postgresAccount, postgresPrograms } from '../fakes/postgres-programs.ts';
import { PostgresServer } from '../fakes/postgres-server.ts';
import { makePrivateCa } from '../fakes/private-ca.ts';

type Store = Awaited<ReturnType<typeof openPostgresSts>>;

const UNAVAILABLE = { code: 'ERR_STORE_UNAVAILABLE' };
const LONGEST_WAIT_MS = 2300;
const AT_ONCE_MS = 100;
const COMMIT = statement('COMMIT').name;

/** How long it took to fail. */
async function failing(work: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await expect(work).rejects.toMatchObject(UNAVAILABLE);
  return performance.now() - start;
}

/** Until it works again; what fails meanwhile must fail as unavailable. */
async function untilWorks<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (cause) {
      if (attempt === 100) throw cause;
      expect(cause).toMatchObject(UNAVAILABLE);
      await sleep(50);
    }
  }
}

/** Between a store and its server. Once armed, the next COMMIT reaches the server, and its answer nobody. */
class CommitThief {
  isArmed = false;
  /** Set: what new connections say is held back until `release`. */
  isHolding = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(port: number) {
    this.#server = createServer((client) => {
      const upstream = createConnection(port, '127.0.0.1');
      let isMute = false;
      if (this.isHolding) client.pause();
      client.on('data', (data) => {
        if (this.isArmed && data.includes(COMMIT)) {
          this.isArmed = false;
          isMute = true;
          setTimeout(() => client.destroy(), 100);
        }
        upstream.write(data);
      });
      upstream.on('data', (data) => isMute || client.write(data));
      for (const [socket, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => other.destroy());
      }
    });
  }

  /** On `on`, or on a free port. */
  async listen(on = 0): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(on, '127.0.0.1', resolve));
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Breaks every connection. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  release(): void {
    this.isHolding = false;
    for (const socket of this.#sockets) socket.resume();
  }

  close(): void {
    this.#server.close();
    this.drop();
  }
}

for (const version of POSTGRES_VERSIONS) {
  describe.skipIf(postgresPrograms(version) === undefined)(`a store on PostgreSQL ${version}`, () => {
    let server: PostgresServer;
    let location: PostgresLocation;
    let open: Store[] = [];
    beforeAll(async () => {
      server = await PostgresServer.start(version, { password: 'hush-hush' });
    });
    afterAll(() => server?.destroy());
    beforeEach(async () => {
      const database = await server.createDatabase();
      location = { ...locationOf(server, database), password: new Secret('hush-hush') };
    });
    afterEach(async () => {
      await Promise.all(open.map((store) => store.close()));
      open = [];
    });
    const opened = async (change: Partial<PostgresLocation> = {}): Promise<Store> => {
      const store = await openPostgresSts({ ...location, ...change });
      open.push(store);
      return store;
    };

    test('grants once to a hundred that present one token at once to three replicas', async () => {
      const stores = await Promise.all([opened(), opened(), opened()]);
      const use = { exp: NOW + 600, iss: ISSUER, jti: 'jti-1' };
      const outcomes = await Promise.all(
        Array.from({ length: 100 }, (_, n) => stores[n % 3]?.grant(grantOf(`${n}.`, { uses: [use] }))),
      );
      expect(outcomes.filter((outcome) => outcome === 'granted')).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === 'token_replayed')).toHaveLength(99);
      expect(await stores[0]?.listDecisions(200)).toHaveLength(1);
    });

    test('leaves no session of an ended job, whichever of three replicas was asked for what', async () => {
      const stores = await Promise.all([opened(), opened(), opened()]);
      const jobs = Array.from({ length: 40 }, (_, n) => `J${n}`);
      const grants = jobs.flatMap((jobId, n) =>
        [0, 1, 2].map((replica) => stores[replica]?.grant(grantOf(`${n}-${replica}.`, { session: { jobId } }))),
      );
      const burials = jobs.map((jobId, n) => stores[n % 3]?.buryJobs([tombstoneOf(jobId)]));
      await Promise.all([...grants, ...burials]);
      for (const [n] of jobs.entries())
        for (const replica of [0, 1, 2]) expect(await stores[n % 3]?.findSession(`S${n}-${replica}.`)).toBeUndefined();
    });

    test('tells a reader that polls of every end once, in order, while three replicas end sessions', async () => {
      const stores = await Promise.all([opened(), opened(), opened()]);
      const names = Array.from({ length: 90 }, (_, n) => `${n}.`);
      await Promise.all(names.map((name, n) => stores[n % 3]?.grant(grantOf(name))));
      const ends = Promise.all(names.map((name, n) => stores[n % 3]?.endSession(`S${name}`, actionRecord(name))));
      const seen: string[] = [];
      for (let cursor = 0; seen.length < names.length; ) {
        const news = (await stores[0]?.listEndedSessions('artifacts', cursor, NOW, 7)) ?? [];
        seen.push(...news.map(({ sessionId }) => sessionId));
        cursor = news.at(-1)?.sequence ?? cursor;
      }
      await ends;
      expect(new Set(seen)).toEqual(new Set(names.map((name) => `S${name}`)));
    });

    test('shows no password, whatever goes wrong', async () => {
      const wrong = new Secret('not-the-one');
      const failures = await Promise.all(
        [{ password: wrong }, { port: 1, password: wrong }, { database: 'none' }, { user: 'nobody' }].map((change) =>
          openPostgresSts({ ...location, ...change }).catch((cause: unknown) => cause),
        ),
      );
      for (const failure of failures) {
        expect(failure).toMatchObject({ ...UNAVAILABLE, hint: expect.any(String) });
        expect(inspect(failure, { depth: 9, showHidden: true })).not.toMatch(/not-the-one|hush-hush/);
      }
      const store = await opened();
      expect(inspect(store, { depth: 9, showHidden: true })).not.toContain('hush-hush');
    });

    test('waits two seconds for a server that hangs, and no longer; afterwards it goes on', async () => {
      const store = await opened();
      await store.grant(grantOf('1'));
      server.freeze();
      const waits = [failing(store.grant(grantOf('2'))), failing(store.findSession('S1')), failing(store.identity())];
      for (const wait of await Promise.all(waits)) expect(wait).toBeLessThan(LONGEST_WAIT_MS);
      expect(await failing(store.recordRefusal(refusedRecord('3')))).toBeLessThan(LONGEST_WAIT_MS);
      server.thaw();
      await untilWorks(() => store.grant(grantOf('4')));
      expect(await store.findSession('S1')).toBeDefined();
      await expectChains(store);
    });

    test('makes one request wait two seconds in all, whatever it asks one after the other', async () => {
      const store = await opened();
      await store.grant(grantOf('1'));
      const begin = performance.now();
      server.freeze();
      setTimeout(() => server.thaw(), 1000);
      await withOnePatience(async () => {
        expect(await store.findSession('S1')).toBeDefined();
        server.freeze();
        await failing(store.isBuried(ISSUER, 'J1'));
        expect(await failing(store.recordRefusal(refusedRecord('2')))).toBeLessThan(AT_ONCE_MS);
        expect(await failing(store.findSession('S1'))).toBeLessThan(AT_ONCE_MS);
      });
      expect(performance.now() - begin).toBeLessThan(LONGEST_WAIT_MS);
      server.thaw();
      await untilWorks(() => withOnePatience(() => store.grant(grantOf('3'))));
      expect(await expectChains(store)).not.toContain('D2');
    });

    test('begins no write in the last moment of a request, which would often be kept and told as if it were not', async () => {
      const store = await opened();
      await store.grant(grantOf('1'));
      await withOnePatience(async () => {
        const wait = beginWait();
        await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS - 150));
        wait.end();
        expect(await failing(store.grant(grantOf('2')))).toBeLessThan(AT_ONCE_MS);
      });
      expect(await expectChains(store)).toEqual(['D1']);
    });

    test.each(['fast', 'immediate', 'kill'] as const)('goes on after its server was stopped: %s', async (mode) => {
      const store = await opened();
      await store.grant(grantOf('1'));
      const underWay = Promise.allSettled(Array.from({ length: 50 }, (_, n) => store.grant(grantOf(`a${n}.`))));
      await server.stop(mode);
      expect(await failing(store.grant(grantOf('2')))).toBeLessThan(LONGEST_WAIT_MS);
      await server.start();
      expect(await untilWorks(() => store.grant(grantOf('3')))).toBe('granted');
      const kept = await expectChains(store);
      expect(kept).toEqual(expect.arrayContaining(['D1', 'D3']));
      for (const [n, one] of (await underWay).entries())
        if (one.status === 'fulfilled') expect(kept).toContain(`Da${n}.`);
    });

    test('refuses a grant whose commit was not acknowledged, though it is kept, and goes on in a new chain', async () => {
      const thief = new CommitThief(server.port);
      try {
        const store = await opened({ port: await thief.listen() });
        await store.grant(grantOf('1'));
        thief.isArmed = true;
        expect(await failing(store.grant(grantOf('2')))).toBeLessThan(LONGEST_WAIT_MS);
        await untilWorks(() => store.grant(grantOf('3')));
        expect((await expectChains(store)).toSorted()).toEqual(['D1', 'D2', 'D3']);
        expect((await store.listHeads()).map(({ sequence }) => sequence).toSorted()).toEqual([1, 2]);
      } finally {
        thief.close();
      }
    });

    test('does not run on another history what was asked for before that was accepted', async () => {
      const thief = new CommitThief(server.port);
      try {
        const store = await opened({ port: await thief.listen() });
        expect(await store.grant(grantOf('1'))).toBe('granted');
        await server.query('ALTER SCHEMA jobpass_sts RENAME TO before', location.database);
        const another = await opened();
        thief.isHolding = true;
        thief.drop();
        await sleep(50);
        const asked = store.grant(grantOf('2')).catch((error: unknown) => error);
        await sleep(50);
        store.acceptHistory(await another.history());
        thief.release();
        expect(await asked).toMatchObject({ code: 'ERR_STORE_HISTORY' });
        expect(await another.findSession('S2')).toBeUndefined();
        expect(await untilWorks(() => store.grant(grantOf('3')))).toBe('granted');
      } finally {
        thief.close();
      }
    });

    test('loses nothing when its connections are ended under load, and no chain has a gap', async () => {
      const store = await opened();
      let isOver = false;
      const assassin = (async () => {
        while (!isOver) {
          await server
            .query(
              `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'jobpass%'`,
              location.database,
            )
            .catch(() => {});
          await sleep(100);
        }
      })();
      const answers = new Map<string, unknown>();
      for (let round = 0; round < 40; round += 1) {
        const names = Array.from({ length: 8 }, (_, n) => `${round}-${n}.`);
        const settled = await Promise.allSettled(names.map((name) => store.grant(grantOf(name))));
        for (const [n, one] of settled.entries()) answers.set(names[n] ?? '', one.status === 'fulfilled' && one.value);
        await sleep(10);
      }
      isOver = true;
      await assassin;
      const kept = new Set(await untilWorks(() => expectChains(store)));
      const granted = [...answers].filter(([, answer]) => answer === 'granted').map(([name]) => `D${name}`);
      expect(granted.length).toBeGreaterThan(0);
      for (const id of granted) expect(kept).toContain(id);
    });

    test('tells who watches of what another replica changed, also after its connection was lost', async () => {
      const [one, other] = [await opened(), await opened()];
      let told = 0;
      const unwatch = one.watch(() => {
        told += 1;
      });
      const heard = async (change: () => Promise<unknown>): Promise<void> => {
        const before = told;
        await change();
        for (let waits = 0; told === before; waits += 1) {
          expect(waits).toBeLessThan(200);
          await sleep(10);
        }
      };
      await heard(async () => undefined);
      await other.grant(grantOf('1'));
      await heard(() => other.endSession('S1'));
      await heard(() => other.buryJobs([tombstoneOf('J1')]));
      await server.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`);
      await heard(async () => undefined);
      await heard(() => other.buryJobs([tombstoneOf('J2')]));
      unwatch();
    });

    test('checks the certificate of the server by the authority that it was given', async () => {
      const openssl = requireClient('openssl');
      if (openssl === undefined) return;
      const { ca, certificate, key } = makePrivateCa(openssl, server.folder);
      const { ca: stranger } = makePrivateCa(openssl, mkdtempSync(join(server.folder, 'other-')));
      const pem = (file: string): string => readFileSync(file, 'utf8');
      // PostgreSQL reads a key only from a file of its own.
      chmodSync(key, 0o600);
      const account = postgresAccount();
      if (account !== undefined) chownSync(key, account.uid, account.gid);
      const full = (file: string) => ({ verify: 'full' as const, ca: pem(file) });
      await expect(opened({ tls: full(ca) })).rejects.toMatchObject(UNAVAILABLE);
      await server.query(`ALTER SYSTEM SET ssl_cert_file = '${certificate}'`);
      await server.query(`ALTER SYSTEM SET ssl_key_file = '${key}'`);
      await server.query('ALTER SYSTEM SET ssl = on');
      await server.query('SELECT pg_reload_conf()');
      await untilWorks(() => opened({ tls: full(ca) }));
      await opened({ tls: { verify: 'ca', ca: pem(ca) } });
      await opened({ tls: { verify: 'none', ca: null } });
      const store = await opened({ tls: full(ca) });
      expect(await store.grant(grantOf('1'))).toBe('granted');
      await expect(opened({ tls: full(stranger) })).rejects.toMatchObject({
        message: 'the certificate of the database server is not trusted',
      });
      await expect(opened({ tls: { verify: 'ca', ca: pem(stranger) } })).rejects.toMatchObject(UNAVAILABLE);
      await expect(opened({ tls: { verify: 'full', ca: null } })).rejects.toMatchObject(UNAVAILABLE);
    });

    test('is opened by many at once on an empty database, and its schema made once', async () => {
      const stores = await Promise.all(Array.from({ length: 6 }, () => opened()));
      const ids = await Promise.all(stores.map((store) => store.identity()));
      expect(new Set(ids.map(({ id }) => id)).size).toBe(1);
    });

    test('is refused on what is not its own: another program’s schema, a newer one, no right to make one', async () => {
      const { database } = location;
      await server.query('CREATE SCHEMA jobpass_sts; CREATE TABLE jobpass_sts.theirs (n int)', database);
      await expect(opened()).rejects.toMatchObject({ code: 'ERR_STORE_SCHEMA' });
      await server.query('DROP TABLE jobpass_sts.theirs', database);
      const store = await opened();
      await server.query('UPDATE jobpass_sts.schema_version SET version = 99, oldest_reader = 1', database);
      await opened();
      await server.query('UPDATE jobpass_sts.schema_version SET oldest_reader = 99', database);
      await expect(opened()).rejects.toMatchObject({ code: 'ERR_STORE_SCHEMA' });
      await server.query("CREATE ROLE weak LOGIN PASSWORD 'hush-hush'").catch(() => {});
      const weak = { ...location, user: 'weak', database: await server.createDatabase() };
      await expect(openPostgresSts(weak)).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: 'the database user may not do what is needed',
      });
      await store.close();
    });

    test('needs no superuser: a role that owns its database will do', async () => {
      await server.query("CREATE ROLE owner LOGIN PASSWORD 'hush-hush'").catch(() => {});
      const database = await server.createDatabase();
      await server.query(`ALTER DATABASE ${database} OWNER TO owner`);
      const store = await opened({ user: 'owner', database });
      expect(await store.grant(grantOf('1'))).toBe('granted');
      expect(await store.history()).toMatch(/^[0-9]+\.[0-9A-F]{8}\.[0-9]+\.[0-9]+$/);
    });

    test('keeps what has NUL in it only where JSON escapes it; looking for one finds nothing', async () => {
      const store = await opened();
      expect(await store.grant(grantOf('1'))).toBe('granted');
      await expect(store.grant(grantOf('2', { session: { subject: 'a\0b' } }))).rejects.toMatchObject(UNAVAILABLE);
      expect(await store.findSession('S\0')).toBeUndefined();
      expect(await store.isBuried(ISSUER, 'J\0')).toBe(false);
      expect(await expectChains(store)).toEqual(['D1']);
    });

    test('is refused on a database that keeps other texts than UTF-8, or takes no writes', async () => {
      const database = `ascii_${version}`;
      await server.query(
        `CREATE DATABASE ${database} ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0`,
      );
      await expect(opened({ database })).rejects.toMatchObject({
        ...UNAVAILABLE,
        hint: expect.stringContaining('UTF8'),
      });
      await server.query(`ALTER DATABASE ${location.database} SET default_transaction_read_only = on`);
      await expect(opened()).rejects.toMatchObject({ ...UNAVAILABLE, hint: 'name the primary, not a standby' });
    });
  });
}

describe.skipIf(postgresPrograms(15) === undefined)('a failover', () => {
  test('is another history: everything is refused until it was accepted, and a standby serves nobody', async () => {
    const primary = await PostgresServer.start(15);
    const standby = await primary.standby();
    const thief = new CommitThief(primary.port);
    const port = await thief.listen();
    let relay: CommitThief | undefined;
    const store = await openPostgresSts({ ...locationOf(primary, 'postgres'), port });
    try {
      await store.grant(grantOf('1'));
      const before = await store.history();
      await expect(openPostgresSts(locationOf(standby, 'postgres'))).rejects.toMatchObject({
        ...UNAVAILABLE,
        hint: 'name the primary, not a standby',
      });
      await sleep(300);
      await primary.stop('fast');
      await standby.promote();
      thief.close();
      relay = new CommitThief(standby.port);
      await relay.listen(port);
      const refused = await untilRefusedAs('ERR_STORE_HISTORY', () => store.grant(grantOf('2')));
      expect(refused).toBe(true);
      await expect(store.findSession('S1')).rejects.toMatchObject({ code: 'ERR_STORE_HISTORY' });
      const after = await store.history();
      expect(after).not.toBe(before);
      store.acceptHistory(after);
      expect(await store.findSession('S1')).toBeDefined();
      expect(await store.grant(grantOf('3'))).toBe('granted');
    } finally {
      await store.close();
      relay?.close();
      await primary.destroy();
      await standby.destroy();
    }
  });
});

async function untilRefusedAs(code: string, work: () => Promise<unknown>): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const cause = await work().then(
      () => undefined,
      (error: unknown) => error,
    );
    if (cause instanceof Error && 'code' in cause && cause.code === code) return true;
    expect(cause).toMatchObject(UNAVAILABLE);
    await sleep(50);
  }
  return false;
}
