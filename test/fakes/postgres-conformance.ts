// The whole conformance suite of the store ports against one version of PostgreSQL. Test code.
import { afterAll, beforeAll, describe } from 'vitest';
import {
  auditStoreConformance,
  issuerBeginningConformance,
  issuerStoreConformance,
  keyAuditConformance,
  keyStoreConformance,
  stsAuditConformance,
  stsBeginningConformance,
  stsPolicyConformance,
  stsStoreConformance,
} from '../../src/storage/conformance.ts';
import { openPostgresIssuer, openPostgresKeys, openPostgresSts } from '../../src/storage/postgres/open.ts';
import { postgresEngine, postgresStsEngine } from './postgres-engine.ts';
import { type PostgresVersion, postgresPrograms } from './postgres-programs.ts';
import { PostgresServer } from './postgres-server.ts';

/** Declares every test of the suites; skipped, in sight of everybody, where that version is not installed. */
export function postgresConformance(version: PostgresVersion): void {
  describe.skipIf(postgresPrograms(version) === undefined)(`PostgreSQL ${version}`, () => {
    let running: PostgresServer | undefined;
    const server = (): PostgresServer => {
      if (running === undefined) throw new Error('the server of the tests does not run');
      return running;
    };
    beforeAll(async () => {
      // Nothing is killed here: what reaches the disk is the fault suite's business.
      running = await PostgresServer.start(version, { settings: { fsync: 'off', full_page_writes: 'off' } });
    }, 60_000);
    afterAll(() => running?.destroy());

    for (const open of [openPostgresIssuer, openPostgresSts, openPostgresKeys]) {
      keyStoreConformance(postgresEngine(server, open));
      auditStoreConformance(postgresEngine(server, open));
      keyAuditConformance(postgresEngine(server, open));
    }
    issuerStoreConformance(postgresEngine(server, openPostgresIssuer));
    stsStoreConformance(postgresStsEngine(server, openPostgresSts));
    stsAuditConformance(postgresEngine(server, openPostgresSts));
    stsBeginningConformance(postgresEngine(server, openPostgresSts));
    issuerBeginningConformance(postgresEngine(server, openPostgresIssuer));
    stsPolicyConformance(postgresEngine(server, openPostgresSts));
  });
}
