// Single use under fire, by one STS on SQLite.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll } from 'vitest';
import { readSqlite } from './tools/auditor.ts';
import { type Fleet, makeFleet } from './tools/fleet.ts';
import { proveSingleUse } from './tools/prove-single-use.ts';

let fleet: Fleet;

beforeAll(async () => {
  fleet = await makeFleet();
  for (const server of [...fleet.issuers, ...fleet.stss]) await server.start();
});
afterAll(() => fleet?.close());

const database = (): string => join(fleet.folder, 'sts-1/data/sts.db');

proveSingleUse({
  fleet: () => fleet,
  rows: () => readSqlite(database()),
  raiseMark: () => {
    const raw = new DatabaseSync(database());
    raw.exec('UPDATE high_water SET at = at + 60');
    raw.close();
  },
});
