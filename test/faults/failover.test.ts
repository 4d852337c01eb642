// PostgreSQL fails over to a standby that lacks the last second: what only the old one knew cannot be used again, and nobody claims it is kept.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../fakes/free-port.ts';
import { postgresPrograms } from '../fakes/postgres-programs.ts';
import { PostgresServer } from '../fakes/postgres-server.ts';
import { audit, readPostgres } from './tools/auditor.ts';
import { exchangeAt, runJob, tokensOf, untilRefused, untilServed, useAt } from './tools/calls.ts';
import { bound, LIMIT_MS } from './tools/counts.ts';
import { breathe, ExchangeLoad } from './tools/exchange-load.ts';
import { type Fleet, makeFleet } from './tools/fleet.ts';
import { Link } from './tools/link.ts';
import { Presentations } from './tools/presentations.ts';

/** The one whose programs make a standby. */
const VERSION = 15;
const BEHIND_MS = 1000;
const BACK_LIMIT_MS = bound(5000);
const TOKENS = 20;

let primary: PostgresServer;
let standby: PostgresServer;
let replication: Link;
let database: string;
let fleet: Fleet;

describe.skipIf(postgresPrograms(VERSION) === undefined)('two STSs on a PostgreSQL with a standby', () => {
  beforeAll(async () => {
    primary = await PostgresServer.start(VERSION);
    database = await primary.createDatabase();
    const port = await freePort();
    replication = await Link.open({ port, to: [primary.port] });
    standby = await primary.standby({ primary_conninfo: `host=127.0.0.1 port=${port} user=postgres` });
    fleet = await makeFleet({ issuers: 2, stss: 2, gateways: 2, database: { port: primary.port, name: database } });
    await fleet.start();
  }, LIMIT_MS);
  afterAll(async () => {
    await fleet?.close();
    await replication?.close();
    await standby?.destroy();
    await primary?.destroy();
  });

  test(
    'what was used or granted in the second that is lost cannot be used again',
    async () => {
      const before = await tokensOf(fleet, TOKENS);
      const load = new ExchangeLoad(fleet.doors.sts, [await runJob(fleet)]);
      load.start(4);
      await load.untilGranted(50);
      const kept = [...load.granted];
      await untilReplicated();
      // From here on the standby hears nothing.
      replication.cut();
      const lost = await tokensOf(fleet, TOKENS);
      const uses = new Presentations([...before, ...lost]);
      await uses.present(fleet.doors.sts, 1);
      expect(uses.grantedTimes(1)).toBe(2 * TOKENS);
      const { credential, token } = await untilServed(fleet);
      for (const gateway of fleet.gatewayUrls) expect((await useAt(gateway, credential))?.status).toBe(200);
      await breathe(BEHIND_MS);

      await primary.stop('kill');
      const failed = performance.now();
      await standby.promote();
      const promoted = performance.now();
      fleet.links.database?.lead([standby.port]);
      const back = await untilServed(fleet);
      console.info(
        `failover: promoted after ${Math.round(promoted - failed)} ms, granting to new jobs ${Math.round(back.tookMs)} ms later`,
      );
      expect(back.tookMs).toBeLessThan(BACK_LIMIT_MS);
      // Used up before, or by nobody that the standby heard of: both are refused, by whichever STS.
      await uses.present(fleet.doors.sts, 4);
      expect(uses.grantedTimes(1)).toBe(2 * TOKENS);
      for (let tries = 0; tries < 4; tries += 1)
        expect((await exchangeAt(fleet.doors.sts, token))?.status).not.toBe(200);
      await Promise.all(fleet.gatewayUrls.map((gateway) => untilRefused(() => useAt(gateway, credential), promoted)));
      await load.stop();
      await Promise.all(fleet.gatewayUrls.map((gateway) => untilOpened(gateway, back.credential)));
      console.info(
        `failover: every gateway takes new credentials ${Math.round(performance.now() - promoted)} ms after`,
      );
      await expectAudited(kept);
    },
    LIMIT_MS,
  );

  /** Resolves when the standby has everything that is written now. */
  async function untilReplicated(): Promise<void> {
    const [row] = await primary.query('SELECT pg_current_wal_lsn() AS written');
    for (;;) {
      const [seen] = await standby.query(`SELECT pg_last_wal_replay_lsn() >= '${row?.written}' AS has`);
      if (seen?.has === true) return;
      await breathe(20);
    }
  }

  /** Resolves when the gateway takes the credential. */
  async function untilOpened(gateway: string, credential: string): Promise<void> {
    const begin = performance.now();
    for (;;) {
      const reply = await useAt(gateway, credential);
      if (reply?.status === 200) return;
      if (performance.now() - begin > BACK_LIMIT_MS) throw new Error(`refused: ${JSON.stringify(reply)}`);
      await breathe(20);
    }
  }

  /** Everything that was replicated is there and its chains are whole; the servers say that more is lost. */
  async function expectAudited(kept: ExchangeLoad['granted']): Promise<void> {
    const { broken, unrecorded } = audit(await readPostgres(standby, database), kept);
    expect({ broken, unrecorded }).toEqual({ broken: [], unrecorded: [] });
    const said = fleet.stss.map(({ output }) => output).join('\n');
    expect(said).toMatch(/lost/);
  }
});
