// Three STSs and two issuers behind a balancer, on one PostgreSQL: whatever holds of one server holds of all of them together.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresPrograms } from '../fakes/postgres-programs.ts';
import { PostgresServer } from '../fakes/postgres-server.ts';
import { audit, CLEAN, readPostgres } from './tools/auditor.ts';
import { endJob, runJob, untilRefused, untilServed, useAt } from './tools/calls.ts';
import { bound, count, isSoak, LIMIT_MS, percentile, spread } from './tools/counts.ts';
import { breathe, ExchangeLoad } from './tools/exchange-load.ts';
import { type Fleet, makeFleet } from './tools/fleet.ts';
import { proveSingleUse } from './tools/prove-single-use.ts';

const JOBS = count(20, 500);
const AT_ONCE = 10;
const KILLS = count(4, 200);
const LONGEST_LIFE_MS = 400;
const READY_LIMIT_MS = bound(5000);
const VERSION = 18;

let postgres: PostgresServer;
let database: string;
let fleet: Fleet;

describe.skipIf(postgresPrograms(VERSION) === undefined)('three STSs and two issuers on one PostgreSQL', () => {
  beforeAll(async () => {
    postgres = await PostgresServer.start(VERSION);
    database = await postgres.createDatabase();
    fleet = await makeFleet({
      ...{ issuers: 2, stss: 3, gateways: 2 },
      database: { port: postgres.port, name: database },
    });
    await fleet.start();
  }, LIMIT_MS);
  afterAll(async () => {
    await fleet?.close();
    await postgres?.destroy();
  });

  const rows = () => readPostgres(postgres, database);

  test(
    `${JOBS} jobs: every gateway refuses the credential of each when it has ended`,
    async () => {
      const times: number[] = [];
      const endOne = async (): Promise<void> => {
        const { credential, jobId } = await untilServed(fleet);
        for (const gateway of fleet.gatewayUrls) expect((await useAt(gateway, credential))?.status).toBe(200);
        await endJob(fleet, jobId);
        const since = performance.now();
        const refused = fleet.gatewayUrls.map((gateway) => untilRefused(() => useAt(gateway, credential), since));
        times.push(...(await Promise.all(refused)));
      };
      for (let batch = 0; batch < JOBS / AT_ONCE; batch += 1)
        await Promise.all(Array.from({ length: AT_ONCE }, endOne));
      console.info(`job end → refused at 2 gateways, 3 STSs, 2 issuers, ${JOBS} jobs: ${spread(times)}`);
      expect(times).toHaveLength(JOBS * fleet.gatewayUrls.length);
      if (!isSoak) return;
      expect(percentile(times, 0.95)).toBeLessThan(1000);
      expect(percentile(times, 0.99)).toBeLessThan(2000);
    },
    LIMIT_MS,
  );

  test(
    `after kill -9 of a replica at ${KILLS} random points every answered grant has its record`,
    async () => {
      const load = new ExchangeLoad(fleet.doors.sts, await Promise.all([runJob(fleet), runJob(fleet), runJob(fleet)]));
      const starts: number[] = [];
      for (let kill = 0; kill < KILLS; kill += 1) {
        load.start();
        await load.untilGranted(10);
        await breathe(Math.random() * LONGEST_LIFE_MS);
        const replica = fleet.stss[kill % fleet.stss.length];
        await replica?.end('SIGKILL');
        await load.stop();
        starts.push((await replica?.start()) ?? Number.NaN);
      }
      console.info(
        `kill -9 of an STS of three × ${KILLS}: ${load.granted.length} grants answered, ${load.unanswered} calls cut off; ready again ${spread(starts)}`,
      );
      expect(audit(await rows(), load.granted)).toEqual(CLEAN);
      expect(percentile(starts, 1)).toBeLessThan(READY_LIMIT_MS);
    },
    LIMIT_MS,
  );

  proveSingleUse({
    fleet: () => fleet,
    rows,
    raiseMark: async () => {
      await postgres.query('UPDATE jobpass_sts.high_water SET at = at + 60', database);
    },
  });
});
