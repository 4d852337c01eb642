// PostgreSQL goes away, falls silent, is slow, loses the acknowledgement of commits: no wrong grant, callers hear it soon, and it comes back.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { postgresPrograms } from '../fakes/postgres-programs.ts';
import { PostgresServer } from '../fakes/postgres-server.ts';
import { audit, CLEAN, mostGrantsOfOneToken, readPostgres } from './tools/auditor.ts';
import { type RunningJob, tokensOf, untilServed } from './tools/calls.ts';
import { bound, count, LIMIT_MS } from './tools/counts.ts';
import { breathe, ExchangeLoad } from './tools/exchange-load.ts';
import { type Fleet, makeFleet } from './tools/fleet.ts';
import { losingCommits } from './tools/lost-commits.ts';
import { expectTold, liveThrough, type Outage } from './tools/outage.ts';
import { Presentations } from './tools/presentations.ts';

const OUTAGE_MS = count(3000, 30_000);
/**
 * A request waits two seconds for its server's database, however often it asks. While its feed is stale, an STS asks the issuer, too, which
 * waits as long for the same one. The rest is the way there and back.
 */
const REFUSED_LIMIT_MS = bound(4500);
const VERSION = 15;
const SLOW_MS = 2000;
const LOST_TOKENS = count(60, 1000);

let postgres: PostgresServer;
let database: string;
let fleet: Fleet;
let jobs: readonly RunningJob[];
let isLost: () => boolean = () => false;

describe.skipIf(postgresPrograms(VERSION) === undefined)('two STSs on a PostgreSQL that', () => {
  beforeAll(async () => {
    postgres = await PostgresServer.start(VERSION);
    database = await postgres.createDatabase();
    fleet = await makeFleet({
      stss: 2,
      database: { port: postgres.port, name: database, watchAnswers: losingCommits(() => isLost()) },
    });
    for (const server of [...fleet.issuers, ...fleet.stss]) await server.start();
  }, LIMIT_MS);
  afterAll(async () => {
    await fleet?.close();
    await postgres?.destroy();
  });
  beforeEach(async () => {
    // The issuers use the same PostgreSQL, and come back from the outage before in their own time.
    jobs = [await untilServed(fleet), await untilServed(fleet)];
  });

  const link = () => {
    if (fleet.links.database === undefined) throw new Error('the fleet has no shared database');
    return fleet.links.database;
  };
  const rows = () => readPostgres(postgres, database);

  async function outage(how: Pick<Outage, 'name' | 'breakIt' | 'repair'>): Promise<void> {
    const load = new ExchangeLoad(fleet.doors.sts, jobs);
    load.start(8);
    await liveThrough(load, { ...how, lastsMs: OUTAGE_MS, refusedLimitMs: REFUSED_LIMIT_MS });
    expect(audit(await rows(), load.granted)).toEqual(CLEAN);
  }

  test(
    'is cut off grants nothing, and goes on when it is back',
    async () => {
      await outage({
        name: 'PostgreSQL cut off',
        breakIt: () => link().cut(),
        repair: () => link().mend(),
      });
    },
    LIMIT_MS,
  );

  test(
    'falls silent grants nothing, and goes on when it is back',
    async () => {
      await outage({
        name: 'PostgreSQL in a black hole',
        breakIt: () => link().blackHole(),
        repair: () => link().mend(),
      });
    },
    LIMIT_MS,
  );

  test(
    'is killed grants nothing, and goes on when it is back',
    async () => {
      await outage({
        name: 'PostgreSQL killed',
        breakIt: () => postgres.stop('kill'),
        repair: () => postgres.start(),
      });
    },
    LIMIT_MS,
  );

  test(
    'is two seconds slower grants nothing that it does not keep',
    async () => {
      const load = new ExchangeLoad(fleet.doors.sts, jobs);
      load.start(8);
      await load.untilGranted(20);
      link().delay(SLOW_MS);
      await breathe(OUTAGE_MS + SLOW_MS);
      link().mend();
      const back = await load.untilGranted(1);
      await load.stop();
      const slowest = Math.max(0, ...load.refused.map(({ tookMs }) => tookMs));
      console.info(
        `PostgreSQL 2 s slower: ${load.refused.length} calls refused, the slowest in ${Math.round(slowest)} ms; granting again ${Math.round(back)} ms after`,
      );
      expectTold(load);
      expect(audit(await rows(), load.granted)).toEqual(CLEAN);
    },
    LIMIT_MS,
  );

  test(
    'loses the acknowledgement of every fourth commit grants no token twice',
    async () => {
      const tokens = await tokensOf(fleet, LOST_TOKENS);
      const presentations = new Presentations(tokens);
      let commits = 0;
      let lost = 0;
      isLost = () => {
        commits += 1;
        if (commits % 4 !== 0) return false;
        lost += 1;
        return true;
      };
      await presentations.present(fleet.doors.sts, 3);
      isLost = () => false;
      await presentations.present(fleet.doors.sts, 2);
      console.info(
        `${lost} of ${commits} acknowledgements lost: ${presentations.grantedTimes(1)} of ${LOST_TOKENS} tokens granted, the others used up`,
      );
      expect(lost).toBeGreaterThan(0);
      expect(presentations.grantedTimes(0) + presentations.grantedTimes(1)).toBe(LOST_TOKENS);
      expect([...presentations.others]).toEqual([]);
      const found = await rows();
      expect(mostGrantsOfOneToken(found, 'once')).toBe(1);
      expect(audit(found, [])).toEqual(CLEAN);
    },
    LIMIT_MS,
  );
});
