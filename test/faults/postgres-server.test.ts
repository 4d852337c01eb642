// The PostgreSQL that tests start: what is committed survives every way of stopping it, and a frozen one answers nothing.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { POSTGRES_VERSIONS, postgresPrograms } from '../fakes/postgres-programs.ts';
import { PostgresServer, type StopMode } from '../fakes/postgres-server.ts';

const STOPS: readonly StopMode[] = ['fast', 'immediate', 'kill'];

for (const version of POSTGRES_VERSIONS) {
  describe.skipIf(postgresPrograms(version) === undefined)(`PostgreSQL ${version} of a test`, () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await PostgresServer.start(version, { password: 'a secret:/@' });
    });
    afterAll(() => server?.destroy());

    test('is the version asked for, and wants its password', async () => {
      expect(await server.query("SELECT current_setting('server_version_num')::int / 10000 AS major")).toEqual([
        { major: version },
      ]);
      const stranger = new pg.Client({ connectionString: server.url({ password: 'another' }) });
      await expect(stranger.connect()).rejects.toMatchObject({ code: '28P01' });
    });

    test.each(STOPS)('keeps what was committed before it was stopped: %s', async (mode) => {
      const database = await server.createDatabase();
      await server.query('CREATE TABLE kept AS SELECT 7 AS n', database);
      await server.stop(mode);
      await expect(server.query('SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      await server.start();
      expect(await server.query('SELECT n FROM kept', database)).toEqual([{ n: 7 }]);
    });

    test('answers nothing while it is frozen, and goes on afterwards', async () => {
      server.freeze();
      const answer = server.query('SELECT 7 AS n');
      expect(await Promise.race([answer, sleep(200, 'nothing')])).toBe('nothing');
      server.thaw();
      expect(await answer).toEqual([{ n: 7 }]);
    });
  });
}

describe.skipIf(postgresPrograms(15) === undefined)('a standby of a test', () => {
  test('follows, and takes over', async () => {
    const primary = await PostgresServer.start(15);
    const standby = await primary.standby();
    try {
      await primary.query('CREATE TABLE kept AS SELECT 7 AS n');
      await expect(standby.query('CREATE TABLE refused (n int)')).rejects.toMatchObject({ code: '25006' });
      await primary.stop('fast');
      await standby.promote();
      expect(await standby.query('SELECT n FROM kept')).toEqual([{ n: 7 }]);
      await standby.query('CREATE TABLE taken (n int)');
    } finally {
      await primary.destroy();
      await standby.destroy();
    }
  });
});
